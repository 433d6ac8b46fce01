/** The clock of the host, on every runtime. */

import type { Clock } from "../src/core/clock.ts";

/**
 * `offsetMs` moves what `now` says and not how long a sleep takes.
 *
 * @example const clock = hostClock();
 */
export function hostClock(offsetMs = 0): Clock {
  return { now: () => Date.now() + offsetMs, sleep };
}

function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, durationMs);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
