import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ExactSum } from "../../src/aggregate/exact-sum.ts";
import { ByteReader, ByteWriter } from "../../src/core/bytes.ts";
import { isNearest, unitsOf } from "./naive-oracle.ts";

const seed = 1_971;

/** The exact value in units of 2^-2176, of which every limb is a whole number. */
function exactUnits(sum: ExactSum): bigint {
  const { mantissa, exponent } = sum.exact();
  return mantissa * 2n ** BigInt(exponent + 2_176);
}

function bytesOf(sum: ExactSum): Uint8Array {
  const writer = new ByteWriter(1);
  sum.write(writer);
  return writer.finish();
}

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -(2 ** -1000), max: 2 ** -1000 }),
  fc.constantFrom(5e-324, -5e-324, 2 ** -1022, Number.MAX_VALUE, -Number.MAX_VALUE, 1e-140, 1e150),
  fc.integer().map((cents) => cents / 100),
);

test("addNumber() and toDouble() are exact and correctly rounded", () => {
  fc.assert(
    fc.property(fc.array(doubles, { maxLength: 40 }), (values) => {
      const sum = new ExactSum();
      let units = 0n;
      for (const value of values) {
        sum.addNumber(value);
        units += unitsOf(value);
      }
      expect(exactUnits(sum)).toBe(units << 1_102n);
      const rounded = sum.toDouble();
      const exact = { numerator: units, denominator: 2n ** 1_074n };
      if (Number.isFinite(rounded)) expect(isNearest(rounded, exact)).toBe(true);
      const isExact = Number.isFinite(rounded) && unitsOf(rounded) === units;
      expect(sum.toExactDouble()).toBe(isExact ? rounded : null);
    }),
    { seed, numRuns: 2_000 },
  );
});

test("addSquare() is exact over the whole range of doubles", () => {
  fc.assert(
    fc.property(fc.array(doubles, { maxLength: 20 }), (values) => {
      const sum = new ExactSum();
      for (const value of values) sum.addSquare(value);
      const units = values.reduce((total, value) => total + unitsOf(value) ** 2n, 0n);
      expect(exactUnits(sum)).toBe(units << 28n);
    }),
    { seed, numRuns: 2_000 },
  );
});

test("addBigInt() is exact past int64", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: -(2n ** 126n), max: 2n ** 126n })), (values) => {
      const sum = new ExactSum();
      for (const value of values) sum.addBigInt(value);
      const total = values.reduce((a, b) => a + b, 0n);
      expect(exactUnits(sum)).toBe(total << 2_176n);
    }),
    { seed },
  );
});

test("addWritten() and addSum() add what was written or summed", () => {
  fc.assert(
    fc.property(fc.array(doubles), fc.array(doubles), (left, right) => {
      const [a, b, both] = [new ExactSum(), new ExactSum(), new ExactSum()];
      for (const value of left) a.addNumber(value);
      for (const value of right) b.addSquare(value);
      for (const value of left) both.addNumber(value);
      for (const value of right) both.addSquare(value);
      const summed = new ExactSum();
      summed.addSum(a);
      summed.addSum(b);
      const read = new ExactSum();
      read.addWritten(new ByteReader(bytesOf(a)));
      read.addWritten(new ByteReader(bytesOf(b)));
      expect(bytesOf(summed)).toEqual(bytesOf(both));
      expect(bytesOf(read)).toEqual(bytesOf(both));
    }),
    { seed },
  );
});

// Past 2^20 additions a limb would outgrow its double unless carries had moved on.
const manyCount = 2 ** 22 + 3;

test.each([
  ["of one sign", 2 ** 53 - 1, 2 ** 53 - 1],
  ["of the other sign", 1 - 2 ** 53, 1 - 2 ** 53],
  ["of both signs", 2 ** 53 - 1, 1 - 2 ** 53],
])("addNumber() of four million integers %s loses nothing", (_, even, odd) => {
  const sum = new ExactSum();
  for (let i = 0; i < manyCount; i++) sum.addNumber(i % 2 === 0 ? even : odd);
  const evenCount = BigInt(Math.ceil(manyCount / 2));
  const oddCount = BigInt(Math.floor(manyCount / 2));
  const expected = BigInt(even) * evenCount + BigInt(odd) * oddCount;
  expect(exactUnits(sum)).toBe(expected << 2_176n);
});

test.each([1, -1])(
  "addSum() of many sums of sign %i, each full to the brim, loses nothing",
  (sign) => {
    const one = new ExactSum();
    const value = sign * (2 ** 53 - 1);
    for (let i = 0; i < 2 ** 19 + 1; i++) one.addNumber(value);
    const before = bytesOf(one);
    const sum = new ExactSum();
    for (let i = 0; i < 101; i++) sum.addSum(one);
    expect(exactUnits(sum)).toBe((BigInt(value) * (2n ** 19n + 1n) * 101n) << 2_176n);
    expect(bytesOf(one)).toEqual(before);
  },
);

// So long that its window has no limb to spare above, where carries could go.
const long = 2n ** 256n - 1n;

test.each([long, -long])("addWritten() of %s four million times loses nothing", (value) => {
  const one = new ExactSum();
  one.addBigInt(value);
  const reader = new ByteReader(bytesOf(one));
  const sum = new ExactSum();
  for (let i = 0; i < manyCount; i++) {
    reader.position = 0;
    sum.addWritten(reader);
  }
  expect(exactUnits(sum)).toBe((value * BigInt(manyCount)) << 2_176n);
});

test.each<[value: bigint, expected: number | bigint | null]>([
  [0n, 0],
  [2n ** 53n - 1n, 2 ** 53 - 1],
  [2n ** 53n, 2n ** 53n],
  [2n ** 53n + 1n, 2n ** 53n + 1n],
  [2n ** 63n - 1n, 2n ** 63n - 1n],
  [2n ** 63n, null],
  [-(2n ** 63n), -(2n ** 63n)],
  [-(2n ** 63n) - 1n, null],
  [2n ** 100n, null],
])("toInt64() of %s is %s", (value, expected) => {
  const sum = new ExactSum();
  sum.addBigInt(value);
  expect(sum.toInt64()).toBe(expected);
});

test("toInt64() of a sum with a fraction is a broken invariant", () => {
  const sum = new ExactSum();
  sum.addNumber(0.5);
  expect(() => sum.toInt64()).toThrow("a sum of integers is whole");
});

test("isEmpty tells no values from values that cancel", () => {
  const sum = new ExactSum();
  expect(sum.isEmpty).toBe(true);
  sum.addSum(new ExactSum());
  expect(sum.isEmpty).toBe(true);
  sum.addNumber(0);
  expect(sum.isEmpty).toBe(false);
  expect(Object.is(sum.toDouble(), 0)).toBe(true);
});
