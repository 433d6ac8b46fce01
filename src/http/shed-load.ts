/** Refuses requests past a number that are being answered, so that those have a chance to be. */

import type { MiddlewareHandler } from "hono";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { HttpEnv } from "./request-clock.ts";

export interface SheddingOptions {
  /** `limits.requestsInFlightMax` if left out. */
  readonly requestsInFlightMax?: number;
  /** In [0, 1): spreads when those that were refused come back. */
  readonly random: () => number;
}

/**
 * Goes after `requestClock`, on the routes that are worth refusing: a health check is not.
 * @throws FeatureError for a request too many, with `retry-after` set.
 */
export function shedLoad(options: SheddingOptions): MiddlewareHandler<HttpEnv> {
  const { requestsInFlightMax = limits.requestsInFlightMax } = options;
  /** In the order in which they came. */
  const inFlight = new Set<{ readonly startedAtMs: number }>();
  return async (c, next) => {
    const request = { startedAtMs: c.var.startedAtMs };
    for (const oldest of inFlight) {
      // A host that drops a request never tells of its end: its place is free again after a time.
      if (request.startedAtMs - oldest.startedAtMs <= limits.requestMsMax) break;
      inFlight.delete(oldest);
    }
    if (inFlight.size >= requestsInFlightMax) {
      const seconds = 1 + Math.floor(options.random() * limits.retryAfterSecondsMax);
      c.header("retry-after", String(seconds));
      throw new FeatureError(
        "OVERLOADED",
        `Cannot take the request: ${inFlight.size} are being answered, at most ${requestsInFlightMax} are at a time`,
        { retryable: true },
      );
    }
    inFlight.add(request);
    try {
      await next();
    } finally {
      inFlight.delete(request);
    }
  };
}
