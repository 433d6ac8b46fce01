import { expect, test } from "vitest";
import { DefinitionError, batchView, last, streamView, sum } from "../../src/index.ts";
import type { FeatureDefinition, ViewDefinition } from "../../src/define/definition.ts";
import { viewWindows } from "../../src/define/view-windows.ts";
import * as shapes from "./shapes.ts";

const untyped = { streamView, batchView } as unknown as Record<
  "streamView" | "batchView",
  (name: string, config: object) => ViewDefinition
>;

const dayMs = 86_400_000;

const shared = {
  entities: [shapes.user],
  source: shapes.events,
  compaction: { every: "1d" },
};

const base = {
  ...shared,
  windowing: "sliding",
  interval: "5m",
  features: { amt: [sum("1d")] },
};

function namesOf(view: ViewDefinition): readonly string[] {
  return view.features.map(({ name }) => name);
}

function seriesOf(series: object, window = "1d", change: object = {}): object {
  const build = sum as (window: string, options: object) => unknown;
  return { ...base, features: { amt: [build(window, { series })] }, ...change };
}

test.each(Object.entries(shapes.refusedMistakes))("loading refuses %s too", (_, mistake) => {
  expect(mistake).toThrow(DefinitionError);
});

test("feature names at run time are those the types compute", () => {
  expect(namesOf(shapes.trend)).toEqual([
    "amt_max_1h_5m_series_4h_1h_30m",
    "amt_sum_1d_5m_series_7d_0s_1d",
    "amt_sum_1h_5m",
    "qty_count_1d_5m_series_2d_0s_1d",
    "shop_last_2_1d_5m_series_3d_0s_1d",
  ]);
  expect(namesOf(shapes.byShop)).toEqual([
    "amt_sum_1d_5m_sawtooth",
    "amt_sum_1d_5m_sawtooth_offset_1d",
    "qty_count_lifetime_5m_sawtooth",
    "qty_last_2_1d_5m_sawtooth",
    "shop_keys_1d",
    "shop_keys_1d_offset_1d",
    "shop_keys_lifetime",
  ]);
  expect(namesOf(shapes.byTill)).toEqual(["shop_last_distinct_3_7d_5m", "till_keys_7d"]);
  expect(namesOf(shapes.profile)).toEqual(["qty", "shop", "since", "vip"]);
});

test("a series has its windows on the grid of its step, unless it is to hang off the lead", () => {
  const [half, days, , leads] = shapes.trend.features as readonly FeatureDefinition[];
  const [minuteMs, hourMs] = [60_000, 3_600_000];
  expect(days).toMatchObject({
    window: { sizeMs: dayMs, offsetMs: 0, gridMs: dayMs },
    series: { count: 7, stepMs: dayMs },
    output: { array: "float64" },
    emptyValue: [null, null, null, null, null, null, null],
  });
  expect(half).toMatchObject({
    window: { sizeMs: hourMs, offsetMs: -hourMs, gridMs: 30 * minuteMs },
    series: { count: 5, stepMs: 30 * minuteMs },
  });
  expect(leads?.window).toEqual({ sizeMs: dayMs, offsetMs: 0 });
  expect(leads?.emptyValue).toEqual([0, 0]);
});

test("viewWindows() has the windows of a series once, and says who is answered over which", () => {
  const daily = [sum("1d", { series: { from: "-3d" } }), last("1d", { series: { from: "-2d" } })];
  const view = untyped.streamView("v", { ...base, features: { qty: daily } });
  const offsets = viewWindows(view).map(({ window, uses }) => [window.offsetMs / dayMs, uses]);
  // last is feature 0.
  expect(offsets.map(([offset, uses]) => [(offset as number) + 0, uses])).toEqual([
    [
      0,
      [
        { featureIndex: 0, position: 1 },
        { featureIndex: 1, position: 2 },
      ],
    ],
    [
      -1,
      [
        { featureIndex: 0, position: 0 },
        { featureIndex: 1, position: 1 },
      ],
    ],
    [-2, [{ featureIndex: 1, position: 0 }]],
  ]);
});

test("a view with a secondary key has one slot, of rows, and reads the key's column", () => {
  const { slots, valueColumns, ordered, secondaryKey } = shapes.byShop;
  expect(slots).toHaveLength(1);
  expect(slots[0]).toMatchObject({ column: null, columnIndex: null });
  expect(slots[0]?.algebra.key).toBe("keyed:amt/sum,qty/count,qty/last:2");
  expect(valueColumns.map(({ name }) => name)).toEqual(["amt", "qty", "shop"]);
  expect([ordered, secondaryKey]).toEqual([true, { name: "shop", type: "string" }]);
  for (const { emptyValue } of shapes.byShop.features) expect(emptyValue).toEqual([]);
});

test("a view of attributes reads the newest row, whatever its age, or up to its ttl", () => {
  expect(shapes.profile).toMatchObject({
    windowing: "continuous",
    intervalMs: 0,
    attributes: { ttlMs: 30 * dayMs },
    ordered: true,
  });
  expect(shapes.archived.attributes).toEqual({ ttlMs: null });
  expect(shapes.profile.features.map(({ output, emptyValue }) => [output, emptyValue])).toEqual([
    ["int64", null],
    ["string", null],
    ["timestamp", null],
    ["boolean", null],
  ]);
});

const head = 'Cannot define view "v"';
const call = 'features.amt has sum("1d", { series: { from: "-7d" } })';

test.each<[string, object, string]>([
  [
    "windows that do not fill their series",
    seriesOf({ from: "-3d" }, "2d"),
    `${head}: features.amt has sum("2d", { series: { from: "-3d" } }): its windows do not fill the series, make its length of "3d" the window and a multiple of the step "2d"`,
  ],
  [
    "a series shorter than its window",
    seriesOf({ from: "-7d", to: "-6d", step: "1h" }, "2d"),
    'its series is shorter than its window, make it start "2d" or more before it ends',
  ],
  [
    "a series that ends before it starts",
    seriesOf({ from: "-1d", to: "-7d" }),
    "its series is shorter than its window",
  ],
  [
    "a step off the grid",
    seriesOf({ from: "-7d", step: "1m" }),
    'with interval "5m", make series.step a multiple of the interval',
  ],
  [
    "an end off the grid",
    seriesOf({ from: "-7d", to: "-1m" }, "1d", { interval: "10m" }),
    'with interval "10m", make series.to a multiple of the interval',
  ],
  ["a window off the grid", seriesOf({ from: "-90s", step: "5m" }, "90s"), "make the window a"],
  [
    "too many windows",
    seriesOf({ from: "-1001h" }, "1h"),
    "its series has 1001 windows, expected at most 1000",
  ],
  [
    "another spelling of a step",
    seriesOf({ from: "-7d", step: "24h" }),
    'series.step is "24h", write "1d", as feature names do',
  ],
  [
    "another spelling of the start",
    seriesOf({ from: "-24h" }),
    'series.from without the sign is "24h", write "1d"',
  ],
  ["a misspelt field", seriesOf({ from: "-7d", stepp: "1d" }), 'an unknown field "stepp"'],
  ["a series that is a text", seriesOf("-7d" as unknown as object), "its series is a string"],
  [
    "a series of lifetimes",
    seriesOf({ from: "-7d" }, "lifetime"),
    "a lifetime window makes no series, give it a length",
  ],
  [
    "a series with an offset",
    { ...base, features: { amt: [sum("1d", { offset: "-1d", series: { from: "-7d" } })] } },
    "it has an offset and a series, say in the series where it ends",
  ],
  [
    "series that differ in how they are aligned alone",
    {
      ...base,
      features: {
        amt: [
          sum("1d", { series: { from: "-7d" } }),
          sum("1d", { series: { from: "-7d", align: "lead" } }),
        ],
      },
    },
    '"amt_sum_1d_5m_series_7d_0s_1d" twice',
  ],
  [
    "an alignment that is none",
    seriesOf({ from: "-7d", align: 1 }),
    `series.align is a number, expected "step" or "lead"`,
  ],
  ["a secondary key that is no name", { ...base, secondaryKey: 3 }, "secondaryKey is a number"],
  [
    "a secondary key that is no column",
    { ...base, secondaryKey: "store" },
    'secondaryKey is "store", which is not a column of source "events", expected one of',
  ],
  [
    "a secondary key of another type",
    { ...base, secondaryKey: "vip" },
    'secondaryKey "vip" has type "boolean", expected "string" or "int64"',
  ],
  [
    "a secondary key that is a join key",
    { ...base, secondaryKey: "user_id" },
    'secondaryKey "user_id" is a join key, expected another column',
  ],
  [
    "an aggregated secondary key",
    { ...base, secondaryKey: "qty", features: { qty: [sum("1d")] } },
    "features.qty aggregates the secondary key, remove it or choose another key",
  ],
  [
    "a series with a secondary key",
    { ...seriesOf({ from: "-7d" }), secondaryKey: "shop" },
    'feature "amt_sum_1d_5m_series_7d_0s_1d" is a series in a view with a secondary key',
  ],
  [
    "features and attributes",
    { ...base, attributes: ["shop"] },
    `${head}: it has features and attributes, move the attributes to a view of their own`,
  ],
  ["no attributes", { ...shared, attributes: [] }, "attributes has 0 entries, expected at least 1"],
  ["attributes that are no list", { ...shared, attributes: "shop" }, "attributes is a string"],
  [
    "an attribute that is no column",
    { ...shared, attributes: ["tier"] },
    'attributes has "tier", which is not a column of source "events", expected one of',
  ],
  ["an attribute twice", { ...shared, attributes: ["shop", "shop"] }, '"shop" twice, remove one'],
  [
    "an interval for attributes",
    { ...shared, attributes: ["shop"], interval: "5m" },
    'it has an unknown field "interval", expected only entities, source, history, compaction',
  ],
  ["a ttl of nothing", { ...shared, attributes: ["shop"], ttl: "0s" }, 'ttl is "0s", expected'],
  ["a ttl of aggregations", { ...base, ttl: "1d" }, 'it has an unknown field "ttl"'],
  ["nothing to answer", { ...base, features: undefined }, "features is missing"],
])("streamView() refuses %s", (_, config, message) => {
  expect(() => untyped.streamView("v", config)).toThrow(DefinitionError);
  expect(() => untyped.streamView("v", config)).toThrow(message);
});

test("errors show a series as it was written", () => {
  expect(() =>
    untyped.streamView("v", seriesOf({ from: "-7d" }, "1d", { interval: "7m" })),
  ).toThrow(`${head}: ${call}`);
});

test("what is new is in the fingerprint of the views that have it", () => {
  const attributes = { ...shared, attributes: ["shop", "qty"] };
  const prints = [
    base,
    { ...base, secondaryKey: "shop" },
    { ...base, secondaryKey: "till" },
    seriesOf({ from: "-7d" }),
    seriesOf({ from: "-7d", align: "lead" }),
    seriesOf({ from: "-6d" }),
    seriesOf({ from: "-7d", step: "12h" }),
    attributes,
    { ...attributes, attributes: ["shop"] },
    { ...attributes, ttl: "1d" },
    { ...attributes, ttl: "2d" },
  ].map((config) => untyped.streamView("v", config).fingerprint);
  expect(new Set(prints).size).toBe(prints.length);
  const reordered = { ...attributes, attributes: ["qty", "shop"] };
  expect(untyped.streamView("v", reordered).fingerprint).toBe(
    untyped.streamView("v", attributes).fingerprint,
  );
  const explicit = seriesOf({ from: "-7d", to: "0s", step: "1d", align: "step" });
  expect(untyped.streamView("v", explicit).fingerprint).toBe(
    untyped.streamView("v", seriesOf({ from: "-7d" })).fingerprint,
  );
});

test("sawtooth and continuous views have series whose step is on no grid but its own", () => {
  for (const change of [
    { windowing: "continuous", interval: undefined },
    { windowing: "sawtooth" },
  ]) {
    const series = { from: "-1d", step: "7s", to: "-10m" };
    const long = { ...series, from: `-${600 + 300 + 7 * 9}s` };
    const { features } = untyped.streamView("v", seriesOf(long, "5m", change));
    expect(features[0]?.series).toEqual({ count: 10, stepMs: 7_000 });
  }
});
