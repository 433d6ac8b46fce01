/** Refuses what a request's principal may not do, before anything is looked up or read. */

import type { Context } from "hono";
import { FeatureError } from "../core/errors.ts";
import { mayDo } from "../access/principal.ts";
import type { Action } from "../access/principal.ts";
import type { RequestHead } from "./read-get-features.ts";
import type { HttpEnv } from "./request-clock.ts";
import { workspaceDefault } from "./workspace.ts";

/**
 * The words are the same whether or not what was asked for is there.
 * @throws FeatureError FORBIDDEN.
 */
export function requireGrant(c: Context<HttpEnv>, action: Action): void {
  if (mayDo(c.var.principal, action)) return;
  throw new FeatureError(
    "FORBIDDEN",
    `Cannot answer the request: its credentials do not grant "${action.scope}" here`,
  );
}

/** For the features of a service. @throws FeatureError FORBIDDEN. */
export function requireRead(
  c: Context<HttpEnv>,
  { serviceName, workspaceName }: Pick<RequestHead, "serviceName" | "workspaceName">,
): void {
  const workspace = workspaceName ?? workspaceDefault;
  requireGrant(c, { scope: "read", workspace, service: serviceName });
}
