/** Where a service is asked: v1 names it in the body, v2 in the path. */

import type { Context } from "hono";
import { assert } from "../core/errors.ts";

/** What a v2 path names; it wins over what the body says. */
export interface ServicePath {
  readonly workspaceName: string;
  readonly serviceName: string;
}

export type ServiceAction = "get-features" | "get-features-batch" | "metadata";

export function v1Path(action: ServiceAction): string {
  return `/api/v1/feature-service/${action}`;
}

/** Names may hold `:`, raw or as `%3A`. */
export function v2Path(action: ServiceAction): string {
  return `/api/v2/workspaces/:workspace/feature-services/:service/${action}`;
}

/** Of a request to a `v2Path`. */
export function readServicePath(c: Context): ServicePath {
  const workspaceName = c.req.param("workspace");
  const serviceName = c.req.param("service");
  assert(workspaceName !== undefined && serviceName !== undefined, "a v2 path has both names");
  return { workspaceName, serviceName };
}
