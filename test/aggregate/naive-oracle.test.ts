/** Every function against the brute-force model. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { registerBitsOf } from "../../src/aggregate/sketches/approx-count-distinct.ts";
import { aggregateFunctions, functionNamed } from "../../src/aggregate/functions.ts";
import { ByteReader } from "../../src/core/bytes.ts";
import { int64Max, int64Min, toInt64 } from "../../src/core/value.ts";
import type { Scalar, ScalarType, Value } from "../../src/core/value.ts";
import { answer, bytesOf, eventsOf, fold, functionCases } from "./function-cases.ts";
import type { Event, FunctionCase } from "./function-cases.ts";
import {
  compareValues,
  distinctOf,
  isNearest,
  isPastDouble,
  isSquareRoot,
  isWithin,
  meanOf,
  sortEvents,
  sumOf,
  valueAtRank,
  varianceOf,
} from "./naive-oracle.ts";
import type { Fraction } from "./naive-oracle.ts";

const options = { seed: 7_041_776, numRuns: 300 };

/** What a function must answer for some events, and throws an assertion otherwise. */
type Oracle = (actual: Value, events: readonly Event[], row: FunctionCase) => void;

const oracles: Readonly<Record<string, Oracle>> = {
  count: (actual, events) => expect(actual).toBe(events.length),
  sum: expectSum,
  mean: (actual, events) =>
    expectNearest(actual, events.length === 0 ? null : meanOf(valuesOf(events))),
  min: (actual, events) => expect(actual).toBe(valuesOf(events).sort(compareValues)[0] ?? null),
  max: (actual, events) => expect(actual).toBe(valuesOf(events).sort(compareValues).at(-1) ?? null),
  var_pop: (actual, events) => expectNearest(actual, variance(events, 0)),
  var_samp: (actual, events) => expectNearest(actual, variance(events, 1)),
  stddev_pop: (actual, events) => expectRoot(actual, variance(events, 0)),
  stddev_samp: (actual, events) => expectRoot(actual, variance(events, 1)),
  last: (actual, events, { n }) => {
    const sorted = valuesOf(sortEvents(events));
    expect(actual).toEqual(n === null ? (sorted.at(-1) ?? null) : sorted.slice(-n));
  },
  first: (actual, events, { n }) => {
    const sorted = valuesOf(sortEvents(events));
    expect(actual).toEqual(n === null ? (sorted[0] ?? null) : sorted.slice(0, n));
  },
  last_distinct: (actual, events, { n }) =>
    expect(actual).toEqual(
      distinctOf(sortEvents(events).reverse())
        .slice(0, n as number)
        .reverse(),
    ),
  first_distinct: (actual, events, { n }) =>
    expect(actual).toEqual(distinctOf(sortEvents(events)).slice(0, n as number)),
  approx_count_distinct: (actual, events, { n }) => {
    const exact = distinctOf(events).length;
    const precision = n ?? 8;
    const isFew = exact <= 3 * 2 ** (registerBitsOf(precision) - 4);
    // Four sigmas; how large the errors are is measured in its own test.
    const errorMax = isFew ? 0 : (4 * 1.04 * exact) / 2 ** (precision / 2);
    expect(Math.abs((actual as number) - exact)).toBeLessThanOrEqual(errorMax);
  },
  approx_percentile: (actual, events, { n, option }) => {
    const exact = valueAtRank(valuesOf(events), n as number);
    if (exact === null) return expect(actual).toBe(null);
    expect(actual).toSatisfy((value) => isWithin(value as number, exact, option ?? 0.01));
  },
  top_k: (actual, events, { n, option }) => {
    const counted = countsByBruteForce(events, option ?? 1000);
    if (counted === null) return expect(actual).toBe("OVERFLOW");
    expect(actual).toEqual(counted.sort((a, b) => b[1] - a[1]).slice(0, n as number));
  },
  histogram: (actual, events, { option }) =>
    expect(actual).toEqual(countsByBruteForce(events, option ?? 1000) ?? "OVERFLOW"),
};

/** By value; null for too many. */
function countsByBruteForce(
  events: readonly Event[],
  distinctMax: number,
): [Scalar, number][] | null {
  const all = valuesOf(events);
  const distinct = [...new Set(all)].sort(compareValues);
  if (distinct.length > distinctMax) return null;
  return distinct.map((value) => [value, all.filter((each) => each === value).length]);
}

function valuesOf(events: readonly Event[]): Scalar[] {
  return events.map(({ value }) => value);
}

function variance(events: readonly Event[], lost: number): Fraction | null {
  return events.length <= lost ? null : varianceOf(valuesOf(events), events.length - lost);
}

function expectSum(actual: Value, events: readonly Event[], { input }: FunctionCase): void {
  if (events.length === 0) return expect(actual).toBe(null);
  const sum = sumOf(valuesOf(events));
  if (input === "float64") return expectNearest(actual, sum);
  const exact = sum.numerator / sum.denominator;
  const isPast = exact < int64Min || exact > int64Max;
  expect(actual).toBe(isPast ? "OVERFLOW" : toInt64(exact));
}

function expectNearest(actual: Value, exact: Fraction | null): void {
  if (exact === null) return expect(actual).toBe(null);
  if (isPastDouble(exact)) return expect(actual).toBe("OVERFLOW");
  expect(actual).toSatisfy((value) => isNearest(value as number, exact));
}

function expectRoot(actual: Value, exact: Fraction | null): void {
  if (exact === null) return expect(actual).toBe(null);
  const { numerator, denominator } = exact;
  if (isPastDouble({ numerator, denominator: denominator * 2n ** 1024n })) {
    return expect(actual).toBe("OVERFLOW");
  }
  expect(actual).toSatisfy((value) => isSquareRoot(value as number, exact));
}

test("every function has an oracle", () => {
  expect(Object.keys(oracles).sort()).toEqual([...aggregateFunctions.keys()].sort());
});

test.each(functionCases.map((row) => [row.label, row] as const))(
  "%s answers as brute force does",
  (_, row) => {
    const oracle = oracles[row.name] as Oracle;
    fc.assert(
      fc.property(eventsOf(row.input, 12), (events) => {
        const given = structuredClone(events);
        oracle(answer(row.bound, fold(row.bound.states, events)), events, row);
        expect(events).toEqual(given);
      }),
      options,
    );
  },
);

interface NumericCase {
  readonly name: string;
  readonly input: ScalarType;
  readonly values: readonly Scalar[];
  readonly expected: Value;
}

const [most, least] = [int64Max, int64Min];
const greatest = Number.MAX_VALUE;

// Worked out by hand or with Python's fractions and math.fsum.
const numericCases: readonly NumericCase[] = [
  { name: "sum", input: "float64", values: [1e16, 0.1, -1e16], expected: 0.1 },
  { name: "sum", input: "float64", values: Array(10).fill(0.1), expected: 1 },
  { name: "sum", input: "float64", values: [0.1, -0.1], expected: 0 },
  { name: "sum", input: "float64", values: [1e308, 1e308, -1e308], expected: 1e308 },
  { name: "sum", input: "float64", values: [greatest, greatest], expected: "OVERFLOW" },
  { name: "sum", input: "float64", values: [-greatest, -greatest], expected: "OVERFLOW" },
  { name: "sum", input: "float64", values: [greatest, 9.9e291], expected: greatest },
  { name: "sum", input: "float64", values: [greatest, 2 ** 970], expected: "OVERFLOW" },
  { name: "sum", input: "float64", values: [5e-324, 5e-324], expected: 1e-323 },
  {
    name: "sum",
    input: "float64",
    values: [2 ** -1022, -5e-324],
    expected: 2.225073858507201e-308,
  },
  { name: "sum", input: "float64", values: [1, 2 ** -53], expected: 1 },
  { name: "sum", input: "float64", values: [1, 2 ** -53, 5e-324], expected: 1 + 2 ** -52 },
  { name: "sum", input: "float64", values: [1 + 2 ** -52, 2 ** -53], expected: 1 + 2 ** -51 },
  { name: "sum", input: "int64", values: [most, 1], expected: "OVERFLOW" },
  { name: "sum", input: "int64", values: [most, 1, -1], expected: most },
  { name: "sum", input: "int64", values: [least, -1, 1], expected: least },
  { name: "sum", input: "int64", values: [least, -1], expected: "OVERFLOW" },
  { name: "sum", input: "int64", values: [most, least], expected: -1 },
  { name: "sum", input: "int64", values: [2 ** 53 - 1, 1], expected: 2n ** 53n },
  { name: "sum", input: "int64", values: [2n ** 53n, -1], expected: 2 ** 53 - 1 },
  { name: "mean", input: "int64", values: [most, most, most - 1n], expected: 2 ** 63 },
  { name: "mean", input: "float64", values: [greatest, greatest, greatest], expected: greatest },
  { name: "mean", input: "float64", values: [1e16, 0.1, -1e16], expected: 0.1 / 3 },
  { name: "mean", input: "float64", values: [5e-324, 0], expected: 0 },
  { name: "var_pop", input: "float64", values: [3, 5, 10], expected: 26 / 3 },
  { name: "var_samp", input: "float64", values: [3, 5, 10], expected: 13 },
  { name: "var_samp", input: "int64", values: [1e15, 1e15 + 1, 1e15 + 2], expected: 1 },
  { name: "var_pop", input: "float64", values: [0.1, 0.1, 0.1], expected: 0 },
  { name: "var_pop", input: "float64", values: [greatest, -greatest], expected: "OVERFLOW" },
  { name: "var_pop", input: "int64", values: [most, least], expected: 2 ** 126 },
  { name: "stddev_pop", input: "float64", values: [greatest, -greatest], expected: greatest },
  { name: "stddev_samp", input: "float64", values: [greatest, -greatest], expected: "OVERFLOW" },
  { name: "stddev_pop", input: "float64", values: [1e-200, 3e-200], expected: 1e-200 },
  { name: "stddev_samp", input: "int64", values: [7], expected: null },
  { name: "stddev_pop", input: "int64", values: [7], expected: 0 },
  { name: "min", input: "string", values: ["\uFFFD", "😀", "\uE000"], expected: "\uE000" },
  { name: "max", input: "string", values: ["\uFFFD", "😀", "\uE000"], expected: "😀" },
  { name: "max", input: "int64", values: [2 ** 53 - 1, 2n ** 53n], expected: 2n ** 53n },
  { name: "count", input: "boolean", values: [false, false], expected: 2 },
];

test.each(numericCases)(
  "$name of $input $values is $expected",
  ({ name, input, values, expected }) => {
    const bound = functionNamed(name).bind(input, null);
    const events = values.map((value) => ({ value, order: { timestampMs: 0, tie: "" } }));
    const forwards = answer(bound, fold(bound.states, events));
    const backwards = answer(bound, fold(bound.states, events.toReversed()));
    expect(forwards).toBe(expected);
    expect(backwards).toBe(expected);
  },
);

test("last(1000) and first(1000) keep 1000 of 1001", () => {
  const events = Array.from({ length: 1_001 }, (_, i) => ({
    value: i,
    order: { timestampMs: (i * 7) % 1_001, tie: "" },
  }));
  const sorted = valuesOf(sortEvents(events));
  for (const name of ["last", "last_distinct", "first", "first_distinct"]) {
    const bound = functionNamed(name).bind("int64", 1_000);
    const kept = name.startsWith("last") ? sorted.slice(1) : sorted.slice(0, -1);
    expect(bound.finish(fold(bound.states, events))).toEqual(kept);
  }
});

test("equal events without an id are events of their own", () => {
  const event = { value: "a", order: { timestampMs: 5, tie: "" } };
  const last = functionNamed("last").bind("string", 3);
  const first = functionNamed("first").bind("string", 3);
  expect(last.finish(fold(last.states, [event, event]))).toEqual(["a", "a"]);
  expect(first.finish(fold(first.states, [event, event]))).toEqual(["a", "a"]);
});

test("functionNamed() names the functions there are", () => {
  expect(() => functionNamed("median")).toThrow(
    'Cannot find the function "median": there is none of that name, expected one of count, sum, mean',
  );
});

test.each([
  ["sum", "string", null],
  ["sum", "int64", 3],
  ["last_distinct", "string", null],
  ["last_distinct", "float64", 3],
  ["last", "string", 0],
  ["last", "string", 1_001],
  ["last", "string", 1.5],
] as const)("bind() of %s over %s with a count of %s is a broken invariant", (name, input, n) => {
  expect(() => functionNamed(name).bind(input, n)).toThrow("Assertion failed");
});

test.each<[what: string, name: string, input: ScalarType, bytes: readonly number[]]>([
  ["more entries than n", "last", "boolean", [2, 1, 1, 0, 0, 0, 0]],
  ["entries out of order", "last_distinct", "boolean", [2, 5, 2, 0, 0, 0, 1]],
  ["an instant that is none", "first", "boolean", [1, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0]],
  ["a flag of 2", "min", "int64", [2, 1]],
  ["a boolean of 2", "last", "boolean", [1, 1, 0, 2]],
  ["an infinity", "max", "float64", [1, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f]],
  ["a sum with a zero byte below", "sum", "int64", [4, 0, 0, 1]],
  ["a sum with a zero byte above", "sum", "int64", [4, 0, 1, 0]],
  ["a sum past its range", "sum", "int64", [2, 0xc0, 0x04, 1]],
  ["a sum below its range", "sum", "int64", [2, 0xa1, 0x04, 1]],
])("readInto() refuses %s", (...[, name, input, bytes]) => {
  const n = name === "last_distinct" ? 3 : null;
  const [algebra] = functionNamed(name).bind(input, n).states;
  const reader = new ByteReader(new Uint8Array(bytes));
  expect(() => algebra?.readInto(algebra.empty(), reader)).toThrow(
    expect.objectContaining({
      code: "CORRUPT_RECORD",
      message: expect.not.stringContaining("record ends"),
    }),
  );
});

test.each<[values: readonly number[], hex: string]>([
  [[], "00"],
  [[0], "01"],
  [[5, -5], "01"],
  [[1], "020001"],
  [[-2.5], "05018002"],
  [[256], "020201"],
  [[5e-324], "028d0240"],
])("the bytes of the sum of %j are %s", (values, hex) => {
  const [algebra] = functionNamed("sum").bind("float64", null).states;
  const events = values.map((value) => ({ value, order: { timestampMs: 0, tie: "" } }));
  const bytes = algebra && bytesOf(algebra, fold([algebra], events)[0]);
  expect(Buffer.from(bytes ?? []).toString("hex")).toBe(hex);
});
