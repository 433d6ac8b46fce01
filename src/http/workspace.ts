/** Workspaces: what is served under one name, with stores and a log of its own. */

import type { AccessHome } from "../access/home-access.ts";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { PublisherAccess } from "../compact/compaction-api.ts";
import type { Repository } from "../define/definition.ts";
import type { LogAccess } from "../ingest/log-home.ts";
import type { ServingHomes } from "../serve/read-views.ts";
import type { ServingCache } from "../serve/serving-cache.ts";

/** Two workspaces of an app share no home: their records would have the same names. */
export interface Workspace {
  readonly name: string;
  readonly repository: Repository;
  readonly homes: ServingHomes;
  /** The app makes one where a view asks for it. */
  readonly cache?: ServingCache;
  /** Where events are taken in and compactions publish; left out where requests are answered alone. */
  readonly home?: HomeParts;
}

/** The truth about what was acknowledged, and who publishes. */
export interface HomeParts {
  /** The names of all logs. */
  readonly logs: readonly string[];
  readonly logShards: (log: string) => readonly LogAccess[];
  readonly publisher: PublisherAccess;
  /** The key book and the audit log. */
  readonly access: AccessHome;
}

export interface WorkspacesParts {
  /** By name; at least one. */
  readonly workspaces: ReadonlyMap<string, Workspace>;
}

/** The workspace of requests that name none, as the API's clients have it. */
export const workspaceDefault = "prod";

/** Where requests of the admin and region routes say which workspace they are for. */
export const workspaceHeader = "x-tilemark-workspace";

/** The one workspace there is, or the one that is named. @throws FeatureError NOT_FOUND. */
export function chooseWorkspace(
  { workspaces }: WorkspacesParts,
  name: string | undefined,
): Workspace {
  const [only] = workspaces.values();
  const found = name === undefined && workspaces.size === 1 ? only : workspaces.get(name ?? "");
  if (found !== undefined) return found;
  throw new FeatureError(
    "NOT_FOUND",
    name === undefined
      ? `Cannot choose a workspace: there are several, name one in header "${workspaceHeader}"`
      : `Cannot find workspace "${name.slice(0, limits.nameLengthMax)}": there is none of that name`,
  );
}

/** @throws FeatureError NOT_FOUND where the workspace follows a home elsewhere. */
export function homeOf({ home }: Workspace): HomeParts {
  return home ?? refuseAtRegion();
}

/** @throws FeatureError NOT_FOUND */
export function refuseAtRegion(): never {
  throw new FeatureError(
    "NOT_FOUND",
    "Cannot answer here: this region follows a home, send the request there",
  );
}
