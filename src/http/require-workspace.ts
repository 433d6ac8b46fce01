/** The workspace that an admin or region request is for, and whether its principal may ask. */

import type { MiddlewareHandler } from "hono";
import type { Scope } from "../access/principal.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireGrant } from "./require-grant.ts";
import { chooseWorkspace, homeOf, workspaceHeader } from "./workspace.ts";
import type { WorkspacesParts } from "./workspace.ts";

/** Admin routes are a home's alone. @throws FeatureError NOT_FOUND, FORBIDDEN. */
export function requireWorkspace(parts: WorkspacesParts, scope: Scope): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const workspace = chooseWorkspace(parts, c.req.header(workspaceHeader));
    requireGrant(c, { scope, workspace: workspace.name, service: null });
    if (scope === "admin") homeOf(workspace);
    c.set("workspace", workspace);
    await next();
  };
}
