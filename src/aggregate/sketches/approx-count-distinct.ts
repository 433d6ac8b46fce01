/** `approx_count_distinct`: about how many distinct values, within 1.04/√2^precision at one sigma. */

import type { ScalarType } from "../../core/value.ts";
import type { BoundFunction, StateAlgebra } from "../aggregate.ts";
import { allTypes, createNumberedFunction } from "../create-function.ts";
import { hashScalar } from "./hash-scalar.ts";
import { HyperLogLog } from "./hyper-log-log.ts";

const defaultPrecision = 8;

export const approxCountDistinct = createNumberedFunction({
  name: "approx_count_distinct",
  inputs: allTypes,
  n: { name: "precision", min: 4, max: 16, isInteger: true, isRequired: false },
  option: null,
  bind: (input, n): BoundFunction => ({
    states: [createSketchAlgebra(input, n ?? defaultPrecision)],
    output: "int64",
    emptyValue: 0,
    finish: ([state]) => (state as HyperLogLog).estimate(),
  }),
});

/**
 * How many bits name a register. Below a precision of 10 the estimates of 2^precision registers are
 * skewed: more than one in a hundred is past three sigmas. More registers than were asked for are
 * cheaper there than an error that is not what it says.
 */
export function registerBitsOf(precision: number): number {
  return precision < 10 ? Math.max(precision + 1, 6) : precision;
}

function createSketchAlgebra(input: ScalarType, precision: number): StateAlgebra<HyperLogLog> {
  const registerBits = registerBitsOf(precision);
  return {
    key: `approx_count_distinct:${precision}`,
    ordered: false,
    empty: () => new HyperLogLog(registerBits),
    isEmpty: (state) => state.isEmpty,
    addInto: (state, value) => state.addHash(hashScalar(input, value)),
    mergeInto: (state, from) => state.addSketch(from),
    write: (state, writer) => state.write(writer),
    readInto: (state, reader) => state.addWritten(reader),
  };
}
