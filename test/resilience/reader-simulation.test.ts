/** Random failures in virtual time: whatever stores do, a read is right, or says that it is old, or fails. */

import { expect, test } from "vitest";
import type { FeatureError } from "../../src/core/errors.ts";
import { RecordCache } from "../../src/store/resilient/record-cache.ts";
import type { ReaderEvent } from "../../src/store/resilient/reader-event.ts";
import { resilienceDefaults } from "../../src/store/resilient/resilience-options.ts";
import { resilientReader } from "../../src/store/resilient/resilient-reader.ts";
import { ManualClock } from "../builders/manual-clock.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { ModelReader, ModelStore } from "./model-store.ts";
import type { ModelBehaviour } from "./model-store.ts";
import { playRead } from "./play-read.ts";
import type { PlayedRead } from "./play-read.ts";

const seedCount = 60;
const startMs = 1_000_000;
const readCount = 1_000;
const lagMsMax = 3_000;
const cacheAgeMsMax = 6_000;
/** Reads are of the first five; the last is never written. */
const keys = ["a", "b", "c", "d", "never"];

/** A store's moods: each lasts for a while and is then followed by another. */
function createMoods(clock: ManualClock, random: Random): () => ModelBehaviour {
  let mood = "fast";
  let untilMs = startMs;
  return () => {
    while (clock.now() >= untilMs) {
      mood = random.pick(["fast", "fast", "slow", "failing", "flaky", "hanging", "refusing"]);
      untilMs += random.integer(200, 3_000);
    }
    const latencyMs = mood === "slow" ? random.integer(20, 900) : random.integer(1, 20);
    if (mood === "hanging") return { kind: random.pick(["hangs", "ignores"]) };
    if (mood === "refusing") return { kind: "refuses", latencyMs };
    const fails = mood === "failing" || (mood === "flaky" && random.next() < 0.4);
    return { kind: fails ? "fails" : "answers", latencyMs };
  };
}

async function runSeed(seed: number) {
  const random = randomFrom(seed);
  const clock = new ManualClock(startMs);
  const store = new ModelStore();
  const primary = new ModelReader({ store, clock, behave: createMoods(clock, random) });
  const replica = new ModelReader({
    store,
    clock,
    behave: createMoods(clock, random),
    lagMs: () => random.integer(0, lagMsMax + 1),
  });
  const events: ReaderEvent[] = [];
  const cache = new RecordCache({ bytesMax: 1_000, ageMsMax: cacheAgeMsMax });
  const reader = resilientReader({
    primary,
    ...(random.next() < 0.5 && { replica: { reader: replica, stalenessMsMax: lagMsMax } }),
    ...(random.next() < 0.5 && { cache }),
    clock,
    random: random.next,
    onEvent: (event) => events.push(event),
  });
  const reads: PlayedRead[] = [];
  let lateCount = 0;
  for (let i = 0; i < readCount; i++) {
    if (random.next() < 0.2) store.write(random.pick(keys.slice(0, -1)), clock.now());
    if (random.next() < 0.05) store.delete(random.pick(keys), clock.now());
    const asked = random.shuffled(keys).slice(0, random.integer(1, keys.length + 1));
    const deadlineMs = random.pick([2_000, 2_000, 300]);
    const goneAfterMs = random.next() < 0.1 ? random.integer(0, 200) : Infinity;
    void playRead(reader, { clock, keys: asked, deadlineMs, goneAfterMs }).then((read) => {
      reads.push(read);
      if (read.endMs - read.startMs > Math.min(deadlineMs, goneAfterMs)) lateCount += 1;
    });
    await clock.advance(random.integer(0, 40));
  }
  await clock.advance(2_000);
  return { clock, store, primary, replica, events, cache, reads, lateCount };
}

type Run = Awaited<ReturnType<typeof runSeed>>;

/** Each value must be what the store held at some instant that the answer allows for. */
function isRight({ store }: Run, read: PlayedRead): boolean {
  const fromMs = read.staleness?.asOfMs ?? read.startMs;
  return (read.values ?? []).every((value, i) =>
    store.hadValue(read.keys[i] as string, value, { fromMs, untilMs: read.endMs }),
  );
}

/** Events that a breaker forbids: more than one attempt on a reader that is left alone. */
function countForbidden(events: readonly ReaderEvent[]): number {
  const allowed = { primary: Infinity, replica: Infinity, cache: 0 };
  let forbidden = 0;
  for (const { kind, source } of events) {
    if (kind === "open") allowed[source] = 0;
    else if (kind === "halfOpen") allowed[source] = 1;
    else if (kind === "close") allowed[source] = Infinity;
    else if (kind === "attempt" && allowed[source]-- < 1) forbidden += 1;
  }
  return forbidden;
}

function countOf(events: readonly ReaderEvent[], kind: ReaderEvent["kind"]): number {
  return events.filter((event) => event.kind === kind).length;
}

function checkRun(run: Run): void {
  const { clock, primary, replica, events, cache, reads, lateCount } = run;
  expect(reads).toHaveLength(readCount);
  expect(lateCount).toBe(0);
  expect(reads.filter((read) => !isRight(run, read))).toEqual([]);
  for (const { error, values, staleness, endMs, listenerCount } of reads) {
    expect(listenerCount).toBe(0);
    if (values === null) expect((error as FeatureError).code).toBe("STORE_UNAVAILABLE");
    const oldestMs = Math.max(cacheAgeMsMax, lagMsMax + resilienceDefaults.attemptMsMax);
    if (staleness !== null) expect(endMs - staleness.asOfMs).toBeLessThanOrEqual(oldestMs);
  }
  expect([clock.pendingCount, primary.aliveCount, replica.aliveCount]).toEqual([0, 0, 0]);
  expect(cache.sizeBytes).toBeLessThanOrEqual(1_000);
  expect(countForbidden(events)).toBe(0);
  const { hedgeShareMax, retryShareMax } = resilienceDefaults;
  expect(countOf(events, "hedge")).toBeLessThanOrEqual(readCount * hedgeShareMax + 1);
  expect(countOf(events, "retry")).toBeLessThanOrEqual(readCount * retryShareMax + 1);
  const callsMax = readCount * (1 + hedgeShareMax + retryShareMax) + 2;
  expect(primary.callCount).toBeLessThanOrEqual(callsMax);
  expect(replica.callCount).toBeLessThanOrEqual(callsMax);
}

test("resilientReader() is right, in time and within its budgets under random failures", async () => {
  const met = new Map<string, number>();
  for (let seed = 1; seed <= seedCount; seed++) {
    const run = await runSeed(seed);
    try {
      checkRun(run);
    } catch (cause) {
      throw new Error(`The run of seed ${seed} breaks a rule`, { cause });
    }
    const told = run.events.map(({ kind, source }) => `${kind} ${source}`);
    const failed = run.reads.filter(({ values }) => values === null).map(() => "failed");
    for (const what of [...told, ...failed]) met.set(what, (met.get(what) ?? 0) + 1);
  }
  // A simulation in which these do not happen would prove nothing.
  const expected = ["hedge", "open", "halfOpen", "close"].flatMap((kind) => [
    `${kind} primary`,
    `${kind} replica`,
  ]);
  for (const what of [...expected, "retry primary", "failover replica", "stale replica"]) {
    expect(met.get(what) ?? 0, what).toBeGreaterThan(20);
  }
  expect(met.get("stale cache")).toBeGreaterThan(20);
  expect(met.get("failed")).toBeGreaterThan(20);
}, 120_000);
