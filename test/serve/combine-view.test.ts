import { expect, test } from "vitest";
import { EntityFold } from "../../src/compact/fold-entity.ts";
import { coverOf, readsOf } from "../../src/compact/fold-view.ts";
import type { ViewDefinition, Window } from "../../src/define/definition.ts";
import { applyEvents } from "../../src/ingest/apply-events.ts";
import { collectEpochs } from "../../src/ingest/collect-epochs.ts";
import { combineView } from "../../src/serve/combine-view.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { planView } from "../../src/serve/view-plan.ts";
import type { Epoch } from "../../src/store/event-log.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { readBatchRecord, writeBatchRecord } from "../../src/tile/batch-record.ts";
import type { BatchRecord } from "../../src/tile/batch-record.ts";
import { streamKey } from "../../src/tile/keys.ts";
import { viewStreamRecord } from "../../src/tile/stream-record.ts";
import type { StreamRecordView } from "../../src/tile/stream-record.ts";
import { windowBounds } from "../../src/window/bounds.ts";
import { idView } from "../builders/id-view.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

interface TestEvent {
  readonly id: string;
  readonly timestampMs: number;
  readonly epoch: number;
}

/** One entity's records over virtual time, with everything that was ever written. */
class Timeline {
  readonly view: ViewDefinition;
  readonly events: TestEvent[] = [];
  readonly copies: Uint8Array[] = [];
  readonly #random: Random;
  readonly #store = new MemoryStore();
  readonly #epochs: Epoch[];
  #seq = 0;
  nowMs: number;

  constructor(view: ViewDefinition, random: Random, nowMs: number) {
    this.view = view;
    this.#random = random;
    this.nowMs = nowMs;
    this.#epochs = [{ epoch: 0, startedAtMs: nowMs, cutOf: null }];
  }

  get epoch(): number {
    return this.#epochs.length - 1;
  }

  async ingest(timestampsMs: readonly number[]): Promise<void> {
    const events = timestampsMs.map((timestampMs) => {
      this.#seq += 1;
      const event = { id: `e${this.#seq}`, timestampMs, epoch: this.epoch };
      this.events.push(event);
      return {
        seq: this.#seq,
        epoch: event.epoch,
        event: { timestampMs, tie: "", values: [event.id] },
      };
    });
    const record = { view: this.view, entity: "u", events };
    const context = {
      shard: "main-0",
      epochs: this.#epochs,
      viewFloors: new Map(),
      nowMs: this.nowMs,
    };
    await applyEvents(this.#store, [record], context);
    // A repeat, and an older part of it, change nothing.
    if (this.#random.next() < 0.2) await applyEvents(this.#store, [record], context);
  }

  compact(): void {
    const cut = this.epoch;
    this.#epochs.push({ epoch: cut + 1, startedAtMs: this.nowMs, cutOf: null });
    const run = { cut, sealedAtMs: this.nowMs, watermarkMs: this.nowMs };
    const fold = new EntityFold(this.view, coverOf(this.view, run));
    for (const { id, timestampMs } of [...this.events].sort(
      (a, b) => a.timestampMs - b.timestampMs,
    )) {
      if (this.view.kind === "streamView" || timestampMs < run.watermarkMs) {
        fold.add(timestampMs, id, [id]);
      }
    }
    const partial = fold.finish(readsOf(this.view, run).earliestMs);
    this.copies.push(writeBatchRecord({ ...run, eventCount: fold.eventCount }, partial, this.view));
  }

  collect(cut: number): Promise<void> {
    return collectEpochs(this.#store, this.view, { entities: ["u"], cut, watermarkMs: 0 });
  }

  async stream(): Promise<StreamRecordView | null> {
    const [value] = await this.#store.readMany([streamKey(this.view, "u")]);
    return value === null || value === undefined ? null : viewStreamRecord(value.bytes, this.view);
  }

  batch(copy: number): BatchRecord | null {
    const bytes = this.copies[copy];
    return bytes === undefined ? null : readBatchRecord(bytes, this.view);
  }

  /** The latest instant for which records of these copies promise to be exact. */
  exactUntilMs(batch: BatchRecord | null): number {
    const startMs = batch?.header.sealedAtMs ?? (this.#epochs[0] as Epoch).startedAtMs;
    return startMs + this.view.horizonMs;
  }

  bruteForce(startMs: number, endMs: number): string[] {
    return this.events
      .filter(({ timestampMs }) => timestampMs >= startMs && timestampMs < endMs)
      .map(({ id }) => id)
      .sort();
  }
}

function randomView(random: Random): ViewDefinition {
  const intervalMs = random.pick([minuteMs, 5 * minuteMs, hourMs]);
  const windows: Window[] = Array.from({ length: random.integer(1, 6) }, () => ({
    sizeMs: random.next() < 0.15 ? null : intervalMs * random.integer(1, 80),
    offsetMs: random.next() < 0.7 ? 0 : -intervalMs * random.integer(1, 30),
  }));
  return idView({
    windowing: random.pick(["sliding", "sawtooth", "continuous"]),
    intervalMs,
    windows,
    horizonMs: random.integer(hourMs, 20 * hourMs),
    featureStartTimeMs: random.pick([null, 40 * hourMs + 17]),
  });
}

function randomTimestamps(random: Random, nowMs: number): number[] {
  return Array.from({ length: random.integer(1, 12) }, () => {
    const kind = random.next();
    if (kind < 0.5) return nowMs - random.integer(0, 10 * minuteMs);
    if (kind < 0.9) return nowMs - random.integer(0, 90 * hourMs);
    return nowMs + random.integer(0, 5 * hourMs);
  });
}

/** Checks a query against brute force; true where the answer was degraded. */
async function checkQuery(timeline: Timeline, copy: number): Promise<boolean> {
  const { view, nowMs } = timeline;
  const batch = timeline.batch(copy);
  const stream = await timeline.stream();
  const answers = combineView(planView(view), { batch, stream }, nowMs).features;
  const cut = batch?.header.cut ?? -1;
  if (batch === null && stream === null) return false;
  let degraded = false;
  view.features.forEach(({ window }, i) => {
    const answer = answers[i] as FeatureAnswer;
    if (stream !== null && stream.collectedEpoch > cut) {
      expect(answer.fault?.code).toBe("GAP");
      return;
    }
    const asked = windowBounds(view, window, nowMs);
    const bounds = answer.degraded ?? asked;
    if (nowMs <= timeline.exactUntilMs(batch)) expect(answer.degraded).toBeNull();
    if (answer.degraded !== null) {
      degraded = true;
      expect(bounds.startMs).toBeLessThanOrEqual(asked.startMs);
    }
    expect(answer.fault).toBeNull();
    // Rounding is by about as much as the copy is late, whatever other epochs there are.
    const lateMs = Math.max(view.horizonMs, nowMs - timeline.exactUntilMs(batch));
    const roundedMs = window.sizeMs === null ? 0 : asked.startMs - bounds.startMs;
    if (answer.degraded !== null) expect(roundedMs).toBeLessThan(4 * lateMs + 8 * hourMs);
    expect(answer.value).toEqual(timeline.bruteForce(bounds.startMs, bounds.endMs));
  });
  return degraded;
}

async function runTimeline(seed: number): Promise<number> {
  const random = randomFrom(seed);
  const timeline = new Timeline(randomView(random), random, 100 * hourMs + random.integer(0, 1e7));
  let degradedCount = 0;
  for (let step = 0; step < 25; step++) {
    const kind = random.next();
    timeline.nowMs += random.integer(0, kind < 0.1 ? 12 * hourMs : hourMs);
    if (kind < 0.45) await timeline.ingest(randomTimestamps(random, timeline.nowMs));
    else if (kind < 0.55) timeline.compact();
    else if (kind < 0.62 && timeline.copies.length > 0) {
      await timeline.collect(random.integer(0, timeline.copies.length));
    } else {
      const newest = timeline.copies.length - 1;
      const copy = random.next() < 0.8 ? newest : random.integer(-1, newest + 1);
      if (await checkQuery(timeline, copy)) degradedCount += 1;
    }
  }
  return degradedCount;
}

test("combineView() equals brute force for any copies, exactly within the horizon, and over the bounds it reports past it", async () => {
  let degradedCount = 0;
  for (let seed = 1; seed <= 600; seed++) {
    try {
      degradedCount += await runTimeline(seed);
    } catch (cause) {
      throw new Error(`Timeline fails for seed ${seed}`, { cause });
    }
  }
  expect(degradedCount).toBeGreaterThan(20);
});

test("combineView() gives a window the same value whatever other windows there are", async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = randomFrom(seed);
    const startMs = 100 * hourMs + random.integer(0, 1e7);
    const view = randomView(random);
    const alone = { ...view, features: view.features.slice(0, 1) };
    const timelines = [view, alone].map(
      (each) => new Timeline(idViewOf(each), randomFrom(seed), startMs),
    );
    const lateMs = random.integer(0, view.horizonMs);
    const timestamps = randomTimestamps(random, startMs).concat(randomTimestamps(random, startMs));
    const answers = [];
    for (const timeline of timelines) {
      await timeline.ingest(timestamps);
      timeline.compact();
      timeline.nowMs += lateMs;
      await timeline.ingest(timestamps.map((each) => each + lateMs));
      const records = { batch: timeline.batch(0), stream: await timeline.stream() };
      answers.push(combineView(planView(timeline.view), records, timeline.nowMs).features[0]);
    }
    expect(answers[0], `seed ${seed}`).toEqual(answers[1]);
  }
});

test("combineView() of a batch view knows nothing past its watermark", async () => {
  const view = idView({
    kind: "batchView",
    windowing: "sliding",
    intervalMs: hourMs,
    windows: [{ sizeMs: 3 * hourMs, offsetMs: 0 }],
    horizonMs: hourMs,
  });
  const timeline = new Timeline(view, randomFrom(1), 10 * hourMs + 1);
  await timeline.ingest([6 * hourMs, 7 * hourMs, 10 * hourMs - 1, 10 * hourMs]);
  expect(
    combineView(planView(view), { batch: null, stream: null }, timeline.nowMs).features[0],
  ).toMatchObject({
    status: "MISSING_DATA",
    value: [],
  });
  timeline.compact();
  timeline.nowMs += 50 * hourMs;
  const [answer] = combineView(
    planView(view),
    { batch: timeline.batch(0), stream: null },
    timeline.nowMs,
  ).features;
  expect(answer).toMatchObject({
    value: ["e2", "e3"],
    effectiveTimeMs: 10 * hourMs,
    degraded: null,
  });
});

test("combineView() of an older batch copy than the stream was collected for is a gap", async () => {
  const view = idView({
    windowing: "sliding",
    intervalMs: hourMs,
    windows: [{ sizeMs: null, offsetMs: 0 }],
    horizonMs: 24 * hourMs,
  });
  const timeline = new Timeline(view, randomFrom(1), 100 * hourMs);
  await timeline.ingest([90 * hourMs]);
  timeline.compact();
  await timeline.collect(0);
  const stream = await timeline.stream();
  const stale = combineView(planView(view), { batch: null, stream }, timeline.nowMs).features[0];
  expect(stale).toMatchObject({ value: null, status: "UNKNOWN", fault: { code: "GAP" } });
  const fresh = combineView(planView(view), { batch: timeline.batch(0), stream }, timeline.nowMs)
    .features[0];
  expect(fresh).toMatchObject({ value: ["e1"], status: "PRESENT" });
});

/** The same view as an object of its own, so that plans are not shared. */
function idViewOf(view: ViewDefinition): ViewDefinition {
  return { ...view };
}
