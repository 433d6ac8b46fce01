/** Loopback access: only names of this machine are answered, so that a page elsewhere cannot ask. */

import type { MiddlewareHandler } from "hono";
import { FeatureError } from "../core/errors.ts";
import { localPrincipal } from "../access/principal.ts";
import type { HttpEnv } from "./request-clock.ts";

const hostPattern = /^[a-z0-9.:[\]-]{1,255}$/i;
const loopbackPattern = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/**
 * Refuses requests for other hosts, which a rebound DNS name would bring, and requests that a
 * browser sends on behalf of a page from another host.
 */
export const requireLoopback: MiddlewareHandler = async (c, next) => {
  const host = c.req.header("host") ?? new URL(c.req.url).host;
  if (!isLoopbackUrl(`http://${host}`) || !isLoopbackUrl(new URL(c.req.url).origin)) {
    throw new FeatureError(
      "FORBIDDEN",
      `Cannot answer for host "${host.slice(0, 255)}": only this machine has access, expected localhost, 127.0.0.0/8 or [::1]`,
    );
  }
  const origin = c.req.header("origin");
  if (origin !== undefined && !isLoopbackUrl(origin)) {
    throw new FeatureError(
      "FORBIDDEN",
      `Cannot answer a page of "${origin.slice(0, 255)}": only this machine has access, expected a page of localhost, 127.0.0.0/8 or [::1]`,
    );
  }
  await next();
};

/** Whoever comes this far may do everything. */
export const giveLocalAccess: MiddlewareHandler<HttpEnv> = async (c, next) => {
  c.set("principal", localPrincipal);
  await next();
};

/** Of a scheme and a host alone: user names, paths and the like have no place there. */
function isLoopbackUrl(text: string): boolean {
  const host = /^https?:\/\/(.*)$/.exec(text)?.[1];
  if (host === undefined || !hostPattern.test(host) || !URL.canParse(text)) return false;
  return loopbackPattern.test(new URL(text).hostname);
}
