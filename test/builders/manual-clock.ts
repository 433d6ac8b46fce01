/** A clock that stands still until a test moves it: nothing depends on how fast the machine is. */

import type { Clock } from "../../src/core/clock.ts";

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export class ManualClock implements Clock {
  /** In the order in which they went to sleep. */
  readonly #sleepers = new Set<Sleeper>();
  #nowMs: number;

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  /** Sleeps that have neither ended nor been aborted. */
  get pendingCount(): number {
    return this.#sleepers.size;
  }

  now(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason as Error);
      };
      const wake = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { atMs: this.#nowMs + durationMs, wake };
      if (signal?.aborted === true) {
        stop();
        return;
      }
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** Wakes one sleeper after the other; what each leads to has happened before the next one wakes. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await allMicrotasks();
    for (let next = this.#next(untilMs); next !== null; next = this.#next(untilMs)) {
      this.#sleepers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      await allMicrotasks();
    }
    this.#nowMs = untilMs;
  }

  #next(untilMs: number): Sleeper | null {
    let next: Sleeper | null = null;
    for (const sleeper of this.#sleepers) {
      if (sleeper.atMs <= untilMs && (next === null || sleeper.atMs < next.atMs)) next = sleeper;
    }
    return next;
  }
}

function allMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
