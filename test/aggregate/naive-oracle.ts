/** Answers by brute force from whole lists of events: no states, no merging, exact fractions. */

import type { Scalar } from "../../src/core/value.ts";
import type { Event } from "./function-cases.ts";

/** A fraction `numerator / denominator`; the denominator is positive. */
export interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Every double is a whole number of these: 2^-1074. */
const unitsOfOne = 2n ** 1074n;
const view = new DataView(new ArrayBuffer(8));

/** How many times 2^-1074 a double is. */
export function unitsOf(value: number): bigint {
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const biased = bits >> 52n;
  const fraction = bits & (2n ** 52n - 1n);
  const units = biased === 0n ? fraction : (fraction + 2n ** 52n) << (biased - 1n);
  return value < 0 ? -units : units;
}

function fractionOf(value: Scalar): Fraction {
  if (typeof value === "bigint") return { numerator: value, denominator: 1n };
  return { numerator: unitsOf(value as number), denominator: unitsOfOne };
}

export function sumOf(values: readonly Scalar[]): Fraction {
  let numerator = 0n;
  for (const value of values) {
    const { numerator: own, denominator } = fractionOf(value);
    numerator += own * (unitsOfOne / denominator);
  }
  return { numerator, denominator: unitsOfOne };
}

export function meanOf(values: readonly Scalar[]): Fraction {
  const { numerator, denominator } = sumOf(values);
  return { numerator, denominator: denominator * BigInt(values.length) };
}

/** The mean of the squared distances from the mean, by its definition. */
export function varianceOf(values: readonly Scalar[], divisor: number): Fraction {
  const mean = meanOf(values);
  let numerator = 0n;
  for (const value of values) {
    const own = fractionOf(value);
    const scaled = own.numerator * (mean.denominator / own.denominator);
    numerator += (scaled - mean.numerator) ** 2n;
  }
  return { numerator, denominator: mean.denominator ** 2n * BigInt(divisor) };
}

/** Whether no double is nearer to a fraction than `value`, and of two equally near it is the even. */
export function isNearest(value: number, { numerator, denominator }: Fraction): boolean {
  if (Object.is(value, -0)) return false;
  const target = numerator * unitsOfOne;
  const own = unitsOf(value);
  const distance = abs(own * denominator - target);
  const isEven = (mantissaOf(value) & 1n) === 0n;
  return [own + stepUp(value), own - stepUp(-value)].every((neighbour) => {
    const other = abs(neighbour * denominator - target);
    return distance < other || (distance === other && isEven);
  });
}

/** Whether a fraction rounds to no finite double: from half a step past the greatest on. */
export function isPastDouble({ numerator, denominator }: Fraction): boolean {
  return abs(numerator) >= (2n ** 1024n - 2n ** 970n) * denominator;
}

/** Whether `value` is the square root of a fraction, to 2^-50 of it and 2^-1074. */
export function isSquareRoot(value: number, { numerator, denominator }: Fraction): boolean {
  const own = unitsOf(value);
  const target = numerator * unitsOfOne ** 2n;
  const error = abs(own ** 2n * denominator - target);
  return value >= 0 && error <= (target >> 49n) + (2n * own + 1n) * denominator;
}

/** The value of rank `floor(p * (n - 1))`, counted from 0. */
export function valueAtRank(values: readonly Scalar[], p: number): Scalar | null {
  return values.toSorted(compareValues)[Math.floor(p * (values.length - 1))] ?? null;
}

/** Whether a double is within a part of the exact value; where that is subnormal, with one step to spare. */
export function isWithin(value: number, exact: Scalar, accuracy: number): boolean {
  const { numerator, denominator } = fractionOf(exact);
  const target = numerator * (unitsOfOne / denominator);
  const error = abs(unitsOf(value) - target);
  const isSubnormal = abs(target) < 2n ** 52n;
  return (error - (isSubnormal ? 1n : 0n)) * unitsOfOne <= unitsOf(accuracy) * abs(target);
}

/** Events by time, then tie, then value, strings by their UTF-8 bytes. */
export function sortEvents(events: readonly Event[]): Event[] {
  return events.toSorted(
    (a, b) =>
      a.order.timestampMs - b.order.timestampMs ||
      compareValues(a.order.tie, b.order.tie) ||
      compareValues(a.value, b.value),
  );
}

export function compareValues(a: Scalar, b: Scalar): number {
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(String(b)));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Distinct values of sorted events, in the order in which each occurs for the first time. */
export function distinctOf(events: readonly Event[]): Scalar[] {
  return [...new Set(events.map(({ value }) => value))];
}

/** From a double to the next one up, in units; past the greatest, as if there were one more. */
function stepUp(value: number): bigint {
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const biased = bits >> 52n;
  const step = biased <= 1n ? 1n : 1n << (biased - 1n);
  // Towards zero from a power of two, the doubles lie twice as close.
  const isPower = (bits & (2n ** 52n - 1n)) === 0n && biased > 1n;
  return value < 0 && isPower ? step / 2n : step;
}

function mantissaOf(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0) & (2n ** 52n - 1n);
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
