/**
 * Series, secondary keys and attributes against a model that scans the events, as the semantics
 * define the values: late events, compactions at any instant, old copies, epochs that become one.
 */

import { expect, test } from "vitest";
import {
  batchSource,
  batchView,
  count,
  entity,
  last,
  max,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import { limits } from "../../src/core/limits.ts";
import type { Scalar, ViewDefinition } from "../../src/define/definition.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { EntityTimeline } from "../builders/entity-timeline.ts";
import type { Copy, TimelineEvent } from "../builders/entity-timeline.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

type Values = readonly (Scalar | null)[];

/** The functions of the views, by what the semantics say of them. */
const functions = {
  count: { build: count, of: (values: Values) => values.filter((each) => each !== null).length },
  sum: {
    build: sum,
    of: (values: Values) =>
      notNull(values).reduce((total: number | null, each) => (total ?? 0) + Number(each), null),
  },
  max: {
    build: max,
    of: (values: Values) =>
      notNull(values)
        .map(Number)
        .sort((a, b) => b - a)[0] ?? null,
  },
  last: { build: last, of: (values: Values) => notNull(values).at(-1) ?? null },
} as const;

type FunctionName = keyof typeof functions;

function notNull(values: Values): Scalar[] {
  return values.filter((each) => each !== null);
}

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

interface Shape {
  readonly windowing: "sliding" | "sawtooth" | "continuous";
  readonly intervalMs: number;
}

interface TestWindow {
  readonly sizeMs: number | null;
  /** Zero or negative. */
  readonly offsetMs: number;
  /** The step on which the lead goes; null for the view's own rule. */
  readonly gridMs: number | null;
}

/** A feature as the test declares it and expects it. */
interface TestFeature {
  readonly name: string;
  readonly functionName: FunctionName;
  /** Oldest first. */
  readonly windows: readonly TestWindow[];
  readonly isSeries: boolean;
  readonly aggregation: unknown;
}

function floor(atMs: number, stepMs: number): number {
  return Math.floor(atMs / stepMs) * stepMs;
}

/** The table of leading and trailing edges. */
function spanOf({ windowing, intervalMs }: Shape, window: TestWindow, atMs: number): Span {
  const { sizeMs, offsetMs, gridMs } = window;
  if (gridMs !== null) {
    const endMs = floor(atMs, gridMs) + offsetMs;
    return { startMs: endMs - (sizeMs as number), endMs };
  }
  const endMs = (windowing === "sliding" ? floor(atMs, intervalMs) : atMs) + offsetMs;
  if (sizeMs === null) return { startMs: -Infinity, endMs };
  if (windowing !== "sawtooth") return { startMs: endMs - sizeMs, endMs };
  return { startMs: floor(atMs + offsetMs - sizeMs, intervalMs), endMs };
}

/** The events in a span, by (timestamp, id). */
function within(events: readonly TimelineEvent[], { startMs, endMs }: Span): TimelineEvent[] {
  return events
    .filter(({ timestampMs }) => timestampMs >= startMs && timestampMs < endMs)
    .sort((a, b) => a.timestampMs - b.timestampMs || (a.id < b.id ? -1 : 1));
}

function columnOf(events: readonly TimelineEvent[], name: string): Values {
  return events.map(({ columns }) => columns[name] ?? null);
}

function text(durationMs: number): string {
  for (const [unit, sizeMs] of [
    ["d", 24 * hourMs],
    ["h", hourMs],
    ["m", minuteMs],
  ] as const) {
    if (durationMs % sizeMs === 0 && durationMs > 0) return `${durationMs / sizeMs}${unit}`;
  }
  return durationMs === 0 ? "0s" : `${durationMs / 1000}s`;
}

function suffixOf({ windowing, intervalMs }: Shape): string {
  if (windowing === "continuous") return "continuous";
  return windowing === "sliding" ? text(intervalMs) : `${text(intervalMs)}_sawtooth`;
}

const user = entity("user", { user: "string" });
const columns = {
  user: "string",
  amt: "int64",
  tier: "string",
  shop: "string",
  till: "int64",
} as const;
const withIds = streamSource("events", { timestamp: "ts", id: "id", columns });
const withoutIds = streamSource("bare_events", { timestamp: "ts", columns });

const archive = batchSource("archive", {
  timestamp: "ts",
  id: "id",
  columns: { ...columns, ts: "timestamp", id: "string" },
});

const untyped = { streamView, batchView } as unknown as Readonly<
  Record<string, (name: string, config: object) => ViewDefinition>
>;

function randomShape(random: Random, isBatch: boolean): Shape {
  const windowing = isBatch
    ? "sliding"
    : random.pick(["sliding", "sawtooth", "continuous"] as const);
  return { windowing, intervalMs: random.pick([minuteMs, 5 * minuteMs, hourMs]) };
}

function randomWindow(random: Random, intervalMs: number): TestWindow {
  return {
    sizeMs: random.next() < 0.15 ? null : intervalMs * random.integer(1, 80),
    offsetMs: random.next() < 0.7 ? 0 : -intervalMs * random.integer(1, 30),
    gridMs: null,
  };
}

function plainFeature(shape: Shape, functionName: FunctionName, given: TestWindow): TestFeature {
  const window = given.sizeMs === null ? { ...given, offsetMs: 0 } : given;
  const offset = text(-window.offsetMs);
  const size = window.sizeMs === null ? "lifetime" : text(window.sizeMs);
  const build = functions[functionName].build as (window: string, options?: object) => unknown;
  const name = ["amt", functionName, size, suffixOf(shape)];
  return {
    name: [...name, ...(window.offsetMs === 0 ? [] : ["offset", offset])].join("_"),
    functionName,
    windows: [window],
    isSeries: false,
    aggregation: build(size, window.offsetMs === 0 ? {} : { offset: `-${offset}` }),
  };
}

function randomSeries(random: Random, shape: Shape, functionName: FunctionName): TestFeature {
  const { intervalMs } = shape;
  const sizeMs = intervalMs * random.integer(1, 40);
  const stepMs = random.next() < 0.5 ? sizeMs : intervalMs * random.integer(1, 30);
  const toMs = random.next() < 0.6 ? 0 : -intervalMs * random.integer(1, 20);
  const windowCount = random.integer(1, 14);
  const align = random.pick(["step", "lead"] as const);
  const fromMs = toMs - sizeMs - (windowCount - 1) * stepMs;
  const build = functions[functionName].build as (window: string, options: object) => unknown;
  const size = text(sizeMs);
  const series = {
    from: `-${text(-fromMs)}`,
    ...(toMs !== 0 && { to: `-${text(-toMs)}` }),
    ...(stepMs !== sizeMs && { step: text(stepMs) }),
    ...(align === "lead" && { align }),
  };
  const ends = [text(-fromMs), text(-toMs), text(stepMs)];
  return {
    name: ["amt", functionName, size, suffixOf(shape), "series", ...ends].join("_"),
    functionName,
    windows: Array.from({ length: windowCount }, (_, i) => ({
      sizeMs,
      offsetMs: toMs - (windowCount - 1 - i) * stepMs,
      gridMs: align === "step" ? stepMs : null,
    })),
    isSeries: true,
    aggregation: build(size, { series }),
  };
}

function uniqueByName(features: readonly TestFeature[]): TestFeature[] {
  return [...new Map(features.map((feature) => [feature.name, feature])).values()];
}

function buildView(
  random: Random,
  config: object,
  { shape, isBatch }: { readonly shape?: Shape; readonly isBatch: boolean },
): ViewDefinition {
  const hours = random.integer(1, 20);
  const hasHistory = !isBatch && random.next() < 0.3;
  const build = untyped[isBatch ? "batchView" : "streamView"] as (typeof untyped)[string];
  return build("v", {
    entities: [user],
    source: withIds,
    ...(shape !== undefined && { windowing: shape.windowing }),
    ...(shape !== undefined &&
      shape.windowing !== "continuous" && { interval: text(shape.intervalMs) }),
    ...(hasHistory && { history: archive }),
    compaction: { every: `${hours}h`, horizon: `${hours}h` },
    ...config,
  });
}

function randomEvents(random: Random, nowMs: number): TimelineEvent[] {
  return Array.from({ length: random.integer(1, 12) }, () => {
    const kind = random.next();
    const ageMs =
      kind < 0.5
        ? random.integer(0, 10 * minuteMs)
        : kind < 0.9
          ? random.integer(0, 90 * hourMs)
          : -random.integer(0, 5 * hourMs);
    // Many events fall on one instant, and on the edges of windows.
    const stepMs = random.pick([1, minuteMs, 5 * minuteMs]);
    return {
      id: `e${random.integer(0, 1e9)}`,
      timestampMs: floor(nowMs - ageMs, stepMs),
      columns: {
        amt: random.next() < 0.2 ? null : random.integer(-9, 10),
        tier: random.pick([null, "gold", "silver", "bronze"]),
        shop: random.pick([null, "a", "b", "c10", "c9", "é", "\u{1f600}", "\uffee"]),
        till: random.pick([null, 3, 20, -1, 2n ** 60n]),
      },
    };
  });
}

interface Play {
  readonly timeline: EntityTimeline;
  readonly random: Random;
  /** Judges what is answered now from a copy; true where it was rounded. */
  readonly check: (copy: Copy | null) => Promise<boolean>;
}

/** A life of an entity, with everything that can come between. @returns how many reads were rounded */
async function play({ timeline, random, check }: Play): Promise<number> {
  let roundedCount = 0;
  for (let step = 0; step < 22; step++) {
    const kind = random.next();
    timeline.nowMs += random.integer(0, kind < 0.1 ? 12 * hourMs : hourMs);
    if (kind < 0.45) await timeline.ingest(randomEvents(random, timeline.nowMs));
    else if (kind < 0.5) timeline.seal();
    else if (kind < 0.6) {
      timeline.compact({ untilMs: timeline.nowMs - random.integer(0, hourMs) });
    } else if (kind < 0.66 && timeline.copies.length > 0) {
      await timeline.collect(random.pick(timeline.copies));
    } else {
      const newest = timeline.copies.length - 1;
      const copy = random.next() < 0.8 ? newest : random.integer(-1, newest + 1);
      if (await check(timeline.copies[copy] ?? null)) roundedCount += 1;
    }
  }
  return roundedCount;
}

/** The events a read from this copy must count, and the instant it is for. */
function visible(timeline: EntityTimeline, copy: Copy | null) {
  const { view, nowMs } = timeline;
  if (view.kind === "streamView" && view.history === null) {
    return { events: timeline.events, atMs: nowMs };
  }
  if (view.kind === "streamView") {
    // The stream takes over at the watermark; what came late before it waits.
    const fromMs = copy?.header.watermarkMs ?? -Infinity;
    const live = timeline.events.filter(({ timestampMs }) => timestampMs >= fromMs);
    return { events: [...(copy?.events ?? []), ...live], atMs: nowMs };
  }
  const atMs = Math.min(timeline.nowMs, copy?.header.watermarkMs ?? -Infinity);
  return { events: copy?.events ?? [], atMs };
}

function isUnknown(timeline: EntityTimeline, copy: Copy | null): boolean {
  if (timeline.view.kind === "batchView") return copy === null;
  return copy === null && timeline.events.length === 0;
}

function expectGap(features: ReadonlyMap<string, FeatureAnswer>): boolean {
  for (const answer of features.values()) {
    expect(answer).toMatchObject({ value: null, fault: { code: "GAP" } });
  }
  return false;
}

/** Checks the features of a view against the model; true where one was rounded. */
async function checkWindows(
  timeline: EntityTimeline,
  copy: Copy | null,
  { shape, features, expected }: WindowModel,
): Promise<boolean> {
  const answer = await timeline.answer(copy);
  if (answer.isTooOld) return expectGap(answer.features);
  const { events, atMs } = visible(timeline, copy);
  let isRounded = false;
  for (const feature of features) {
    const found = answer.features.get(feature.name) as FeatureAnswer;
    const spans = feature.windows.map((window) => spanOf(shape, window, atMs));
    if (isUnknown(timeline, copy)) {
      const nothing = spans.map(() => expected(feature, []));
      const value = feature.isSeries ? nothing : nothing[0];
      expect(found).toMatchObject({ status: "MISSING_DATA", value });
      continue;
    }
    expect(found).toMatchObject({ status: "PRESENT", fault: null });
    const { degraded } = found;
    if (timeline.nowMs <= timeline.exactUntilMs(copy)) expect(degraded, feature.name).toBeNull();
    if (degraded === null || !feature.isSeries) {
      const used = degraded === null ? spans : [degraded];
      const values = used.map((span) => expected(feature, within(events, span)));
      expect(found.value, feature.name).toEqual(feature.isSeries ? values : values[0]);
    } else checkRoundedSeries(feature, found, within(events, degraded));
    isRounded ||= degraded !== null;
  }
  return isRounded;
}

interface WindowModel {
  readonly shape: Shape;
  readonly features: readonly TestFeature[];
  readonly expected: (feature: TestFeature, events: readonly TimelineEvent[]) => unknown;
}

/** Windows that touch are rounded at the edges they share: together they hold what the bounds do. */
function checkRoundedSeries(
  { functionName, windows }: TestFeature,
  { value }: FeatureAnswer,
  events: readonly TimelineEvent[],
): void {
  expect(value).toHaveLength(windows.length);
  const [first, second] = windows;
  const touch =
    first?.gridMs !== null && second?.offsetMs === (first?.offsetMs ?? 0) + (first?.sizeMs ?? 0);
  if (functionName !== "count" || !touch) return;
  const total = (value as number[]).reduce((a, b) => a + b);
  expect(total).toBe(functions.count.of(columnOf(events, "amt")));
}

async function forTimelines(
  seeds: number,
  life: (random: Random, startMs: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const random = randomFrom(seed);
    try {
      total += await life(random, 100 * hourMs + random.integer(0, 1e7));
    } catch (cause) {
      throw new Error(`Timeline fails for seed ${seed}`, { cause });
    }
  }
  return total;
}

test("a series has one value a window, oldest first, as a scan of the events has it", async () => {
  const rounded = await forTimelines(120, async (random, startMs) => {
    const isBatch = random.next() < 0.25;
    const shape = randomShape(random, isBatch);
    const names = Object.keys(functions) as FunctionName[];
    const features = uniqueByName([
      ...names.slice(0, random.integer(1, 4)).map((name) => randomSeries(random, shape, name)),
      plainFeature(shape, random.pick(names), randomWindow(random, shape.intervalMs)),
    ]);
    const lists = { amt: features.map(({ aggregation }) => aggregation) };
    const view = buildView(random, { features: lists }, { shape, isBatch });
    expect(view.features.map(({ name }) => name)).toEqual(features.map(({ name }) => name).sort());
    const timeline = new EntityTimeline(view, startMs);
    const model: WindowModel = {
      shape,
      features,
      expected: ({ functionName }, events) => functions[functionName].of(columnOf(events, "amt")),
    };
    return play({ timeline, random, check: (copy) => checkWindows(timeline, copy, model) });
  });
  expect(rounded).toBeGreaterThan(10);
});

test("with a secondary key every value is an array beside the sorted keys of its window", async () => {
  const rounded = await forTimelines(120, async (random, startMs) => {
    const isBatch = random.next() < 0.25;
    const shape = randomShape(random, isBatch);
    const key = random.pick(["shop", "till"] as const);
    const windows = [1, 2].map(() => randomWindow(random, shape.intervalMs));
    const names = Object.keys(functions) as FunctionName[];
    const answers = uniqueByName(
      windows.flatMap((window) =>
        names
          .filter(() => random.next() < 0.6)
          .map((functionName) => plainFeature(shape, functionName, window)),
      ),
    );
    if (answers.length === 0) return 0;
    const lists = { amt: answers.map(({ aggregation }) => aggregation) };
    const view = buildView(random, { features: lists, secondaryKey: key }, { shape, isBatch });
    const keys = uniqueByName(
      answers.map((answer) => {
        const { sizeMs, offsetMs } = answer.windows[0] as TestWindow;
        const size = sizeMs === null ? "lifetime" : text(sizeMs);
        const offset = offsetMs === 0 ? "" : `_offset_${text(-offsetMs)}`;
        return { ...answer, name: `${key}_keys_${size}${offset}` };
      }),
    );
    const model: WindowModel = {
      shape,
      features: [...answers, ...keys],
      expected: ({ name, functionName }, events) => {
        const found = sortKeys(notNull(columnOf(events, key)));
        if (name.startsWith(`${key}_keys_`)) return found;
        return found.map((each) => {
          const own = events.filter((event) => event.columns[key] === each);
          return functions[functionName].of(columnOf(own, "amt"));
        });
      },
    };
    expect(new Set(view.features.map(({ name }) => name))).toEqual(
      new Set(model.features.map(({ name }) => name)),
    );
    const timeline = new EntityTimeline(view, startMs);
    return play({ timeline, random, check: (copy) => checkWindows(timeline, copy, model) });
  });
  expect(rounded).toBeGreaterThan(10);
});

function sortKeys(keys: readonly Scalar[]): Scalar[] {
  return [...new Set(keys)].sort((a, b) =>
    typeof a === "string" && typeof b === "string"
      ? Buffer.compare(Buffer.from(a), Buffer.from(b))
      : a < b
        ? -1
        : 1,
  );
}

test("attributes are the columns of the newest row before the request, never of two", async () => {
  await forTimelines(120, async (random, startMs) => {
    const isBatch = random.next() < 0.3;
    const source = random.pick([withIds, withoutIds]);
    const ttlMs = random.next() < 0.5 ? Infinity : random.integer(1, 30) * hourMs;
    const config = {
      source,
      attributes: random.shuffled(["tier", "amt", "shop"]),
      ...(ttlMs !== Infinity && { ttl: text(ttlMs) }),
    };
    const timeline = new EntityTimeline(buildView(random, config, { isBatch }), startMs);
    const check = async (copy: Copy | null) => {
      const answer = await timeline.answer(copy);
      if (answer.isTooOld) return expectGap(answer.features);
      const { events, atMs } = visible(timeline, copy);
      const rows = within(events, { startMs: -Infinity, endMs: atMs });
      const newest = rows.at(-1);
      const answers = ["amt", "shop", "tier"].map(
        (name) => answer.features.get(name) as FeatureAnswer,
      );
      const found = answers.map(({ value }) => value);
      if (newest === undefined || newest.timestampMs < atMs - ttlMs) {
        for (const each of answers) {
          expect(each).toEqual({
            value: null,
            status: "MISSING_DATA",
            effectiveTimeMs: null,
            degraded: null,
            fault: null,
          });
        }
        return false;
      }
      for (const { status, effectiveTimeMs, degraded } of answers) {
        expect([status, degraded]).toEqual(["PRESENT", null]);
        expect(effectiveTimeMs).toBe(newest.timestampMs);
      }
      const valuesOf = (row: TimelineEvent) =>
        ["amt", "shop", "tier"].map((name) => row.columns[name] ?? null);
      if (source === withIds) expect(found).toEqual(valuesOf(newest));
      // Without ids any of the rows of the instant may be it, as long as it is one of them.
      const last = rows.filter(({ timestampMs }) => timestampMs === newest.timestampMs);
      expect(last.map(valuesOf)).toContainEqual(found);
      return false;
    };
    return play({ timeline, random, check });
  });
});

test("a row is as old as the ttl allows to the millisecond, and unseen at its own instant", async () => {
  const view = buildView(
    randomFrom(1),
    { attributes: ["tier"], ttl: "1h", history: undefined },
    { isBatch: false },
  );
  const rowMs = 100 * hourMs;
  const timeline = new EntityTimeline(view, rowMs);
  await timeline.ingest([{ id: "e1", timestampMs: rowMs, columns: { tier: "gold" } }]);
  const seen = [];
  for (const nowMs of [rowMs, rowMs + 1, rowMs + hourMs, rowMs + hourMs + 1]) {
    timeline.nowMs = nowMs;
    const { features } = await timeline.answer(null);
    const { status, value } = features.get("tier") as FeatureAnswer;
    seen.push([status, value]);
  }
  expect(seen).toEqual([
    ["MISSING_DATA", null],
    ["PRESENT", "gold"],
    ["PRESENT", "gold"],
    ["MISSING_DATA", null],
  ]);
});

test("attributes of an entity that is updated all day take a record of a few hundred bytes", async () => {
  const dayMs = 24 * hourMs;
  const startMs = 100 * dayMs;
  const view = buildView(
    randomFrom(1),
    { attributes: ["tier", "shop"], compaction: { every: "1d" }, history: undefined },
    { isBatch: false },
  );
  const timeline = new EntityTimeline(view, startMs);
  const updates = 100_000;
  const together = 100;
  for (let i = 0; i < updates; i += together) {
    const events = Array.from({ length: together }, (_, j) => ({
      id: `e${i + j}`,
      timestampMs: startMs + Math.floor(((i + j) / updates) * dayMs),
      columns: { tier: j % 2 === 0 ? "gold" : "silver", shop: "a" },
    }));
    timeline.nowMs = startMs + Math.floor(((i + together) / updates) * dayMs);
    await timeline.ingest(events);
  }
  expect((await timeline.streamBytes())?.length).toBeLessThan(600);
});

test("a window with too many keys is a fault that names none, and leaves other windows alone", async () => {
  const features = { amt: [count("1m"), count("1h")] };
  const shape = { windowing: "continuous", intervalMs: 0 } as const;
  const view = buildView(
    randomFrom(1),
    { features, secondaryKey: "till", history: undefined },
    { shape, isBatch: false },
  );
  const startMs = 100 * hourMs;
  const timeline = new EntityTimeline(view, startMs);
  timeline.events.push(
    ...Array.from({ length: limits.secondaryKeysMax + 1 }, (_, i) => ({
      id: `e${i}`,
      timestampMs: startMs - 1 - i * 300,
      columns: { till: i, amt: 1 },
    })),
  );
  timeline.compact();
  const { features: found } = await timeline.answer(timeline.copies[0] as Copy);
  for (const name of ["amt_count_1h_continuous", "till_keys_1h"]) {
    expect(found.get(name)).toMatchObject({ value: null, fault: { code: "OVERFLOW" } });
  }
  expect(found.get("till_keys_1m")?.value).toHaveLength(200);
});
