/** Explanations against the answers that they explain, and against the records, over random time. */

import { expect, test } from "vitest";
import { ByteWriter } from "../../src/core/bytes.ts";
import type { Scalar, ViewDefinition } from "../../src/define/definition.ts";
import { batchSource, count, entity, max, streamSource, streamView, sum } from "../../src/index.ts";
import { combineView } from "../../src/serve/combine-view.ts";
import type { EntityRecords } from "../../src/serve/combine-view.ts";
import { explainView } from "../../src/serve/explain-view.ts";
import type { FeatureExplanation, WindowExplanation } from "../../src/serve/explain-view.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { lanesOf, Origins } from "../../src/serve/section-lanes.ts";
import { planView } from "../../src/serve/view-plan.ts";
import { readBatchRecord } from "../../src/tile/batch-record.ts";
import { PartialView, writePartial } from "../../src/tile/partial-codec.ts";
import { viewStreamRecord } from "../../src/tile/stream-record.ts";
import type { Interval } from "../../src/window/bounds.ts";
import { EntityTimeline } from "../builders/entity-timeline.ts";
import type { Copy, TimelineEvent } from "../builders/entity-timeline.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const user = entity("user", { user: "string" });
const columns = { user: "string", amt: "int64", fee: "int64", shop: "string" } as const;
const events = streamSource("events", { timestamp: "ts", id: "id", columns });
const archive = batchSource("archive", {
  timestamp: "ts",
  id: "id",
  columns: { ...columns, ts: "timestamp", id: "string" },
});

type Values = readonly (Scalar | null)[];

const untyped = streamView as unknown as (name: string, config: object) => ViewDefinition;
const compaction = { every: "2h", horizon: "3h" } as const;

function aggregates(random: Random): ViewDefinition {
  const windowing = random.pick(["sliding", "sawtooth", "continuous"]);
  const hasKey = random.next() < 0.25;
  const amt = [
    ...[count("1h"), count("6h"), count("2h", { offset: "-1h" })],
    // With one, records hold all that ever was.
    ...(random.next() < 0.5 ? [count("lifetime")] : []),
  ];
  return untyped("counted", {
    entities: [user],
    source: events,
    ...(random.next() < 0.3 && { history: archive }),
    windowing,
    ...(windowing !== "continuous" && { interval: random.pick(["10m", "30m"]) }),
    features: {
      amt: hasKey ? amt : [...amt, count("1h", { series: { from: "-4h", step: "30m" } })],
      // No count is kept of it.
      fee: [sum("6h"), max("1h")],
    },
    ...(hasKey && { secondaryKey: "shop" }),
    compaction,
  });
}

function attributes(random: Random): ViewDefinition {
  return untyped("attributes", {
    entities: [user],
    source: events,
    ...(random.next() < 0.3 && { history: archive }),
    attributes: ["amt", "shop"],
    ...(random.next() < 0.7 && { ttl: "3h" }),
    compaction,
  });
}

interface Explained {
  readonly view: ViewDefinition;
  readonly records: EntityRecords;
  readonly copy: Copy | null;
  readonly nowMs: number;
  readonly answers: readonly FeatureAnswer[];
  readonly features: readonly FeatureExplanation[];
}

/** The copy of the batch record is the newest, or any. */
async function explainNow(timeline: EntityTimeline, random: Random): Promise<Explained> {
  const { view, copies } = timeline;
  // A clock that is behind meets records that no longer hold what it asks for.
  const nowMs = timeline.nowMs - (random.next() < 0.15 ? random.integer(0, 9 * hourMs) : 0);
  const last = copies.length - 1;
  const copy = copies[random.next() < 0.8 ? last : random.integer(-1, last + 1)] ?? null;
  const bytes = await timeline.streamBytes();
  const records = {
    batch: copy === null ? null : readBatchRecord(copy.bytes, view),
    stream: bytes === null ? null : viewStreamRecord(bytes, view),
  };
  const answers = combineView(planView(view), records, nowMs).features;
  const sizes = { batchBytes: 0, streamBytes: 0 };
  const evidence = { records, ...sizes, isDeleted: false, fault: null, region: null };
  const features = explainView(planView(view), { evidence, features: answers }, nowMs);
  return { view, records, copy, nowMs, answers, features };
}

async function runTimeline(
  view: ViewDefinition,
  random: Random,
  check: (explained: Explained) => void,
): Promise<void> {
  const timeline = new EntityTimeline(view, 100 * hourMs + random.integer(0, 1e6));
  for (let step = 0; step < 22; step++) {
    const kind = random.next();
    timeline.nowMs += random.integer(0, kind < 0.08 ? 8 * hourMs : hourMs);
    if (kind < 0.45) await timeline.ingest(randomEvents(random, timeline.nowMs, step));
    else if (kind < 0.52) timeline.seal();
    else if (kind < 0.62) timeline.compact();
    else if (kind < 0.67 && timeline.copies.length > 0) {
      await timeline.collect(random.pick(timeline.copies));
    } else check(await explainNow(timeline, random));
  }
}

function randomEvents(random: Random, nowMs: number, step: number): readonly TimelineEvent[] {
  const value = (of: Scalar) => (random.next() < 0.2 ? null : of);
  return Array.from({ length: random.integer(1, 12) }, (_, i) => {
    const agoMs = random.next() < 0.2 ? random.integer(0, 8 * hourMs) : random.integer(0, hourMs);
    return {
      id: `e${step}-${i}`,
      timestampMs: nowMs - agoMs,
      columns: {
        amt: value(random.integer(0, 9)),
        fee: value(random.integer(0, 9)),
        shop: value(`shop${random.integer(0, 3)}`),
      },
    };
  });
}

function totalOf({ entered }: WindowExplanation, field: "valueCount" | "tileCount" | "eventCount") {
  return entered.reduce((total, each) => total + (each[field] ?? NaN), 0);
}

/** The tiles and raw events of a partial that lie in an interval, by their own bounds. */
function inside({ tileStartsMs, tileEndsMs, eventTimestampsMs }: PartialView, span: Interval) {
  const tiles = tileStartsMs.filter((startMs, i) => {
    return startMs >= span.startMs && (tileEndsMs[i] as number) <= span.endMs;
  });
  const raw = eventTimestampsMs.filter((atMs) => atMs >= span.startMs && atMs < span.endMs);
  return [tiles.length, raw.length] as const;
}

function checkWindow({ view, records, copy }: Explained, window: WindowExplanation): void {
  const { used, entered } = window;
  const { batch, stream } = records;
  if (used.gap) {
    seen.unheld += 1;
    return expect(entered).toEqual([]);
  }
  const of = (origins: readonly string[]) =>
    entered.filter(({ origin }) => origins.includes(origin));
  const sum = (origins: readonly string[]) => [
    of(origins).reduce((total, { tileCount }) => total + tileCount, 0),
    of(origins).reduce((total, { eventCount }) => total + eventCount, 0),
  ];
  const watermarkMs = batch?.header.watermarkMs ?? -Infinity;
  const cut = batch?.header.cut ?? -1;
  // With a history both sides end at the watermark, in the middle of a tile if need be.
  const streamStartMs = view.history === null ? -Infinity : watermarkMs;
  if (batch !== null && view.history === null) {
    expect(sum(["batch"])).toEqual(inside(batch.partial, used));
  }
  const live = (stream?.epochs ?? []).filter(({ epoch }) => view.history !== null || epoch > cut);
  const span = { ...used, startMs: Math.max(used.startMs, streamStartMs) };
  const [tiles, raw] = live
    .map(({ partial }) => inside(partial, span))
    .reduce(([a, b], [c, d]) => [a + c, b + d] as const, [0, 0] as const);
  expect(sum(["stream", "late"])).toEqual([tiles, raw]);
  const late = { ...span, endMs: Math.min(used.endMs, watermarkMs) };
  const lateCounts = live.map(({ partial }) => inside(partial, late));
  if (view.history === null) {
    const lateTotal = lateCounts.reduce(([a, b], [c, d]) => [a + c, b + d] as const, [0, 0]);
    expect(sum(["late"])).toEqual(lateTotal);
  } else expect(sum(["late"])).toEqual([0, 0]);
  if (copy === null) expect(sum(["batch"])).toEqual([0, 0]);
}

/** What the batch record holds is known from the events that it was made of. */
function checkBatchValues({ view, copy }: Explained, window: WindowExplanation): void {
  if (view.history !== null || view.secondaryKey !== null || window.used.gap) return;
  const { startMs, endMs } = window.used;
  const covered = (copy?.events ?? []).filter(
    ({ timestampMs, columns: { amt } }) =>
      timestampMs >= startMs && timestampMs < endMs && amt !== null,
  );
  const values = window.entered.find(({ origin }) => origin === "batch")?.valueCount ?? 0;
  expect(values).toBe(covered.length);
}

const seen = { unheld: 0, degraded: 0, late: 0, tiles: 0, unknown: 0, series: 0, keys: 0, gaps: 0 };

function checkAggregates(explained: Explained): void {
  const { view, answers, features } = explained;
  view.features.forEach((feature, i) => {
    const answer = answers[i] as FeatureAnswer;
    const { windows, keyCount } = features[i] as FeatureExplanation;
    if (answer.status === "MISSING_DATA" || (answer.fault !== null && windows.length === 0)) {
      expect(windows).toEqual([]);
      if (answer.fault !== null) seen.gaps += 1;
      return;
    }
    expect(windows).toHaveLength(feature.series?.count ?? 1);
    for (const window of windows) checkWindow(explained, window);
    seen.late += windows
      .flatMap(({ entered }) => entered)
      .filter((e) => e.origin === "late").length;
    if (answer.fault !== null) {
      expect(windows.some(({ used }) => used.gap)).toBe(true);
      return;
    }
    checkBounds(answer, windows);
    if (feature.column === "amt") for (const window of windows) checkBatchValues(explained, window);
    if (view.secondaryKey !== null) {
      const byKey = answer.value as readonly number[];
      expect(keyCount).toBe(byKey.length);
      // Tiles by key keep no count of a column over all keys.
      const isRaw = windows.every((window) => totalOf(window, "tileCount") === 0);
      if (!isRaw || feature.functionName !== "count") return;
      const values = windows.reduce((sum, window) => sum + totalOf(window, "valueCount"), 0);
      expect(values).toBe(byKey.reduce((sum, each) => sum + each, 0));
      seen.keys += Math.min(1, byKey.length);
    } else if (feature.functionName === "count") {
      const totals = windows.map((window) => totalOf(window, "valueCount"));
      expect(feature.series === null ? totals[0] : totals).toEqual(answer.value);
      if (feature.series !== null) seen.series += 1;
      seen.tiles += windows.reduce((total, each) => total + totalOf(each, "tileCount"), 0);
    } else if (feature.column === "fee") {
      for (const { entered } of windows) {
        for (const { tileCount, valueCount } of entered) {
          expect(valueCount === null).toBe(tileCount > 0);
          if (valueCount === null) seen.unknown += 1;
        }
      }
    }
  });
}

function checkBounds({ degraded }: FeatureAnswer, windows: readonly WindowExplanation[]): void {
  const isRounded = windows.some(({ asked, used }) => {
    return asked.startMs !== used.startMs || asked.endMs !== used.endMs;
  });
  expect(isRounded).toBe(degraded !== null);
  if (degraded === null) return;
  seen.degraded += 1;
  expect(windows[0]?.used.startMs).toBe(degraded.startMs);
  expect(windows.at(-1)?.used.endMs).toBe(degraded.endMs);
}

test("explainView() agrees with combineView() on counts and bounds, and with the records on what entered", async () => {
  for (let seed = 1; seed <= 50; seed++) {
    try {
      const random = randomFrom(seed);
      await runTimeline(aggregates(random), random, checkAggregates);
    } catch (cause) {
      throw new Error(`Timeline fails for seed ${seed}`, { cause });
    }
  }
  for (const [what, times] of Object.entries(seen)) expect(times, what).toBeGreaterThan(20);
});

test("explainView() names the row that attributes were read from, where it came from, and its end", async () => {
  const found = { batch: 0, stream: 0, late: 0, expired: 0 };
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed);
    await runTimeline(attributes(random), random, ({ view, answers, features, copy, nowMs }) => {
      const label = `seed ${seed}`;
      const [answer, row] = [answers[0], features[0]?.row ?? null];
      if (answer?.fault !== null || row === null) {
        expect(row, label).toBeNull();
        return;
      }
      const { origin, timestampMs, expiresAtMs } = row;
      const isExpired = expiresAtMs !== null && expiresAtMs < nowMs;
      expect(answer.status, label).toBe(isExpired ? "MISSING_DATA" : "PRESENT");
      if (!isExpired) expect(timestampMs, label).toBe(answer.effectiveTimeMs);
      const watermarkMs = copy?.header.watermarkMs ?? -Infinity;
      if (origin === "late") expect(timestampMs, label).toBeLessThan(watermarkMs);
      if (origin === "batch") {
        expect(
          copy?.events.map((event) => event.timestampMs),
          label,
        ).toContain(timestampMs);
      }
      if (view.history !== null) expect(origin, label).not.toBe("late");
      found[isExpired ? "expired" : origin] += 1;
    });
  }
  for (const [what, times] of Object.entries(found)) expect(times, what).toBeGreaterThan(3);
});

test("Origins counts no value of an event without the secondary key that its view goes by", () => {
  const view = untyped("by_shop", {
    entities: [user],
    source: events,
    windowing: "continuous",
    features: { amt: [count("1h")] },
    secondaryKey: "shop",
    compaction,
  });
  const rows: readonly Values[] = [
    [1, "a"],
    [2, null],
    [null, "a"],
  ];
  const raw = rows.map((values, i) => ({ timestampMs: i, tie: "", values }));
  const writer = new ByteWriter();
  writePartial(writer, { earliestMs: 0, keepFromMs: -Infinity, tiles: [], events: raw }, view);
  const partial = new PartialView(writer.finish(), view);
  const lanes = lanesOf(view, [{ partial, fromMs: -Infinity, untilMs: Infinity }], null);
  expect(new Origins(view, "amt", lanes).enteredIn({ startMs: 0, endMs: 3 })).toEqual([
    { origin: "stream", tileCount: 0, eventCount: 3, valueCount: 1 },
  ]);
});
