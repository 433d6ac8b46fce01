/** A request has so much time, and no more: its signal ends what it waits for. */

import type { MiddlewareHandler } from "hono";
import type { Clock } from "../core/clock.ts";
import { withDeadline } from "../store/resilient/with-deadline.ts";

/** What the middleware leaves for the routes, to be passed to whatever they wait for. */
export interface DeadlineEnv {
  Variables: {
    /** Aborted when the client is gone or the deadline has passed. */
    signal: AbortSignal;
  };
}

export interface DeadlineOptions {
  readonly clock: Clock;
  /** 2,000 if left out. */
  readonly deadlineMs?: number;
}

/** For routes that answer whole: what still goes on when the route has answered is aborted. */
export function requestDeadline({
  clock,
  deadlineMs = 2_000,
}: DeadlineOptions): MiddlewareHandler<DeadlineEnv> {
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
