/** The states of fixed values, the same on every runtime: run it on one to see what it writes. */

import { functionNamed } from "../../src/aggregate/functions.ts";
import { ByteWriter } from "../../src/core/bytes.ts";
import { digestText } from "../../src/core/hash.ts";
import type { Scalar, ScalarType } from "../../src/core/value.ts";

interface FixedState {
  readonly name: string;
  readonly type: ScalarType;
  readonly n: number | null;
  readonly values: readonly Scalar[];
}

const numbers = Array.from({ length: 2_000 }, (_, i) => {
  const bits = Math.imul(i, 0x9e3779b1);
  // A product with a power of two is exact: the values are the same everywhere.
  return bits * 2 ** ((i % 61) - 30);
});
const strings = Array.from({ length: 300 }, (_, i) => `merchant-${(i * i) % 97}-é`);
const integers: readonly Scalar[] = [
  0,
  1,
  -1,
  2 ** 53 - 1,
  2n ** 53n,
  -(2n ** 63n),
  2n ** 63n - 1n,
];

const fixedStates: readonly FixedState[] = [
  { name: "approx_count_distinct", type: "string", n: null, values: strings.slice(0, 12) },
  { name: "approx_count_distinct", type: "float64", n: null, values: numbers },
  { name: "approx_count_distinct", type: "int64", n: 4, values: integers },
  { name: "approx_percentile", type: "float64", n: 0.95, values: numbers },
  { name: "approx_percentile", type: "int64", n: 0.5, values: integers },
  { name: "top_k", type: "string", n: 3, values: strings },
  { name: "histogram", type: "int64", n: null, values: integers },
];

/** A line for each: the bytes of its state, as a digest where they are many, and the answer. */
export function describeFixedStates(): string[] {
  return fixedStates.map(({ name, type, n, values }) => {
    const bound = functionNamed(name).bind(type, n);
    const states = bound.states.map((algebra) => {
      const state = algebra.empty();
      for (const value of values) algebra.addInto(state, value, { timestampMs: 0, tie: "" });
      return state;
    });
    const writer = new ByteWriter();
    bound.states.forEach((algebra, i) => algebra.write(states[i], writer));
    const hex = Array.from(writer.finish(), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const bytes = hex.length > 100 ? `${digestText(hex)} of ${writer.length} bytes` : hex;
    const answer = JSON.stringify(bound.finish(states), (_, each: unknown) =>
      typeof each === "bigint" ? `${each}n` : each,
    );
    const short = answer.length > 100 ? digestText(answer) : answer;
    return `${name}${n === null ? "" : `(${n})`} of ${type}: ${bytes} -> ${short}`;
  });
}

if (import.meta.main) process.stdout.write(`${describeFixedStates().join("\n")}\n`);
