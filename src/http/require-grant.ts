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
  requireAnyGrant(c, [action]);
}

/** Where one of several scopes will do. @throws FeatureError FORBIDDEN. */
export function requireAnyGrant(c: Context<HttpEnv>, actions: readonly Action[]): void {
  if (actions.some((action) => mayDo(c.var.principal, action))) return;
  throw new FeatureError(
    "FORBIDDEN",
    `Cannot answer the request: its credentials do not grant "${actions.map(({ scope }) => scope).join('" or "')}" here`,
  );
}

/**
 * For the features of a service; each row of a batch counts as a request.
 * @throws FeatureError FORBIDDEN.
 */
export function requireRead(
  c: Context<HttpEnv>,
  { serviceName, workspaceName, rows = [], explain = false }: ReadRequest,
): void {
  const workspace = workspaceName ?? workspaceDefault;
  requireGrant(c, { scope: "read", workspace, service: serviceName });
  if (explain) requireGrant(c, { scope: "explain", workspace, service: serviceName });
  if (rows.length > 1) c.var.chargeMore(rows.length - 1);
}

interface ReadRequest extends Pick<RequestHead, "serviceName" | "workspaceName"> {
  readonly rows?: readonly unknown[];
  readonly explain?: boolean;
}
