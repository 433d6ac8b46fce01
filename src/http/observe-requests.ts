/** Watches over every request, and tells of it once it is answered. */

import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Principal } from "../access/principal.ts";
import { otherLabel } from "../observe/metric-family.ts";
import type { Observation } from "../observe/observation.ts";
import type { HttpEnv } from "./request-clock.ts";

/** Goes before everything else: what is refused is a request too. */
export function observeRequests(observation: Observation): MiddlewareHandler<HttpEnv> {
  const names = new Map<string, string>();
  const nameOf = (path: string) => {
    const known = names.get(path);
    if (known !== undefined) return known;
    const name = nameRoute(path);
    names.set(path, name);
    return name;
  };
  return async (c, next) => {
    const { req } = c;
    const observed = observation.begin({
      method: knownMethods.has(req.method) ? req.method : "OTHER",
      traceparent: req.header("traceparent") ?? null,
      tracestate: req.header("tracestate") ?? null,
    });
    c.set("observed", observed);
    await next();
    const serverTiming = observed.endAnswer();
    if (serverTiming !== null) c.res.headers.set("server-timing", serverTiming);
    // What a route throws has become an answer by then.
    observed.end({
      route: nameOf(matchedRoutes(c).findLast(isOfOneMethod)?.path ?? otherLabel),
      status: c.res.status,
      // Not `c.var`, which makes an object of all variables each time.
      principalId: (c.get("principal") as Principal | undefined)?.id ?? null,
      requestId: (c.get("requestId") as string | undefined) ?? null,
    });
  };
}

const knownMethods: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
]);

/** What its parameters are made of is left out. */
function nameRoute(path: string): string {
  return path.replaceAll(/\{[^}]*\}/g, "");
}

/** Middleware is for any. */
function isOfOneMethod({ method }: { readonly method: string }): boolean {
  return method !== "ALL";
}
