/** The workspace that an admin or region request is for, and whether its principal may ask. */

import type { MiddlewareHandler } from "hono";
import type { Scope } from "../access/principal.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireAnyGrant } from "./require-grant.ts";
import { chooseWorkspace, homeOf, workspaceHeader } from "./workspace.ts";
import type { WorkspacesParts } from "./workspace.ts";

/**
 * One of the scopes will do. What only a home answers is refused elsewhere.
 * @throws FeatureError FORBIDDEN, and NOT_FOUND for those alone who have the grant.
 */
export function requireWorkspace(
  parts: WorkspacesParts,
  scopes: readonly Scope[],
  { atHome }: { readonly atHome: boolean },
): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const named = c.req.header(workspaceHeader);
    const [only] = parts.workspaces.keys();
    const isChosen = named !== undefined || parts.workspaces.size === 1;
    const asked = named ?? only ?? "";
    const scopesAsked = scopes.map((scope) => ({ scope, workspace: asked, service: null }));
    if (isChosen) requireAnyGrant(c, scopesAsked);
    const workspace = chooseWorkspace(parts, named);
    if (atHome) homeOf(workspace);
    c.set("workspace", workspace);
    await next();
  };
}
