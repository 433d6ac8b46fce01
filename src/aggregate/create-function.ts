/** Builds the functions of the table: what every one of them takes for granted is asserted here. */

import { assert } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ScalarType } from "../core/value.ts";
import type { AggregateFunction, BoundFunction, NumberParameter } from "./aggregate.ts";

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

/** A function that is given no numbers. */
export function createFunction(
  name: string,
  inputs: readonly ScalarType[],
  bind: (input: ScalarType) => BoundFunction,
): AggregateFunction {
  return createNumberedFunction({ name, inputs, n: null, option: null, bind });
}

export interface CountedFunction {
  readonly name: string;
  readonly inputs: readonly ScalarType[];
  readonly takesCount: "optional" | "required";
  readonly bind: (input: ScalarType, n: number | null) => BoundFunction;
}

/** A function that may, or must, be given a count n of 1 to 1000. */
export function createCountedFunction(declared: CountedFunction): AggregateFunction {
  const { takesCount, ...rest } = declared;
  const count = { name: "count", min: 1, max: limits.lastCountMax, isInteger: true };
  return createNumberedFunction({
    ...rest,
    n: { ...count, isRequired: takesCount === "required" },
    option: null,
  });
}

export type NumberedFunction = Omit<AggregateFunction, "bind"> & {
  /** @param option NaN where it has none. */
  readonly bind: (input: ScalarType, n: number | null, option: number) => BoundFunction;
};

/** A function that is given an n, an option, or both. */
export function createNumberedFunction(declared: NumberedFunction): AggregateFunction {
  const { name, inputs, n: parameter, option: optionParameter } = declared;
  return {
    name,
    inputs,
    n: parameter,
    option: optionParameter,
    bind(input, n, option = null) {
      assert(inputs.includes(input), `${name} takes one of its inputs, not ${input}`);
      if (parameter === null) assert(n === null, `${name} takes no number`);
      else if (n === null) assert(!parameter.isRequired, `${name} is given a ${parameter.name}`);
      else assert(isNumberFor(parameter, n), `the ${parameter.name} of ${name} is in its range`);
      const chosen = option ?? optionParameter?.default ?? NaN;
      if (optionParameter === null) assert(option === null, `${name} takes no option`);
      else assert(isNumberFor(optionParameter, chosen), `the option of ${name} is in its range`);
      return declared.bind(input, n, chosen);
    },
  };
}

export function isNumberFor(parameter: NumberParameter, value: unknown): value is number {
  const { min, max, isInteger } = parameter;
  if (typeof value !== "number" || (isInteger && !Number.isInteger(value))) return false;
  return value >= min && value <= max;
}
