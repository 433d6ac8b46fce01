/** The service that a request names, in the workspace that it names. */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import type { RequestHead } from "./read-get-features.ts";
import { workspaceDefault } from "./workspace.ts";
import type { Workspace, WorkspacesParts } from "./workspace.ts";

export interface FoundService {
  readonly workspace: Workspace;
  readonly service: ServiceDefinition;
}

/** @throws FeatureError NOT_FOUND in the words that clients of this API know. */
export function findService(
  { workspaces }: WorkspacesParts,
  { serviceName, workspaceName }: Pick<RequestHead, "serviceName" | "workspaceName">,
): FoundService {
  const name = workspaceName ?? workspaceDefault;
  const workspace = workspaces.get(name);
  const service = workspace?.repository.services.get(serviceName);
  if (workspace !== undefined && service !== undefined) return { workspace, service };
  const shown = serviceName.slice(0, limits.nameLengthMax);
  throw new FeatureError(
    "NOT_FOUND",
    `Unable to query FeatureService \`${shown}\` for workspace \`${name.slice(0, limits.nameLengthMax)}\`. Newly created feature services may take up to 60 seconds to query. Also, ensure that the workspace is a "live" workspace.`,
  );
}
