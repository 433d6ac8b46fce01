/** A request has so much time, and no more: its signal ends what it waits for. */

import type { MiddlewareHandler } from "hono";
import type { Clock } from "../core/clock.ts";
import { limits } from "../core/limits.ts";
import { withDeadline } from "../store/resilient/with-deadline.ts";
import type { HttpEnv } from "./request-clock.ts";

export interface DeadlineOptions {
  readonly clock: Clock;
  /** `limits.requestDeadlineMs` if left out. */
  readonly deadlineMs?: number;
}

/** For routes that answer whole: what still goes on when the route has answered is aborted. */
export function requestDeadline({
  clock,
  deadlineMs = limits.requestDeadlineMs,
}: DeadlineOptions): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const deadline = withDeadline(clock, deadlineMs, c.req.raw.signal);
    try {
      c.set("signal", deadline.signal);
      await next();
    } finally {
      deadline.dispose();
    }
  };
}
