import { expect, test } from "vitest";
import { aggregateFunctions } from "../../src/aggregate/functions.ts";
import type { ScalarType } from "../../src/core/value.ts";
import * as helpers from "../../src/define/aggregation.ts";
import type { FunctionName, FunctionNameFor } from "../../src/define/aggregation.ts";

const numeric = ["mean", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp"] as const;
const distinct = ["first_distinct", "last_distinct"] as const;
const general = ["approx_count_distinct", "count", "first", "last"] as const;
const counted = ["histogram", "top_k"] as const;
const percentile = ["approx_percentile"] as const;
const extreme = ["max", "min"] as const;

/** What the types say each column type may be aggregated by; the claims below check both ways. */
const namesByType = {
  string: [...general, ...extreme, ...distinct, ...counted],
  int64: [...general, ...extreme, ...distinct, ...numeric, ...counted, ...percentile],
  float64: [...general, ...extreme, ...numeric, ...percentile],
  boolean: [...general, ...distinct, ...counted],
  timestamp: [...general, ...extreme, ...distinct, ...counted],
} as const satisfies { readonly [Type in ScalarType]: readonly FunctionNameFor<Type>[] };

type Unlisted = {
  [Type in ScalarType]: Exclude<FunctionNameFor<Type>, (typeof namesByType)[Type][number]>;
}[ScalarType];

// Fails to compile when the types allow a function that the table above does not list.
const allListed: [Unlisted] extends [never] ? true : false = true;

test("the functions the types allow a column are those of the table of functions", () => {
  expect(allListed).toBe(true);
  for (const [type, names] of Object.entries(namesByType)) {
    const registered = [...aggregateFunctions.values()]
      .filter(({ inputs }) => inputs.includes(type as ScalarType))
      .map(({ name }) => name);
    expect([...names].sort(), type).toEqual(registered.sort());
  }
});

const calls: readonly (readonly [helpers.Aggregation, FunctionName])[] = [
  [helpers.count("1h"), "count"],
  [helpers.sum("1h"), "sum"],
  [helpers.mean("1h"), "mean"],
  [helpers.min("1h"), "min"],
  [helpers.max("1h"), "max"],
  [helpers.varPop("1h"), "var_pop"],
  [helpers.varSamp("1h"), "var_samp"],
  [helpers.stddevPop("1h"), "stddev_pop"],
  [helpers.stddevSamp("1h"), "stddev_samp"],
  [helpers.last("1h"), "last"],
  [helpers.first("1h"), "first"],
  [helpers.approxCountDistinct("1h"), "approx_count_distinct"],
  [helpers.histogram("1h"), "histogram"],
];

test.each(calls)("an aggregation helper without a count, case %#", (aggregation, functionName) => {
  expect(aggregation).toEqual({
    kind: "aggregation",
    functionName,
    n: null,
    window: "1h",
    offset: null,
    description: null,
  });
});

const options = { offset: "-1d", description: "Before" } as const;

const countedCalls: readonly (readonly [helpers.Aggregation, FunctionName])[] = [
  [helpers.last(3, "1h", options), "last"],
  [helpers.first(3, "1h", options), "first"],
  [helpers.lastDistinct(3, "1h", options), "last_distinct"],
  [helpers.firstDistinct(3, "1h", options), "first_distinct"],
  [helpers.approxCountDistinct(3, "1h", options), "approx_count_distinct"],
  [helpers.approxPercentile(3, "1h", options), "approx_percentile"],
  [helpers.topK(3, "1h", options), "top_k"],
];

test.each(countedCalls)(
  "an aggregation helper with a count, case %#",
  (aggregation, functionName) => {
    expect(aggregation).toEqual({
      kind: "aggregation",
      functionName,
      n: 3,
      window: "1h",
      ...options,
    });
  },
);

test("an aggregation helper hands on the options of its function", () => {
  const given = [
    helpers.approxPercentile(0.5, "1h", { ...options, accuracy: 0.05 }),
    helpers.topK(3, "1h", { distinctMax: 9 }),
    helpers.histogram("1h", { distinctMax: 9 }),
    helpers.histogram("1h"),
  ];
  expect(given.map(({ functionOptions }) => functionOptions)).toEqual([
    { accuracy: 0.05 },
    { distinctMax: 9 },
    { distinctMax: 9 },
    undefined,
  ]);
});

test("every function of the table has a helper", () => {
  const named = [...calls, ...countedCalls].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(aggregateFunctions.keys()));
});
