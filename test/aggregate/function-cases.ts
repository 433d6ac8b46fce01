/** Every function over every column type it takes, with its numbers, and events to feed them. */

import * as fc from "fast-check";
import type {
  AggregateFunction,
  BoundFunction,
  EventOrder,
  StateAlgebra,
} from "../../src/aggregate/aggregate.ts";
import { aggregateFunctions } from "../../src/aggregate/functions.ts";
import { ByteWriter } from "../../src/core/bytes.ts";
import { OverflowError } from "../../src/core/errors.ts";
import { toInt64 } from "../../src/core/value.ts";
import type { Scalar, ScalarType, Value } from "../../src/core/value.ts";

export interface FunctionCase {
  /** As in `last(3) of string`. */
  readonly label: string;
  readonly name: string;
  readonly input: ScalarType;
  readonly n: number | null;
  readonly option: number | null;
  readonly bound: BoundFunction;
}

export interface Event {
  readonly value: Scalar;
  readonly order: EventOrder;
}

type Numbers = readonly [n: number | null, option: number | null];

/** Numbers to try a function with, by what its n is called: a count, a precision, and so on. */
const numbersByName: Readonly<Record<string, readonly Numbers[]>> = {
  none: [[null, null]],
  count: [
    [null, null],
    [1, null],
    [3, null],
    [1000, null],
  ],
  // With the precision 4, thirteen values are no longer few.
  precision: [
    [null, null],
    [4, null],
  ],
  percentile: [
    [0.5, null],
    [0.95, 0.1],
    [1, 0.001],
  ],
  k: [
    [3, null],
    [1, 4],
  ],
  distinctMax: [
    [null, null],
    [null, 3],
  ],
};

function numbersFor({ n, option }: AggregateFunction): readonly Numbers[] {
  const numbers = numbersByName[(n ?? option)?.name ?? "none"] ?? [];
  return numbers.filter(([given]) => given !== null || n?.isRequired !== true);
}

export const functionCases: readonly FunctionCase[] = [...aggregateFunctions.values()].flatMap(
  (aggregate) =>
    aggregate.inputs.flatMap((input) =>
      numbersFor(aggregate).map(([n, option]) => ({
        label: `${aggregate.name}${writeNumbers(n, option)} of ${input}`,
        name: aggregate.name,
        input,
        n,
        option,
        bound: aggregate.bind(input, n, option),
      })),
    ),
);

function writeNumbers(...numbers: readonly (number | null)[]): string {
  const given = numbers.filter((number) => number !== null);
  return given.length === 0 ? "" : `(${given.join(", ")})`;
}

/** The states of a function after some events, each in an array like the one `finish` takes. */
export function fold(states: readonly StateAlgebra[], events: readonly Event[]): unknown[] {
  return states.map((algebra) => {
    const state = algebra.empty();
    for (const { value, order } of events) algebra.addInto(state, value, order);
    return state;
  });
}

export function bytesOf(algebra: StateAlgebra, state: unknown): Uint8Array {
  const writer = new ByteWriter(1);
  algebra.write(state, writer);
  return writer.finish();
}

/** The answer, or the code of the overflow; any other error is the test's failure. */
export function answer(bound: BoundFunction, states: readonly unknown[]): Value {
  try {
    return bound.finish(states);
  } catch (error) {
    if (error instanceof OverflowError) return error.code;
    throw error;
  }
}

const nastyFloats = [
  0, 0.1, -0.1, 0.2, 0.3, 1e16, -1e16, 1, -1, 1e-9, 1e308, -1e308, 5e-324, -5e-324, 1.5e-323,
  2.2250738585072014e-308, 2.225073858507201e-308, 1.7976931348623157e308, -1.7976931348623157e308,
  9007199254740993, 4503599627370497.5, 1.1102230246251565e-16, 1e-140, 1e-160, 1e150, 1e-200,
];

const nastyIntegers = [
  0n,
  1n,
  -1n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 52n,
  -(2n ** 52n),
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 62n,
  -(2n ** 62n),
  3_037_000_500n,
];

const nastyStrings = ["", "a", "b", "ab", "é", "日本", "😀", "🏁", "\uE000", "\uFFFD", "__proto__"];

const floats = fc.oneof(
  fc.constantFrom(...nastyFloats),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.integer({ min: -100_000, max: 100_000 }).map((cents) => cents / 100 + 0),
);

const integers = fc.oneof(
  fc.constantFrom(...nastyIntegers).map(toInt64),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(toInt64),
  fc.integer({ min: -100, max: 100 }),
);

/** Few instants, so that ties in time are common, and the furthest ones there are. */
const instants = fc.oneof(
  fc.integer({ min: -3, max: 5 }),
  fc.constantFrom(8.64e15, -8.64e15, 1_686_626_446_563),
);

const values: Readonly<Record<ScalarType, fc.Arbitrary<Scalar>>> = {
  string: fc.oneof(fc.constantFrom(...nastyStrings), fc.string({ unit: "grapheme" })),
  int64: integers,
  float64: floats,
  boolean: fc.boolean(),
  timestamp: instants,
};

/** Events of a column, in any order of arrival. Some are equal in time, in tie, or altogether. */
export function eventsOf(input: ScalarType, countMax = 24): fc.Arbitrary<Event[]> {
  const event = fc.record({
    value: values[input],
    order: fc.record({ timestampMs: instants, tie: fc.constantFrom("", "a", "b", "😀", "\uE000") }),
  });
  return fc.array(event, { maxLength: countMax });
}
