/**
 * Maps doubles to the bins of a DDSketch (its buckets), and bins to the doubles that stand for them.
 *
 * C. Masson, J. Rim, H. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
 * Relative-Error Guarantees" (2019): with bins whose bounds grow by (1 + a) / (1 - a), a value
 * in the middle of a bin is within the part a of every value in it.
 *
 * The bounds are even steps of a logarithm, and no runtime promises the bits of `Math.log`. In its
 * place stands a function that has them in common: with x = 2^e (1 + s), s in [0, 1),
 *
 *   L(x) = e + s (4 - s) / 3      slope against ln x:  4/3 at s = 0, 3/2 at s = 1/2, 4/3 at s = 1
 *
 * Sums, products and square roots are rounded the same everywhere (IEEE 754). A step of 1/M in L is
 * at most 3 / (4 M) in ln x, and M = 3 / (8 a) makes that 2 a, which is less than the width there
 * is, ln((1 + a) / (1 - a)) = 2 (a + a^3 / 3 + …). What is left over, 3e-10 of the value at the
 * least a of 0.001, is far above what rounding takes: below 1e-12. It is 8 % more bins than the
 * logarithm's.
 *
 *   a = 0.01, M = 37.5:  L(10) = 3 + 0.25 * 3.75 / 3 = 3.3125
 *                        the bin is 1 + floor(37.5 * (1074 + 3.3125)) = 40400
 */

import { doubleExponentMin, powerOfTwo } from "../rational.ts";

export interface LogMapping {
  /**
   * The bin of a finite number: 0 for 0, for others a whole number with their sign. Bins stand in
   * the order of their numbers, but for rounding where two bins meet, which the accuracy includes.
   */
  binOf(value: number): number;
  /**
   * A number within the relative accuracy of each in the bin. Below 2^-1022 doubles lie too far
   * apart for that, and it is the nearest one to such a number.
   */
  valueOf(bin: number): number;
  /** The bin of the greatest double: there are so many on either side of 0. */
  readonly binMax: number;
}

/** @param accuracy above 0 and below 1, relative. */
export function createLogMapping(accuracy: number): LogMapping {
  const steps = 0.375 / accuracy;
  function binOf(value: number): number {
    if (value === 0) return 0;
    const bin = 1 + Math.floor(steps * logarithmOf(Math.abs(value)));
    return value < 0 ? -bin : bin;
  }
  return {
    binOf,
    valueOf(bin) {
      if (bin === 0) return 0;
      const step = Math.abs(bin) - 1;
      const magnitude = middleOf(step / steps, (step + 1) / steps);
      return bin < 0 ? -magnitude : magnitude;
    },
    binMax: binOf(Number.MAX_VALUE),
  };
}

const view = new DataView(new ArrayBuffer(8));

/** L(x) + 1074 of a positive double, so that it is never negative. */
function logarithmOf(value: number): number {
  const isSubnormal = value < 2 ** -1022;
  view.setFloat64(0, isSubnormal ? value * 2 ** 54 : value);
  const high = view.getUint32(0);
  const exponent = (high >>> 20) - 1023 - (isSubnormal ? 54 : 0);
  const s = ((high & 0xf_ffff) + view.getUint32(4) * 2 ** -32) * 2 ** -20;
  return exponent - doubleExponentMin + (s * (4 - s)) / 3;
}

/** The number that is relatively as far from both bounds: their harmonic mean. */
function middleOf(from: number, until: number): number {
  const exponent = Math.floor(from);
  const low = significandOf(from - exponent);
  const next = Math.floor(until);
  // Bounds are compared at one scale: the least and the greatest doubles have no room to compute in.
  const high = significandOf(until - next) * powerOfTwo(next - exponent);
  const middle = (2 * low * high) / (low + high);
  return Math.min(scale(middle, exponent + doubleExponentMin), Number.MAX_VALUE);
}

/** 1 + s where s (4 - s) / 3 is `fraction`. */
function significandOf(fraction: number): number {
  return 3 - Math.sqrt(4 - 3 * fraction);
}

/** `value * 2^exponent` in two steps of which the first is exact: the power itself may be subnormal. */
function scale(value: number, exponent: number): number {
  return exponent < -1000
    ? value * 2 ** -900 * powerOfTwo(exponent + 900)
    : value * powerOfTwo(exponent);
}
