/** Builds the functions of the table: what every one of them takes for granted is asserted here. */

import { assert } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ScalarType } from "../core/value.ts";
import type { AggregateFunction, BoundFunction } from "./aggregate.ts";

/** Column types that can be summed. */
export const numericTypes: readonly ScalarType[] = ["int64", "float64"];

/** Every column type. */
export const allTypes: readonly ScalarType[] = [
  "string",
  "int64",
  "float64",
  "boolean",
  "timestamp",
];

/** A function that takes no count n. */
export function createFunction(
  name: string,
  inputs: readonly ScalarType[],
  bind: (input: ScalarType) => BoundFunction,
): AggregateFunction {
  return {
    name,
    inputs,
    takesCount: "none",
    bind(input, n) {
      assert(inputs.includes(input), `${name} takes one of its inputs, not ${input}`);
      assert(n === null, `${name} takes no count`);
      return bind(input);
    },
  };
}

export interface CountedFunction {
  readonly name: string;
  readonly inputs: readonly ScalarType[];
  readonly takesCount: "optional" | "required";
  readonly bind: (input: ScalarType, n: number | null) => BoundFunction;
}

/** A function that may, or must, be given a count n of 1 to 1000. */
export function createCountedFunction(declared: CountedFunction): AggregateFunction {
  const { name, inputs, takesCount } = declared;
  return {
    name,
    inputs,
    takesCount,
    bind(input, n) {
      assert(inputs.includes(input), `${name} takes one of its inputs, not ${input}`);
      assert(n !== null || takesCount === "optional", `${name} is given a count`);
      const inRange = n === null || (Number.isInteger(n) && n >= 1 && n <= limits.lastCountMax);
      assert(inRange, `the count of ${name} is an integer from 1 to ${limits.lastCountMax}`);
      return declared.bind(input, n);
    },
  };
}
