/** The digits of an exact sum, sign apart: what its bytes and its answers are made from. */

import { doubleExponentMin, powerOfTwo } from "./rational.ts";

/** The weight of bit 0 of word 0 is 2^-2176: below the square of the least double, 2^-2148. */
export const baseExponent = -2176;

/** The index of the word, and of the byte, whose lowest bit weighs 2^0. */
export const unitWord = -baseExponent / 32;
export const unitByte = -baseExponent / 8;

/**
 * Word `i` of `words` stands for `words[i] * 2^(32 * (baseWord + i) - 2176)`. Only `[start, end)`
 * counts, and its first and last words are not zero; a zero has `start === end`.
 */
export interface Magnitude {
  readonly isNegative: boolean;
  readonly baseWord: number;
  readonly start: number;
  readonly end: number;
  readonly words: Uint32Array;
}

/** Sums end below this byte: enough for 2^64 squares of the greatest double, 2176 + 2048 + 64 bits. */
export const bytePlaceMax = 560;

/** One for all, so that no answer and no write allocates; it has room for limbs to spare at the ends. */
const shared = {
  isNegative: false,
  baseWord: 0,
  start: 0,
  end: 0,
  words: new Uint32Array(bytePlaceMax / 4 + 20),
};

/**
 * The sign and magnitude of a sum of limbs: whole numbers within 2^52 of either sign, where limb
 * `i` weighs `2^(32 * (baseLimb + i) - 2176)`. The answer is valid until the next call.
 */
export function readMagnitude(limbs: Float64Array, baseLimb: number): Magnitude {
  const { words } = shared;
  const { length } = limbs;
  let carry = 0;
  for (let i = 0; i < length; i++) {
    const value = (limbs[i] as number) + carry;
    carry = Math.floor(value / 2 ** 32);
    words[i] = value - carry * 2 ** 32;
  }
  // The words so far are never negative: the sign is that of what is carried out of them.
  words[length] = carry < 0 ? negateInto(words, length) - carry : carry;
  shared.isNegative = carry < 0;
  shared.baseWord = baseLimb;
  shared.end = length + 1;
  while (shared.end > 0 && words[shared.end - 1] === 0) shared.end--;
  shared.start = 0;
  while (shared.start < shared.end && words[shared.start] === 0) shared.start++;
  return shared;
}

/** Negates a two's complement in place; the answer is what it takes from the word above, 0 or -1. */
function negateInto(words: Uint32Array, length: number): number {
  let borrow = 0;
  for (let i = 0; i < length; i++) {
    const value = -(words[i] as number) - borrow;
    borrow = value < 0 ? 1 : 0;
    words[i] = value;
  }
  return -borrow;
}

/**
 * The double nearest to it, the even one of two equally near; subnormals included. Past the
 * greatest double it is an infinity.
 */
export function roundMagnitude(magnitude: Magnitude): number {
  if (magnitude.start === magnitude.end) return 0;
  const top = highestBit(magnitude);
  if (top + baseExponent > 1023) return magnitude.isNegative ? -Infinity : Infinity;
  const last = lastKeptBit(top);
  let mantissa = wordAt(magnitude, last + 32) * 2 ** 32 + wordAt(magnitude, last);
  if ((wordAt(magnitude, last - 1) & 1) === 1) {
    const isHalf = lowestBit(magnitude) === last - 1;
    if (!isHalf || mantissa % 2 === 1) mantissa += 1;
  }
  // Exact, since the mantissa was cut to what a double of this size holds.
  const rounded = mantissa * powerOfTwo(last + baseExponent);
  return magnitude.isNegative ? -rounded : rounded;
}

/** Whether a double holds all its bits, its size aside. */
export function fitsMantissa(magnitude: Magnitude): boolean {
  if (magnitude.start === magnitude.end) return true;
  return lowestBit(magnitude) >= lastKeptBit(highestBit(magnitude));
}

/** As an integer: `toBigInt(m) * 2^lowestExponent(m)` is its exact value, with the sign. */
export function toBigInt(magnitude: Magnitude): bigint {
  let result = 0n;
  for (let i = magnitude.end - 1; i >= magnitude.start; i--) {
    result = (result << 32n) | BigInt(magnitude.words[i] as number);
  }
  return magnitude.isNegative ? -result : result;
}

/** The weight of the lowest bit of its first word that counts, as a power of two. */
export function lowestExponent(magnitude: Magnitude): number {
  return 32 * (magnitude.baseWord + magnitude.start) + baseExponent;
}

function highestBit({ words, baseWord, end }: Magnitude): number {
  return 32 * (baseWord + end) - 1 - Math.clz32(words[end - 1] as number);
}

function lowestBit({ words, baseWord, start }: Magnitude): number {
  const word = words[start] as number;
  return 32 * (baseWord + start) + 31 - Math.clz32(word & -word);
}

/** The lowest bit that a double has whose highest is `top`. */
function lastKeptBit(top: number): number {
  return Math.max(top - 52, doubleExponentMin - baseExponent);
}

/** The 32 bits from `bit` up. */
function wordAt(magnitude: Magnitude, bit: number): number {
  const index = (bit >> 5) - magnitude.baseWord;
  const shift = bit & 31;
  const low = digit(magnitude, index) >>> shift;
  return shift === 0 ? low : (low | (digit(magnitude, index + 1) << (32 - shift))) >>> 0;
}

function digit({ words, start, end }: Magnitude, index: number): number {
  return index >= start && index < end ? (words[index] as number) : 0;
}
