/** `mean`: the exact sum over the count, rounded once. */

import type { BoundFunction } from "./aggregate.ts";
import type { CountState } from "./count.ts";
import { countAlgebra } from "./count.ts";
import { createFunction, numericTypes } from "./create-function.ts";
import type { ExactSum } from "./exact-sum.ts";
import { roundRational } from "./rational.ts";
import { sumAlgebra } from "./sum.ts";

export const mean = createFunction("mean", numericTypes, (): BoundFunction => ({
  states: [countAlgebra, sumAlgebra],
  output: "float64",
  emptyValue: null,
  finish: ([count, sum]) => finishMean((count as CountState).count, sum as ExactSum),
}));

/** No mean is past a double, since none is past the greatest of its values. */
function finishMean(count: number, sum: ExactSum): number | null {
  if (count === 0) return null;
  // The division of two doubles is correctly rounded; only a sum that was rounded would round twice.
  const double = sum.toExactDouble();
  if (double !== null) return double / count;
  const { mantissa, exponent } = sum.exact();
  return roundRational({ numerator: mantissa, denominator: BigInt(count), exponent });
}
