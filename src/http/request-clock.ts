/** One `now` a request: the clock's, or in tests the caller's. */

import type { MiddlewareHandler } from "hono";
import { FeatureError } from "../core/errors.ts";
import { instantMsMax } from "../core/instant.ts";
import type { Principal } from "../access/principal.ts";
import type { ObservedRequest } from "../observe/observed-request.ts";
import type { Workspace } from "./workspace.ts";

/** What the middleware leaves for the routes. */
export interface HttpEnv {
  Variables: {
    /** What is told of it once it is answered. */
    observed: ObservedRequest;
    /** The request's one instant. */
    nowMs: number;
    /** When it came, on the clock alone: for measuring. */
    startedAtMs: number;
    principal: Principal;
    /** Names it in the answer and in what is reported of it. */
    requestId: string;
    /** Counts a request that is so many requests in one: the others of them. */
    chargeMore: (count: number) => void;
    /** Of requests to admin and region routes. */
    workspace: Workspace;
  };
}

export interface ClockParts {
  readonly clock: { now(): number };
  readonly testClock: boolean;
}

const header = "x-tilemark-now";
const pattern = /^-?\d{1,16}$/;

/** Reads the clock once. @throws FeatureError for a header that is not honoured or not an instant. */
export function requestClock({ clock, testClock }: ClockParts): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const startedAtMs = clock.now();
    const text = c.req.header(header);
    c.set("startedAtMs", startedAtMs);
    c.set("nowMs", text === undefined ? startedAtMs : readNow(text, testClock));
    await next();
  };
}

function readNow(text: string, testClock: boolean): number {
  if (!testClock) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot use header "${header}": this server has no test clock, leave the header out`,
    );
  }
  const nowMs = pattern.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(nowMs) <= instantMsMax)) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot read header "${header}": it is not an instant, expected an integer of milliseconds since 1970`,
    );
  }
  return nowMs + 0; // -0 becomes 0.
}
