/** A request has so much time, and no more: its signals end what it waits for. */

import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { linkAbort } from "../store/resilient/linked-abort.ts";
import { sleepUntilAborted } from "../store/resilient/sleep-until-aborted.ts";

export interface DeadlineOptions {
  readonly clock: Clock;
  /** From when on the time counts, on that clock. */
  readonly startedAtMs: number;
  /** The time there is; null for `limits.requestDeadlineMs`. */
  readonly budgetMs: number | null;
  /** Aborted when the client is gone. */
  readonly followed: AbortSignal;
}

export interface RequestDeadline {
  /** The instant at which the time is over. */
  readonly atMs: number;
  /**
   * Aborted when the time for reads is over, with a DEADLINE_EXCEEDED for its reason, or the client
   * gone. Of a budget some time is kept for the rest of the answer, so that it is there when all of
   * it has passed; without one there is no answer then.
   */
  readonly signal: AbortSignal;
  /**
   * Aborted a turn of the event loop after `signal`: long enough for who stands in for a store with
   * what it already has, and the end of waiting for a store that does not look at its signal.
   */
  readonly giveUpSignal: AbortSignal;
  /** To be called in the end: stops the timer, and aborts what is still going on. */
  dispose(): void;
}

/**
 * @example
 * const deadline = startDeadline({ clock, startedAtMs, budgetMs: 200, followed: request.signal });
 * try {
 *   return await store.readMany(keys, { signal: deadline.signal });
 * } finally {
 *   deadline.dispose();
 * }
 */
export function startDeadline(options: DeadlineOptions): RequestDeadline {
  const { startedAtMs, budgetMs, followed } = options;
  const reads = linkAbort(followed);
  const waiting = linkAbort();
  const timeMs = budgetMs ?? limits.requestDeadlineMs;
  const atMs = startedAtMs + timeMs;
  const reserveMs = budgetMs === null ? 0 : Math.min(budgetMs / 10, limits.answerReserveMsMax);
  void endInTime();
  return {
    atMs,
    signal: reads.signal,
    giveUpSignal: waiting.signal,
    dispose: () => {
      reads.dispose();
      waiting.dispose();
    },
  };

  async function endInTime(): Promise<void> {
    const { clock } = options;
    const leftMs = Math.max(0, atMs - reserveMs - clock.now());
    const isOver = await sleepUntilAborted(clock, leftMs, reads.signal);
    const reason = isOver ? deadlineExceeded(timeMs) : clientGone;
    if (isOver) reads.abort(reason);
    if (await sleepUntilAborted(clock, 0, waiting.signal)) waiting.abort(reason);
  }
}

const clientGone = new FeatureError(
  "STORE_UNAVAILABLE",
  "Cannot go on: the client does not wait for the answer any more",
);

function deadlineExceeded(timeMs: number): FeatureError {
  return new FeatureError(
    "DEADLINE_EXCEEDED",
    `Cannot answer in time: the deadline of ${timeMs} ms has passed`,
    { retryable: true },
  );
}
