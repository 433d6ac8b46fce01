/** Clocks that are wrong: each by its own constant, those of ingest and compaction by hours at times. */

import { limits } from "../../src/core/limits.ts";
import type { Random } from "../builders/random.ts";
import { hourMs } from "./id-views.ts";
import type { Scheduler } from "./scheduler.ts";

interface Jump {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly byMs: number;
}

export class Clocks {
  readonly #scheduler: Scheduler;
  readonly #offsetsMs = new Map<string, number>();
  readonly #jumps = new Map<string, readonly Jump[]>();
  readonly #random: Random;
  readonly #jumpsOf: (name: string) => readonly Jump[];

  constructor(parts: {
    readonly scheduler: Scheduler;
    readonly random: Random;
    readonly isJumpy: boolean;
    readonly endMs: number;
  }) {
    const { scheduler, random, isJumpy, endMs } = parts;
    const startMs = scheduler.nowMs;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#jumpsOf = (name) => {
      if (!isJumpy || name.startsWith("reader")) return [];
      return Array.from({ length: random.integer(0, 4) }, () => {
        const fromMs = random.integer(startMs, endMs);
        const untilMs = Math.min(fromMs + random.integer(60_000, 3 * hourMs), endMs);
        return { fromMs, untilMs, byMs: random.integer(-5 * hourMs, 5 * hourMs) };
      });
    };
  }

  now(name: string): number {
    const { nowMs } = this.#scheduler;
    const jump = this.#jumpsFor(name).find((each) => each.fromMs <= nowMs && nowMs < each.untilMs);
    return nowMs + this.offsetMs(name) + (jump?.byMs ?? 0);
  }

  /** By how much a clock is wrong when it does not jump: no two are further apart than is allowed. */
  offsetMs(name: string): number {
    const known = this.#offsetsMs.get(name);
    if (known !== undefined) return known;
    const halfMs = limits.clockErrorMsMax / 2;
    const offsetMs = this.#random.pick([0, halfMs, -halfMs, this.#random.integer(-halfMs, halfMs)]);
    this.#offsetsMs.set(name, offsetMs);
    return offsetMs;
  }

  #jumpsFor(name: string): readonly Jump[] {
    const known = this.#jumps.get(name);
    if (known !== undefined) return known;
    const jumps = this.#jumpsOf(name);
    this.#jumps.set(name, jumps);
    return jumps;
  }
}
