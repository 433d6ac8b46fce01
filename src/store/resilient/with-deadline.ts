/** Deadlines: as abort signals they reach everything that a request waits for. */

import type { Clock } from "../../core/clock.ts";
import { FeatureError } from "../../core/errors.ts";
import { linkAbort } from "./linked-abort.ts";
import { sleepUntilAborted } from "./sleep-until-aborted.ts";

export interface Deadline {
  readonly signal: AbortSignal;
  /** To be called in the end: stops the timer, and aborts what is still going on. */
  dispose(): void;
}

/**
 * Aborted when `followed` is, or after `deadlineMs` with a STORE_UNAVAILABLE as the reason.
 *
 * @example
 * const deadline = withDeadline(clock, 2_000, request.signal);
 * try {
 *   return await store.readMany(keys, { signal: deadline.signal });
 * } finally {
 *   deadline.dispose();
 * }
 */
export function withDeadline(clock: Clock, deadlineMs: number, followed?: AbortSignal): Deadline {
  const { signal, abort, dispose } = linkAbort(followed);
  void sleepUntilAborted(clock, deadlineMs, signal).then((hasPassed) => {
    if (hasPassed) abort(deadlineError(deadlineMs));
  });
  return { signal, dispose };
}

function deadlineError(deadlineMs: number): FeatureError {
  return new FeatureError(
    "STORE_UNAVAILABLE",
    `Cannot answer in time: the deadline of ${deadlineMs} ms has passed`,
    { retryable: true },
  );
}
