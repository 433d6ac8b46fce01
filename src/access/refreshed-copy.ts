/**
 * A copy of what lies elsewhere and seldom changes: read anew beside a request before it is old, and
 * before a request once it is. Where it cannot be read, the last one does for a time.
 */

import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { untilAborted } from "../store/resilient/until-aborted.ts";
import { withDeadline } from "../store/resilient/with-deadline.ts";

export interface Copy<T> {
  readonly value: T;
  /** When it was what lies elsewhere. */
  readonly asOfMs: number;
}

export interface RefreshedCopyParts<T> {
  /** What it is a copy of, as in `Cannot read the key book`. */
  readonly name: string;
  readonly read: () => Promise<Copy<T>>;
  readonly clock: Clock;
  /** From this age on it is read anew beside a request. */
  readonly refreshMs: number;
  /** A request that finds it older than this waits for a newer one. */
  readonly freshMs: number;
  /** Keeps the host from ending what goes on beside a request. */
  readonly background: (work: Promise<void>) => void;
}

interface Reading {
  readonly startedAtMs: number;
  readonly done: Promise<void>;
}

export class RefreshedCopy<T> {
  readonly #parts: RefreshedCopyParts<T>;
  #copy: Copy<T> | null = null;
  #readAtMs = -Infinity;
  #failedAtMs = -Infinity;
  #failure: unknown = null;
  #reading: Reading | null = null;

  constructor(parts: RefreshedCopyParts<T>) {
    this.#parts = parts;
  }

  /** How long ago it was read last; Infinity before. */
  get ageMs(): number {
    return Math.abs(this.#parts.clock.now() - this.#readAtMs);
  }

  /** @throws FeatureError STORE_UNAVAILABLE where there is none that will do. */
  async get(): Promise<T> {
    const { refreshMs, freshMs, background } = this.#parts;
    const { ageMs } = this;
    if (ageMs > freshMs) await this.refresh();
    else if (ageMs > refreshMs && !this.#isResting()) background(this.#read());
    return this.#usable();
  }

  /** Resolves when it has been read anew, or cannot be: then the last one stays. */
  async refresh(): Promise<void> {
    if (this.#isResting()) return;
    const { clock } = this.#parts;
    const deadline = withDeadline(clock, limits.copyReadMsMax);
    try {
      await untilAborted(this.#read(), deadline.signal);
    } catch (error) {
      this.#fail(error);
    } finally {
      deadline.dispose();
    }
  }

  #usable(): T {
    const copy = this.#copy;
    const nowMs = this.#parts.clock.now();
    if (copy !== null && nowMs - copy.asOfMs <= limits.copyStaleMsMax) return copy.value;
    throw new FeatureError(
      "STORE_UNAVAILABLE",
      `Cannot read the ${this.#parts.name}: it is away, and the last copy is too old`,
      { cause: this.#failure, retryable: true },
    );
  }

  #isResting(): boolean {
    return Math.abs(this.#parts.clock.now() - this.#failedAtMs) < limits.copyPauseMs;
  }

  /** One at a time; one that never ends, as when its request was dropped, is given up. Never rejects. */
  #read(): Promise<void> {
    const startedAtMs = this.#parts.clock.now();
    const under = this.#reading;
    if (under !== null && Math.abs(startedAtMs - under.startedAtMs) < limits.copyReadMsMax) {
      return under.done;
    }
    const reading = { startedAtMs, done: this.#take(startedAtMs) };
    this.#reading = reading;
    const end = () => {
      if (this.#reading === reading) this.#reading = null;
    };
    void reading.done.then(end, end);
    return reading.done;
  }

  async #take(startedAtMs: number): Promise<void> {
    try {
      const copy = await this.#parts.read();
      // One that was given up may come after a newer one.
      if (startedAtMs < this.#readAtMs) return;
      this.#copy = copy;
      this.#readAtMs = startedAtMs;
      this.#failedAtMs = -Infinity;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#failure = error;
    this.#failedAtMs = this.#parts.clock.now();
  }
}
