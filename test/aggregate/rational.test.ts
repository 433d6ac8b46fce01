import * as fc from "fast-check";
import { expect, test } from "vitest";
import { powerOfTwo, roundRational, squareRootRational } from "../../src/aggregate/rational.ts";
import type { Rational } from "../../src/aggregate/rational.ts";
import { isNearest, isPastDouble, isSquareRoot } from "./naive-oracle.ts";
import type { Fraction } from "./naive-oracle.ts";

const options = { seed: 1_685, numRuns: 3_000 };

const integers = fc.oneof(
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
  fc.bigInt({ min: -100n, max: 100n }),
  fc.constantFrom(2n ** 53n + 1n, 2n ** 54n + 2n, 2n ** 54n + 6n, 2n ** 53n - 1n),
);
const rationals = fc.record({
  numerator: integers,
  denominator: fc.oneof(
    fc.bigInt({ min: 1n, max: 2n ** 100n }),
    fc.bigInt({ min: 1n, max: 9n }),
    fc.constant(1n),
  ),
  exponent: fc.oneof(
    fc.integer({ min: -1_400, max: 1_100 }),
    fc.integer({ min: -1_140, max: -1_060 }),
    fc.integer({ min: 800, max: 1_024 }),
  ),
});

function fractionOf({ numerator, denominator, exponent }: Rational): Fraction {
  return exponent < 0
    ? { numerator, denominator: denominator << BigInt(-exponent) }
    : { numerator: numerator << BigInt(exponent), denominator };
}

function isPastSquareOfDoubles({ numerator, denominator }: Fraction): boolean {
  return numerator / denominator >= (2n ** 1_024n - 2n ** 971n) ** 2n;
}

test("roundRational() gives the nearest double, or an infinity past the greatest", () => {
  fc.assert(
    fc.property(rationals, (rational) => {
      const value = roundRational(rational);
      const exact = fractionOf(rational);
      if (isPastDouble(exact)) expect(value).toBe(rational.numerator < 0n ? -Infinity : Infinity);
      else expect(isNearest(value + 0, exact)).toBe(true);
    }),
    options,
  );
});

test.each<[numerator: bigint, denominator: bigint, exponent: number, expected: number]>([
  [0n, 7n, 5_000, 0],
  [1n, 3n, 0, 1 / 3],
  [-1n, 3n, 0, -1 / 3],
  [2n ** 53n + 1n, 1n, 0, 2 ** 53],
  [2n ** 53n + 3n, 1n, 0, 2 ** 53 + 4],
  [1n, 1n, -1_075, 0],
  [3n, 1n, -1_075, 2 ** -1_073],
  [1_000_001n, 1_000_000n, -1_075, 5e-324],
  [2n ** 54n - 1n, 1n, 970, Infinity],
  [2n ** 55n - 3n, 1n, 969, Number.MAX_VALUE],
])("roundRational() of %s / %s * 2^%s is %s", (...[numerator, denominator, exponent, expected]) => {
  expect(roundRational({ numerator, denominator, exponent })).toBe(expected);
});

test("squareRootRational() holds also where the square is past a double or below one", () => {
  fc.assert(
    fc.property(rationals, fc.integer({ min: -1, max: 1 }), ({ numerator, ...rest }, side) => {
      const rational = {
        ...rest,
        numerator: numerator < 0n ? -numerator : numerator,
        exponent: rest.exponent + side * 900,
      };
      const value = squareRootRational(rational);
      expect(Number.isNaN(value)).toBe(false);
      if (Number.isFinite(value)) expect(isSquareRoot(value, fractionOf(rational))).toBe(true);
      else expect(isPastSquareOfDoubles(fractionOf(rational))).toBe(true);
    }),
    options,
  );
});

test("powerOfTwo() is exact for every exponent that a double has, and beyond", () => {
  let expected = 2 ** 1_023;
  for (let exponent = 1_023; exponent >= -1_074; exponent--) {
    expect(powerOfTwo(exponent)).toBe(expected);
    expected /= 2;
  }
  expect(expected).toBe(0);
  expect([-1_075, -5_000].map(powerOfTwo)).toEqual([0, 0]);
  expect([1_024, 5_000].map(powerOfTwo)).toEqual([Infinity, Infinity]);
});
