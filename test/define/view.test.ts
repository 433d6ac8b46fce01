import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  DefinitionError,
  batchView,
  count,
  entity,
  first,
  last,
  lastDistinct,
  mean,
  stddevPop,
  streamSource,
  streamView,
  sum,
  varSamp,
} from "../../src/index.ts";
import type { Aggregation } from "../../src/index.ts";
import { formatDuration } from "../../src/core/duration.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { archive, daily, recent, spend, transactions, user } from "./fixtures.ts";

/** What a caller without types may pass. */
const untyped = { streamView, batchView } as unknown as Record<
  "streamView" | "batchView",
  (name: unknown, config: unknown) => ViewDefinition
>;

const day = 86_400_000;

const base = {
  entities: [user],
  source: transactions,
  windowing: "sliding",
  interval: "1h",
  features: { amt: [sum("1d")] },
  compaction: { every: "1d" },
};

test("streamView() fills in what is left out", () => {
  expect(spend).toMatchObject({
    kind: "streamView",
    name: "user_spend",
    joinKeys: [{ name: "user_id", type: "string" }],
    windowing: "sliding",
    intervalMs: 300_000,
    featureStartTimeMs: null,
    cacheMaxAgeMs: null,
    compactionEveryMs: day,
    horizonMs: 1.25 * day,
  });
  expect(spend.source).toBe(transactions);
  expect(spend.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  expect(Object.isFrozen(spend)).toBe(true);
});

test("streamView() keeps windows, counts and descriptions", () => {
  const feature = (name: string) => spend.features.find((each) => each.name === name);
  expect(feature("amt_sum_1d_5m_offset_1d")).toMatchObject({
    column: "amt",
    functionName: "sum",
    n: null,
    window: { sizeMs: day, offsetMs: -day },
    description: "Yesterday's spend",
  });
  expect(feature("amt_count_lifetime_5m")?.window).toEqual({ sizeMs: null, offsetMs: 0 });
  expect(feature("merchant_last_distinct_10_7d_5m")).toMatchObject({ n: 10, description: null });
  expect(recent).toMatchObject({ intervalMs: 0, horizonMs: 7_200_000 });
});

test("batchView() joins the keys of its entities in their order", () => {
  expect(daily.joinKeys.map(({ name }) => name)).toEqual(["user_id", "merchant", "region"]);
  expect(daily).toMatchObject({ kind: "batchView", horizonMs: 1.5 * day });
});

test("batchView() reads a stream source too", () => {
  expect(untyped.batchView("v", base).source).toBe(transactions);
});

test("streamView() holds each state of a column once, by column name and then by key", () => {
  for (const view of [spend, recent, daily]) {
    const keys = view.slots.map(({ column, algebra }) => `${column}/${algebra.key}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toEqual([...keys].sort());
    expect(view.valueColumns.map(({ name }) => name)).toEqual([
      ...new Set(view.slots.map(({ column }) => column)),
    ]);
    for (const { column, columnIndex } of view.slots) {
      expect(view.valueColumns[columnIndex ?? -1]?.name).toBe(column);
    }
    for (const feature of view.features) {
      const slots = feature.slotIndexes.map((index) => view.slots[index]);
      expect(slots.map((slot) => slot?.column)).toEqual(slots.map(() => feature.column));
      expect(slots.map((slot) => slot?.algebra.key)).toEqual(
        feature.bound.states.map(({ key }) => key),
      );
    }
    expect(view.ordered).toBe(view.slots.some(({ algebra }) => algebra.ordered));
  }
});

test("streamView() shares the states that windows and functions have in common", () => {
  const one = untyped.streamView("v", { ...base, features: { amt: [sum("1d")] } });
  const both = untyped.streamView("v", { ...base, features: { amt: [sum("1d"), sum("7d")] } });
  expect(both.slots.map(({ algebra }) => algebra.key)).toEqual(
    one.slots.map(({ algebra }) => algebra.key),
  );
  const separate = [count, mean, varSamp, stddevPop].flatMap(
    (each) => untyped.streamView("v", { ...base, features: { amt: [each("1d")] } }).slots,
  );
  const together = untyped.streamView("v", {
    ...base,
    features: { amt: [count("1d"), mean("1d"), varSamp("1d"), stddevPop("1d")] },
  });
  expect(together.slots.length).toBe(new Set(separate.map(({ algebra }) => algebra.key)).size);
  expect(together.slots.length).toBeLessThan(separate.length);
});

test("streamView() is ordered only where a state looks at the tie", () => {
  expect(untyped.streamView("v", base).ordered).toBe(false);
  expect(untyped.streamView("v", { ...base, features: { amt: [last("1d")] } }).ordered).toBe(true);
});

const head = 'Cannot define view "v"';

const refused: readonly (readonly [string, Record<string, unknown>, string])[] = [
  [
    "a window off the grid",
    { features: { amt: [sum("30m")] } },
    `${head}: features.amt has sum("30m") with interval "1h", make the window a multiple of the interval`,
  ],
  [
    "an offset off the grid",
    { features: { amt: [sum("1d", { offset: "-30m" })] } },
    `${head}: features.amt has sum("1d", { offset: "-30m" }) with interval "1h", make the offset a multiple of the interval`,
  ],
  [
    "a sawtooth window off the grid",
    { windowing: "sawtooth", features: { amt: [sum("90m")] } },
    "make the window a multiple of the interval",
  ],
  [
    "another spelling of a window",
    { features: { amt: [sum("24h")] } },
    `${head}: features.amt has sum("24h"): its window is "24h", write "1d", as feature names do`,
  ],
  [
    "another spelling of an offset",
    { features: { amt: [sum("1d", { offset: "-60m" })] } },
    'its offset without the sign is "60m", write "1h"',
  ],
  [
    "another spelling of the interval",
    { interval: "60m" },
    `${head}: interval is "60m", write "1h", as feature names do`,
  ],
  [
    "an empty window",
    { features: { amt: [sum("0s")] } },
    'its window is "0s", expected more than nothing',
  ],
  ["a window past the longest", { features: { amt: [sum("3661d")] } }, "at most 3660d"],
  [
    "a window below a second",
    { windowing: "continuous", interval: undefined, features: { amt: [sum("1500ms")] } },
    'its window is "1500ms", make it whole seconds',
  ],
  [
    "a window that is no duration",
    { features: { amt: [sum("1w" as "1d")] } },
    'its window is "1w", expected a whole number and a unit',
  ],
  [
    "a window that is no text",
    { features: { amt: [sum(60 as unknown as "1d")] } },
    "its window is a number, expected a duration",
  ],
  [
    "an offset ahead",
    { features: { amt: [sum("1d", { offset: "1d" as "-1d" })] } },
    "its offset is not negative",
  ],
  [
    "an offset of nothing",
    { features: { amt: [sum("1d", { offset: "-0s" })] } },
    "expected more than nothing",
  ],
  [
    "an offset of a lifetime",
    { features: { amt: [sum("lifetime", { offset: "-1d" })] } },
    "a lifetime window ends at the lead, remove the offset",
  ],
  [
    "a count of zero",
    { features: { amt: [last(0, "1d")] } },
    `${head}: features.amt has last(0, "1d") with a count of 0, make it an integer from 1 to 1000`,
  ],
  [
    "a count past the most",
    { features: { qty: [lastDistinct(1001, "1d")] } },
    'lastDistinct(1001, "1d") with a count of 1001',
  ],
  ["a count that is no integer", { features: { amt: [first(1.5, "1d")] } }, "with a count of 1.5"],
  [
    "a count that is not taken",
    { features: { amt: [{ ...sum("1d"), n: 3 }] } },
    "with a count, which the function does not take",
  ],
  [
    "a count that is missing",
    { features: { qty: [{ ...lastDistinct(3, "1d"), n: null }] } },
    "without a count, give one from 1 to 1000",
  ],
  [
    "an unknown function",
    { features: { amt: [{ ...sum("1d"), functionName: "median" }] } },
    `${head}: features.amt has median("1d"), which is no function, expected one of count, sum`,
  ],
  [
    "the sum of a string",
    { features: { merchant: [sum("1d")] } },
    `${head}: features.merchant has sum("1d") over a column of type "string", expected one of "int64", "float64"`,
  ],
  [
    "an unknown column",
    { features: { amount: [sum("1d")] } },
    `${head}: features.amount is not a column of source "transactions", expected one of ts, id, user_id, amt, qty, merchant`,
  ],
  [
    "an inherited column",
    { features: { constructor: [sum("1d")] } },
    "features.constructor is not a column",
  ],
  [
    "a feature twice",
    { features: { amt: [sum("1d"), mean("1d"), sum("1d")] } },
    `${head}: features.amt has "amt_sum_1d_1h" twice, remove one`,
  ],
  ["no features", { features: {} }, `${head}: features has 0 entries, expected at least 1`],
  [
    "an empty list",
    { features: { amt: [] } },
    `${head}: features.amt has 0 entries, expected at least 1`,
  ],
  [
    "a list that is none",
    { features: { amt: sum("1d") } },
    `${head}: features.amt is an object of kind "aggregation", expected an array of aggregations`,
  ],
  [
    "something else in a list",
    { features: { amt: ["sum"] } },
    `${head}: features.amt has a string, expected an aggregation such as sum("1h")`,
  ],
  [
    "a helper that was not called",
    { features: { amt: [sum] } },
    `${head}: features.amt has a function`,
  ],
  [
    "too many features",
    { features: { amt: manySums(513) } },
    "features.amt has 513 entries, expected at most 512",
  ],
  [
    "too many features over two columns",
    { features: { amt: manySums(512), qty: [sum("1d")] } },
    "features has 513 entries, expected at most 512",
  ],
  ["no entity", { entities: [] }, `${head}: entities has 0 entries, expected at least 1`],
  [
    "an entity that is none",
    { entities: [{ kind: "entity", name: "user", joinKeys: [] }] },
    `${head}: entities[0] is an object of kind "entity", expected what entity() returned`,
  ],
  [
    "an entity twice",
    { entities: [user, user] },
    `${head}: join key "user_id" of entity "user" is a join key already, expected each one once`,
  ],
  [
    "a join key that the source lacks",
    { entities: [entity("device", { device_id: "string" })] },
    `${head}: join key "device_id" of entity "device" is not a column of source "transactions", add it there with type "string"`,
  ],
  [
    "a join key of another type",
    { entities: [entity("user", { user_id: "int64" })] },
    `${head}: join key "user_id" of entity "user" has type "int64" and its column in source "transactions" has type "string", make them the same`,
  ],
  [
    "a batch source under a stream view",
    { source: archive },
    `${head}: source is an object of kind "batchSource", expected what streamSource() returned`,
  ],
  ["no source", { source: undefined }, `${head}: source is missing`],
  [
    "another windowing",
    { windowing: "tumbling" },
    `${head}: windowing is "tumbling", expected "sliding", "sawtooth" or "continuous"`,
  ],
  [
    "an interval on continuous",
    { windowing: "continuous" },
    `${head}: it has an interval and windowing "continuous", leave the interval out`,
  ],
  ["no interval", { interval: undefined }, `${head}: interval is missing, expected a duration`],
  [
    "an interval below a second",
    { interval: "500ms" },
    `${head}: interval is "500ms", expected whole seconds, at least 1s`,
  ],
  ["an interval of part seconds", { interval: "1500ms" }, "expected whole seconds, at least 1s"],
  [
    "a start time that is no instant",
    { featureStartTime: "2024-02-30" },
    `${head}: featureStartTime is "2024-02-30", which is not an instant: its day is 30`,
  ],
  [
    "a start time that is no text",
    { featureStartTime: 5 },
    `${head}: featureStartTime is a number, expected RFC 3339 text`,
  ],
  [
    "no compaction",
    { compaction: undefined },
    `${head}: compaction is missing, expected an object`,
  ],
  ["no cadence", { compaction: {} }, `${head}: compaction.every is missing`],
  ["a cadence of nothing", { compaction: { every: "0s" } }, `${head}: compaction.every is "0s"`],
  [
    "a cadence under a minute",
    { compaction: { every: "59s" } },
    `${head}: compaction.every is "59s", expected at least 1m`,
  ],
  [
    "a horizon within the cadence",
    { compaction: { every: "1d", horizon: "23h" } },
    `${head}: compaction.horizon is "23h" and compaction.every is "1d", make the horizon at least as long`,
  ],
  [
    "a misspelt compaction",
    { compaction: { every: "1d", horison: "2d" } },
    `${head}: compaction: it has an unknown field "horison"`,
  ],
  ["a cache without an age", { cache: {} }, `${head}: cache.maxAge is missing`],
  ["a cache that is a number", { cache: 60 }, `${head}: cache is a number, expected an object`],
  [
    "a cache for less than a second",
    { cache: { maxAge: "999ms" } },
    `${head}: cache.maxAge is "999ms", expected 1s to 1d`,
  ],
  [
    "a cache for more than a day",
    { cache: { maxAge: "25h" } },
    `${head}: cache.maxAge is "25h", expected 1s to 1d`,
  ],
  ["a misspelt cache", { cache: { ttl: "1m" } }, `${head}: cache: it has an unknown field "ttl"`],
  ["a misspelt field", { intervall: "1h" }, `${head}: it has an unknown field "intervall"`],
];

test.each(refused)("streamView() refuses %s", (_, change, message) => {
  expect(() => untyped.streamView("v", { ...base, ...change })).toThrow(DefinitionError);
  expect(() => untyped.streamView("v", { ...base, ...change })).toThrow(message);
});

test.each(["sawtooth", "continuous"])("batchView() refuses %s windowing", (windowing) => {
  expect(() => untyped.batchView("v", { ...base, windowing })).toThrow(
    `${head}: windowing is "${windowing}", expected "sliding"`,
  );
});

test("streamView() takes what lies exactly at a limit", () => {
  const at = (change: object) => untyped.streamView("v", { ...base, ...change });
  expect(at({ features: { amt: manySums(512) } }).features).toHaveLength(512);
  expect(at({ features: { amt: [last(1000, "1d")] } }).features[0]?.n).toBe(1000);
  expect(at({ features: { amt: [last(1, "3660d")] } }).features).toHaveLength(1);
  expect(at({ compaction: { every: "1d", horizon: "24h" } }).horizonMs).toBe(day);
  expect(at({ compaction: { every: "1m" } }).compactionEveryMs).toBe(60_000);
  expect(at({ interval: "1s" }).intervalMs).toBe(1_000);
  expect(at({ cache: { maxAge: "1s" } }).cacheMaxAgeMs).toBe(1_000);
  expect(at({ cache: { maxAge: "1d" } }).cacheMaxAgeMs).toBe(day);
});

test("streamView() lets a sawtooth offset off the grid", () => {
  const features = { amt: [sum("1d", { offset: "-7m" })] };
  expect(
    untyped.streamView("v", { ...base, windowing: "sawtooth", features }).features[0]?.name,
  ).toBe("amt_sum_1d_1h_sawtooth_offset_7m");
});

function manySums(length: number): Aggregation[] {
  return Array.from({ length }, (_, i) => sum(formatDuration((i + 1) * 3_600_000)));
}

const golden = ["windows", "arrivals"]
  .map((name) => join(import.meta.dirname, "../../../shared/golden", `${name}.json`))
  .filter((path) => existsSync(path));

interface GoldenCase {
  readonly view: {
    readonly kind: "stream" | "batch";
    readonly windowing: string;
    readonly columns: Readonly<Record<string, string>>;
    readonly aggregation_interval_ms: number;
    readonly aggregations: readonly {
      readonly function: string;
      readonly column: string;
      readonly window_ms: number | null;
      readonly n?: number;
      readonly offset_ms?: number;
    }[];
    readonly horizon_ms: number;
  };
  readonly queries?: readonly { readonly expected: object }[];
  readonly ops?: readonly { readonly expected?: object }[];
}

test.skipIf(golden.length === 0)("views name their features as the golden answers do", () => {
  const cases = golden.flatMap((path) => JSON.parse(readFileSync(path, "utf8")) as GoldenCase[]);
  expect(cases.length).toBeGreaterThan(50);
  for (const { view, queries, ops } of cases) {
    const columns = Object.entries(view.columns).map(([name, type]) => [
      name,
      type === "timestamp_ms" ? "timestamp" : type,
    ]);
    const source = streamSource("golden", {
      timestamp: "ts",
      id: "id",
      columns: Object.fromEntries(columns) as Record<string, "string">,
    });
    const features: Record<string, object[]> = {};
    for (const each of view.aggregations) {
      (features[each.column] ??= []).push({
        kind: "aggregation",
        functionName: each.function,
        n: each.n ?? null,
        window: each.window_ms === null ? "lifetime" : formatDuration(each.window_ms),
        offset: each.offset_ms ? `-${formatDuration(-each.offset_ms)}` : null,
        description: null,
      });
    }
    const interval = view.aggregation_interval_ms;
    const built = untyped[view.kind === "stream" ? "streamView" : "batchView"]("golden", {
      entities: [user],
      source,
      windowing: view.windowing,
      ...(interval === 0 ? {} : { interval: formatDuration(interval) }),
      features,
      compaction: { every: formatDuration(view.horizon_ms) },
    });
    const query = (queries ?? ops ?? []).find((each) => each.expected !== undefined);
    expect(built.features.map(({ name }) => name)).toEqual(
      Object.keys(query?.expected ?? {}).sort(),
    );
  }
});
