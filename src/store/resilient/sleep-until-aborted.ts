/** A sleep that ends early without an error. */

import type { Clock } from "../../core/clock.ts";

/** Answers whether the time passed, false where the signal was aborted before. */
export function sleepUntilAborted(
  clock: Clock,
  durationMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  return clock.sleep(durationMs, signal).then(
    () => true,
    (error: unknown) => {
      if (signal.aborted) return false;
      throw error;
    },
  );
}
