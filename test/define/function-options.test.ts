/** What definitions give to sketches and value counts: names, ranges, fingerprints. */

import { expect, test } from "vitest";
import {
  approxCountDistinct,
  approxPercentile,
  DefinitionError,
  histogram,
  streamView,
  sum,
  topK,
} from "../../src/index.ts";
import type { Aggregation } from "../../src/index.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { transactions, user } from "./fixtures.ts";
import { favourite, sketched } from "./types.test-d.ts";

const untyped = {
  approxCountDistinct,
  approxPercentile,
  histogram,
  sum,
  topK,
} as unknown as Record<string, (...given: unknown[]) => Aggregation>;

function viewOf(features: Readonly<Record<string, readonly Aggregation[]>>): ViewDefinition {
  const define = streamView as unknown as (name: string, config: object) => ViewDefinition;
  return define("v", {
    entities: [user],
    source: transactions,
    windowing: "sliding",
    interval: "5m",
    features,
    compaction: { every: "1d" },
  });
}

test("feature names have the number that was given, its point as an underscore", () => {
  expect(sketched.features.map(({ name }) => name)).toEqual([
    "amt_approx_count_distinct_1d_5m",
    "amt_approx_percentile_0_1d_5m",
    "amt_approx_percentile_0_95_1d_5m",
    "amt_approx_percentile_1_1d_5m_offset_1d",
    "merchant_approx_count_distinct_12_1d_5m",
    "merchant_top_k_3_1d_5m",
    "qty_histogram_1d_5m",
  ]);
  expect(favourite.name).toBe("favourite");
});

test("features of one column share a state where their options are equal", () => {
  const keysOf = (features: Readonly<Record<string, readonly Aggregation[]>>) =>
    viewOf(features).slots.map(({ algebra }) => algebra.key);
  expect(keysOf({ merchant: [topK(3, "1d"), topK(5, "7d"), histogram("1d")] })).toEqual([
    "value_counts:1000",
  ]);
  expect(keysOf({ merchant: [topK(3, "1d"), histogram("1d", { distinctMax: 9 })] })).toEqual([
    "value_counts:1000",
    "value_counts:9",
  ]);
  expect(keysOf({ amt: [approxPercentile(0.5, "1d"), approxPercentile(0.9, "1d")] })).toEqual([
    "approx_percentile:0.01",
  ]);
});

const head = 'Cannot define view "v": features.';

test.each<[given: () => Aggregation, column: string, message: string]>([
  [
    () => approxCountDistinct(3, "1d"),
    "amt",
    'amt has approxCountDistinct(3, "1d") with a precision of 3, make it an integer from 4 to 16',
  ],
  [() => approxCountDistinct(17, "1d"), "amt", "with a precision of 17, make it an integer"],
  [() => approxPercentile(1.01, "1d"), "amt", "a percentile of 1.01, make it a number from 0 to 1"],
  [() => approxPercentile(-0.1, "1d"), "amt", "with a percentile of -0.1, make it a number"],
  [() => approxPercentile(NaN, "1d"), "amt", "with a percentile of NaN, make it a number"],
  [() => approxPercentile(1e-7, "1d"), "amt", "of 1e-7, make it 0 or at least 0.000001"],
  [
    () => approxPercentile(0.5, "1d", { accuracy: 0.2 }),
    "amt",
    "with accuracy 0.2, make it a number from 0.001 to 0.1",
  ],
  [
    () => untyped["approxPercentile"]?.(0.5, "1d", { accuracy: "1 %" }) as Aggregation,
    "amt",
    "with accuracy a string, make it a number from 0.001 to 0.1",
  ],
  [() => topK(0, "1d"), "merchant", "with a k of 0, make it an integer from 1 to 1000"],
  [() => topK(1001, "1d"), "merchant", "with a k of 1001, make it an integer from 1 to 1000"],
  [() => untyped["topK"]?.(null, "1d") as Aggregation, "merchant", "without a k, give one from 1"],
  [
    () => histogram("1d", { distinctMax: 65_537 }),
    "merchant",
    "with distinctMax 65537, make it an integer from 1 to 65536",
  ],
  [() => histogram("1d", { distinctMax: 1.5 }), "merchant", "with distinctMax 1.5, make it an"],
  [
    () => untyped["histogram"]?.("1d", { distinct: 9 }) as Aggregation,
    "merchant",
    'with an unknown option "distinct", expected only offset, series, description, distinctMax',
  ],
  [
    () => untyped["sum"]?.("1d", { ofset: "-1d" }) as Aggregation,
    "amt",
    'with an unknown option "ofset", expected only offset, series, description',
  ],
])("streamView() refuses numbers out of range, case %#", (give, column, message) => {
  const define = () => viewOf({ [column]: [give()] });
  expect(define).toThrow(DefinitionError);
  expect(define).toThrow(head);
  expect(define).toThrow(message);
});

test("numbers at the ends of their ranges are taken", () => {
  const view = viewOf({
    amt: [
      approxCountDistinct(4, "1d"),
      approxCountDistinct(16, "1d"),
      approxPercentile(0, "1d", { accuracy: 0.001 }),
      approxPercentile(0.000001, "1d", { accuracy: 0.1 }),
    ],
    merchant: [topK(1000, "1d", { distinctMax: 65_536 }), histogram("1d", { distinctMax: 1 })],
  });
  expect(view.features.map(({ n, option }) => [n, option])).toEqual([
    [16, null],
    [4, null],
    [0.000001, 0.1],
    [0, 0.001],
    [null, 1],
    [1000, 65_536],
  ]);
});

test("two features that differ in an option alone are duplicates", () => {
  expect(() =>
    viewOf({ amt: [approxPercentile(0.5, "1d"), approxPercentile(0.5, "1d", { accuracy: 0.1 })] }),
  ).toThrow('features.amt has "amt_approx_percentile_0_5_1d_5m" twice, remove one');
});

test("the fingerprint changes with each number, also where the states stay the same", () => {
  const lists: readonly Readonly<Record<string, readonly Aggregation[]>>[] = [
    { amt: [approxPercentile(0.5, "1d")] },
    { amt: [approxPercentile(0.6, "1d")] },
    { amt: [approxPercentile(0.5, "1d", { accuracy: 0.02 })] },
    { amt: [approxCountDistinct("1d")] },
    { amt: [approxCountDistinct(8, "1d")] },
    { merchant: [topK(3, "1d"), histogram("1d", { distinctMax: 9 })] },
    { merchant: [topK(3, "1d", { distinctMax: 9 }), histogram("1d")] },
  ];
  expect(new Set(lists.map((features) => viewOf(features).fingerprint)).size).toBe(lists.length);
  expect(viewOf({ amt: [approxPercentile(0.5, "1d", { accuracy: 0.01 })] }).fingerprint).toBe(
    viewOf({ amt: [approxPercentile(0.5, "1d")] }).fingerprint,
  );
});
