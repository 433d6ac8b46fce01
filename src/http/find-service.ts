/** The service that a request names, if its workspace is served here. */

import { FeatureError } from "../core/errors.ts";
import type { Repository, ServiceDefinition } from "../define/definition.ts";
import type { RequestHead } from "./read-get-features.ts";

interface FindParts {
  readonly repository: Repository;
  /** Names accepted as a workspace; any if left out. */
  readonly workspaces?: readonly string[];
}

const workspaceDefault = "prod";
const nameCharactersMax = 200;

/** @throws FeatureError NOT_FOUND in the words that clients of this API know. */
export function findService(
  parts: FindParts,
  request: Pick<RequestHead, "serviceName" | "workspaceName">,
): ServiceDefinition {
  const workspace = request.workspaceName ?? workspaceDefault;
  const isServed =
    request.workspaceName === null || (parts.workspaces?.includes(workspace) ?? true);
  const service = parts.repository.services.get(request.serviceName);
  if (isServed && service !== undefined) return service;
  const shown = request.serviceName.slice(0, nameCharactersMax);
  throw new FeatureError(
    "NOT_FOUND",
    `Unable to query FeatureService \`${shown}\` for workspace \`${workspace.slice(0, nameCharactersMax)}\`. Newly created feature services may take up to 60 seconds to query. Also, ensure that the workspace is a "live" workspace.`,
  );
}
