/** `sum`: exact for int64, correctly rounded for float64. */

import { OverflowError } from "../core/errors.ts";
import type { Scalar, Value } from "../core/value.ts";
import type { BoundFunction, StateAlgebra } from "./aggregate.ts";
import { createFunction, numericTypes } from "./create-function.ts";
import { ExactSum } from "./exact-sum.ts";

/** Wider than any answer, so that how the events were split cannot decide whether it overflows. */
export const sumAlgebra = createSumAlgebra("sum", (sum, value) => {
  if (typeof value === "bigint") sum.addBigInt(value);
  else sum.addNumber(value as number);
});

/** The exact sum of the squares: with the sum and the count, all that a variance needs. */
export const sumSquaresAlgebra = createSumAlgebra("sum_squares", (sum, value) => {
  if (typeof value === "bigint") sum.addBigInt(value * value);
  else sum.addSquare(value as number);
});

export const sum = createFunction("sum", numericTypes, (input): BoundFunction => ({
  states: [sumAlgebra],
  output: input,
  emptyValue: null,
  finish: input === "int64" ? finishInt64 : finishFloat64,
}));

function createSumAlgebra(
  key: string,
  addInto: (sum: ExactSum, value: Scalar) => void,
): StateAlgebra<ExactSum> {
  return {
    key,
    ordered: false,
    empty: () => new ExactSum(),
    isEmpty: (state) => state.isEmpty,
    addInto,
    mergeInto: (state, from) => state.addSum(from),
    write: (state, writer) => state.write(writer),
    readInto: (state, reader) => state.addWritten(reader),
  };
}

function finishInt64([state]: readonly unknown[]): Value {
  const exact = state as ExactSum;
  if (exact.isEmpty) return null;
  const value = exact.toInt64();
  if (value !== null) return value;
  throw new OverflowError(
    'Cannot finish "sum": it is past int64, expected one from -2^63 to 2^63 - 1',
  );
}

function finishFloat64([state]: readonly unknown[]): Value {
  const exact = state as ExactSum;
  if (exact.isEmpty) return null;
  const value = exact.toDouble();
  if (Number.isFinite(value)) return value;
  throw new OverflowError('Cannot finish "sum": it is past the greatest double, expected a double');
}
