/** What a resilient reader does to a store under load, in numbers: calls, tails, deadlines, recovery. */

import { expect, test } from "vitest";
import type { RecordReader, StoreReadOptions } from "../../src/store/online-store.ts";
import type { ReaderEvent } from "../../src/store/resilient/reader-event.ts";
import type { ResilienceOptions } from "../../src/store/resilient/resilience-options.ts";
import { resilientReader } from "../../src/store/resilient/resilient-reader.ts";
import { ManualClock } from "../builders/manual-clock.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { ModelReader, ModelStore } from "./model-store.ts";
import type { ModelBehaviour } from "./model-store.ts";
import { goodShare, playLoad } from "./steady-load.ts";

const seed = 7;
const deadlineMs = 2_000;

function createCase(
  behave: (random: Random) => ModelBehaviour,
  options: Partial<ResilienceOptions> = {},
) {
  const clock = new ManualClock();
  const random = randomFrom(seed);
  const primary = new ModelReader({ store: new ModelStore(), clock, behave: () => behave(random) });
  const counts = { hedge: 0, retry: 0 };
  const onEvent = ({ kind }: ReaderEvent) => {
    if (kind === "hedge" || kind === "retry") counts[kind] += 1;
  };
  const reader = resilientReader({ primary, clock, random: random.next, onEvent }, options);
  return { clock, primary, reader, counts };
}

const withoutBreaker = { failuresInRowMax: Infinity };

const outages: readonly [string, ModelBehaviour["kind"], Partial<ResilienceOptions>][] = [
  ["fails", "fails", {}],
  ["fails, without a breaker", "fails", withoutBreaker],
  ["hangs", "hangs", {}],
  ["hangs, without a breaker", "hangs", withoutBreaker],
];

test.each(outages)(
  "resilientReader() calls a store that always %s 1.1 times a read at most, and hedges 1 in 20",
  async (_, kind, options) => {
    const { clock, primary, reader, counts } = createCase(() => ({ kind, latencyMs: 5 }), options);
    const reads = await playLoad(reader, {
      clock,
      readsPerSecond: 100,
      durationMs: 20_000,
      deadlineMs,
    });
    expect(reads).toHaveLength(2_000);
    expect(reads.every(({ values }) => values === null)).toBe(true);
    expect(counts.hedge).toBeLessThanOrEqual(0.05 * 2_000 + 1);
    expect(primary.callCount - counts.hedge).toBeLessThanOrEqual(1.1 * 2_000 + 1);
    // The breaker saves nearly all calls; without it the budgets alone are what holds.
    if (options === withoutBreaker) expect(primary.callCount).toBeGreaterThanOrEqual(2_000);
    else expect(primary.callCount).toBeLessThan(0.1 * 2_000);
  },
);

test("resilientReader() calls a store that fails every other call 1.1 times a read at most", async () => {
  const { clock, primary, reader } = createCase((random) => {
    return { kind: random.next() < 0.5 ? "fails" : "answers", latencyMs: 5 };
  });
  await playLoad(reader, { clock, readsPerSecond: 100, durationMs: 20_000, deadlineMs });
  expect(primary.callCount).toBeLessThanOrEqual(1.1 * 2_000 + 1);
});

test("resilientReader() hides 1 % of slow calls from 99.9 % of reads for 5 % more calls", async () => {
  const behave = (random: Random): ModelBehaviour => {
    const latencyMs = random.next() < 0.01 ? 500 : random.integer(2, 11);
    return { kind: "answers", latencyMs };
  };
  const tailMs = async (options: Partial<ResilienceOptions>) => {
    const { clock, primary, reader } = createCase(behave, options);
    const reads = await playLoad(reader, {
      clock,
      readsPerSecond: 200,
      durationMs: 50_000,
      deadlineMs,
    });
    const sorted = reads.map(({ startMs, endMs }) => endMs - startMs).sort((a, b) => a - b);
    return {
      ms: sorted[Math.floor(0.999 * reads.length)],
      calls: primary.callCount / reads.length,
    };
  };
  const hedged = await tailMs({});
  expect(hedged.ms).toBeLessThanOrEqual(80);
  expect(hedged.calls).toBeLessThanOrEqual(1.05);
  expect((await tailMs({ hedgeShareMax: 0 })).ms).toBeGreaterThanOrEqual(500);
});

test("resilientReader() ends every read of a hanging store by its deadline, and every call", async () => {
  const { clock, primary, reader } = createCase(() => ({ kind: "hangs" }), {
    ...withoutBreaker,
    attemptMsMax: 5_000,
  });
  const late: number[] = [];
  const load = playLoad(reader, { clock, readsPerSecond: 50, durationMs: 5_000, deadlineMs: 300 });
  for (const { startMs, endMs } of await load) if (endMs - startMs !== 300) late.push(startMs);
  expect(late).toEqual([]);
  expect([primary.aliveCount, clock.pendingCount]).toEqual([0, 0]);
});

/**
 * Serves one call after the other, also those that nobody waits for any more, and none while it is
 * dark: the calls of that time are waiting for it afterwards.
 */
class QueuingReader implements RecordReader {
  readonly capabilities = { keysPerTripMax: 100 };
  readonly #clock: ManualClock;
  readonly #serviceMs: number;
  readonly #dark: { readonly fromMs: number; readonly untilMs: number };
  #freeMs = 0;

  constructor(
    clock: ManualClock,
    serviceMs: number,
    dark: { readonly fromMs: number; readonly untilMs: number },
  ) {
    this.#clock = clock;
    this.#serviceMs = serviceMs;
    this.#dark = dark;
  }

  async readMany(keys: readonly string[], { signal }: StoreReadOptions = {}) {
    const startMs = Math.max(this.#freeMs, this.#clock.now());
    const { fromMs, untilMs } = this.#dark;
    const isDark = fromMs <= startMs && startMs < untilMs;
    this.#freeMs = (isDark ? untilMs : startMs) + this.#serviceMs;
    await this.#clock.sleep(this.#freeMs - this.#clock.now(), signal);
    return keys.map(() => null);
  }
}

const blackout = { fromMs: 10_000, untilMs: 70_000 };

async function playBlackout(options: Partial<ResilienceOptions>) {
  const clock = new ManualClock();
  // 250 calls a second at most, of which the load takes 200.
  const primary = new QueuingReader(clock, 4, blackout);
  const reader = resilientReader({ primary, clock, random: randomFrom(seed).next }, options);
  const reads = await playLoad(reader, {
    clock,
    readsPerSecond: 200,
    durationMs: 90_000,
    deadlineMs,
  });
  return {
    before: goodShare(reads, 0, blackout.fromMs),
    during: goodShare(reads, blackout.fromMs + deadlineMs, blackout.untilMs - deadlineMs),
    after: goodShare(reads, blackout.untilMs + 10_000, 90_000),
    soonAfter: goodShare(reads, blackout.untilMs + 1_000, blackout.untilMs + 10_000),
  };
}

test("resilientReader() lets a store recover from a minute of darkness at full load", async () => {
  const { before, during, soonAfter, after } = await playBlackout({});
  expect([before, during]).toEqual([1, 0]);
  expect(soonAfter).toBeGreaterThanOrEqual(0.95);
  expect(after).toBeGreaterThanOrEqual(0.95);
});

test("a reader that asks again without budgets and breakers keeps that store down", async () => {
  const { before, after } = await playBlackout({
    ...withoutBreaker,
    hedgeShareMax: 1,
    retryShareMax: 1,
  });
  expect(before).toBe(1);
  expect(after).toBeLessThan(0.05);
});
