/** `var_pop`, `var_samp`, `stddev_pop`, `stddev_samp`: from exact sums, rounded at the end. */

import { OverflowError } from "../core/errors.ts";
import type { AggregateFunction, BoundFunction } from "./aggregate.ts";
import type { CountState } from "./count.ts";
import { countAlgebra } from "./count.ts";
import { createFunction, numericTypes } from "./create-function.ts";
import type { ExactSum } from "./exact-sum.ts";
import { roundRational, squareRootRational } from "./rational.ts";
import type { Rational } from "./rational.ts";
import { sumAlgebra, sumSquaresAlgebra } from "./sum.ts";

export const varPop = createSpread("var_pop", 0, roundRational);
export const varSamp = createSpread("var_samp", 1, roundRational);
export const stddevPop = createSpread("stddev_pop", 0, squareRootRational);
export const stddevSamp = createSpread("stddev_samp", 1, squareRootRational);

/** @param lost how many of the rows the divisor leaves out: 1 for a sample, as its mean is its own. */
function createSpread(
  name: string,
  lost: 0 | 1,
  round: (variance: Rational) => number,
): AggregateFunction {
  return createFunction(name, numericTypes, (): BoundFunction => ({
    states: [countAlgebra, sumAlgebra, sumSquaresAlgebra],
    output: "float64",
    emptyValue: null,
    finish(states) {
      const { count } = states[0] as CountState;
      if (count <= lost) return null;
      const answer = round(varianceOf(states, lost));
      if (Number.isFinite(answer)) return answer;
      throw new OverflowError(
        `Cannot finish "${name}": it is past the greatest double, expected a double`,
      );
    },
  }));
}

/**
 * `(n * Q - S^2) / (n * (n - lost))` for n values with sum S and sum of squares Q. Nothing is rounded
 * before the difference, so values that nearly cancel lose nothing.
 *
 *   3, 5, 10:  n = 3, S = 18, Q = 134  →  (402 - 324) / 9 = 78/9, of a sample 78/6 = 13
 */
function varianceOf(states: readonly unknown[], lost: 0 | 1): Rational {
  const { count } = states[0] as CountState;
  const n = BigInt(count);
  const sum = (states[1] as ExactSum).exact();
  const squares = (states[2] as ExactSum).exact();
  const exponent = Math.min(squares.exponent, 2 * sum.exponent);
  const scaledSquares = (n * squares.mantissa) << BigInt(squares.exponent - exponent);
  const squaredSum = (sum.mantissa ** 2n) << BigInt(2 * sum.exponent - exponent);
  return {
    numerator: scaledSquares - squaredSum,
    denominator: n * BigInt(count - lost),
    exponent,
  };
}
