/** What every answer says: who may keep it, that it is what it says it is, and which request it was. */

import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "./request-clock.ts";

export const requestIdHeader = "x-request-id";

const requestIdPattern = /^[\w-]{1,64}$/;
const idDigits = 16;

/** A request's own id is kept where it is plain; else it gets one. */
export function responseHeaders(random: () => number): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header(requestIdHeader) ?? "";
    const requestId = requestIdPattern.test(given) ? given : newId(random);
    c.set("requestId", requestId);
    await next();
    const { headers } = c.res;
    headers.set("cache-control", "no-store, private");
    headers.append("vary", "authorization");
    headers.set("x-content-type-options", "nosniff");
    headers.set(requestIdHeader, requestId);
  };
}

function newId(random: () => number): string {
  let id = "";
  while (id.length < idDigits)
    id += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return id;
}
