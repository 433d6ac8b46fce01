/**
 * An exact sum of doubles, of their squares, or of integers of any size.
 *
 * After R. Neal, "Fast Exact Summation Using Small and Large Superaccumulators" (2015), section 3:
 * the number line from 2^-2176 up is cut into limbs of 32 bits, each kept in a double, so that a
 * limb takes some 2^20 additions before its carry must move on. Real data touches a few limbs; only
 * a window of them is held, and grows. Nothing is ever rounded: the order of additions cannot matter.
 *
 *   limb      66          67          68          69
 *        ┌───────────┬───────────┬───────────┬───────────┐
 *        │ 2^-64     │ 2^-32     │ 2^0       │ 2^32      │   weight of each limb's lowest bit
 *        └───────────┴───────────┴───────────┴───────────┘
 *
 * Bytes: the sum's own, whatever the additions were, with zero bytes trimmed at both ends.
 *
 *   nothing added  00        a sum of zero  01
 *   else           varint (byte count * 2 + 1 if negative)
 *                  zigzag (place of the lowest byte; 0 is the byte of 2^0)
 *                  the magnitude's bytes, lowest first
 *
 *   -2.5 = -(2 * 2^0 + 128 * 2^-8)   05 01 80 02
 */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError, assert } from "../core/errors.ts";
import { int64Max, int64Min, toInt64 } from "../core/value.ts";
import type { Int64 } from "../core/value.ts";
import { baseExponent, bytePlaceMax, unitByte, unitWord } from "./magnitude.ts";
import { fitsMantissa, lowestExponent, readMagnitude } from "./magnitude.ts";
import { roundMagnitude, toBigInt } from "./magnitude.ts";

const limbSize = 2 ** 32;

/** Limbs stay within 2^52, where doubles are exact to the unit, with room for a carry. */
const pendingMax = 2 ** 20;

/** Six limbs hold a double, or the square of one, with a limb to spare below; 48 bytes stay inline. */
const windowLength = 6;

const noLimbs = new Float64Array(0);
const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer);
const [lowWord, highWord] = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? [0, 1] : [1, 0];

export class ExactSum {
  /** Limb `i` weighs `2^(32 * (#baseLimb + i) - 2176)`. No limbs: nothing was added. */
  #limbs = noLimbs;
  #baseLimb = 0;
  /** Each limb is within `#pending * 2^32` of zero. */
  #pending = 0;

  /** Whether nothing was added. A sum of zero over some values is not empty. */
  get isEmpty(): boolean {
    return this.#limbs.length === 0;
  }

  /** @param value finite. */
  addNumber(value: number): void {
    if (value === 0) return this.#addZero();
    double[0] = value;
    const high = doubleWords[highWord] as number;
    const mantissa = mantissaHigh(high) * limbSize + (doubleWords[lowWord] as number);
    this.#addShifted(value < 0 ? -mantissa : mantissa, mantissaExponent(high) - baseExponent);
  }

  /** Adds `value * value`, all of its up to 106 bits. @param value finite. */
  addSquare(value: number): void {
    if (value === 0) return this.#addZero();
    const isSubnormal = Math.abs(value) < 2 ** -1022;
    double[0] = isSubnormal ? value * 2 ** 54 : value;
    const high = doubleWords[highWord] as number;
    const mantissa = mantissaHigh(high) * limbSize + (doubleWords[lowWord] as number);
    const position = 2 * mantissaExponent(high) - baseExponent - (isSubnormal ? 108 : 0);
    // T. Dekker, "A floating-point technique for extending the available precision" (1971): with the
    // factor cut in two halves of 26 bits, what the product lost to rounding comes out exactly.
    const product = mantissa * mantissa;
    const upper = Math.floor((mantissa + 2 ** 26) * 2 ** -27) * 2 ** 27;
    const lower = mantissa - upper;
    const lost = lower * lower - (product - upper * upper - 2 * upper * lower);
    if (lost !== 0) this.#addShifted(lost, position);
    // The mantissa has its bit 52, so the product is a multiple of 2^52.
    this.#addShifted(product * 2 ** -52, position + 52);
  }

  addBigInt(value: bigint): void {
    if (value === 0n) return this.#addZero();
    const sign = value < 0n ? -1 : 1;
    let rest = value < 0n ? -value : value;
    for (let limb = unitWord; rest > 0n; limb++) {
      const i = this.#reserve(limb, 1);
      this.#limbs[i]! += sign * Number(rest & 0xffff_ffffn);
      rest >>= 32n;
    }
  }

  /** Adds another sum, which stays as it is. */
  addSum(from: ExactSum): void {
    const { length } = from.#limbs;
    if (length === 0) return;
    if (this.#pending + from.#pending > pendingMax) this.#propagate();
    const start = this.#reserve(from.#baseLimb, length);
    for (let i = 0; i < length; i++) this.#limbs[start + i]! += from.#limbs[i] as number;
    this.#pending += from.#pending;
  }

  /** The exact sum as `mantissa * 2^exponent`. */
  exact(): { readonly mantissa: bigint; readonly exponent: number } {
    const magnitude = readMagnitude(this.#limbs, this.#baseLimb);
    return { mantissa: toBigInt(magnitude), exponent: lowestExponent(magnitude) };
  }

  /** The nearest double, the even one of two equally near; past the greatest double, an infinity. */
  toDouble(): number {
    return roundMagnitude(readMagnitude(this.#limbs, this.#baseLimb));
  }

  /** The sum if a double holds it exactly, else null. */
  toExactDouble(): number | null {
    const magnitude = readMagnitude(this.#limbs, this.#baseLimb);
    if (!fitsMantissa(magnitude)) return null;
    const value = roundMagnitude(magnitude);
    return Number.isFinite(value) ? value : null;
  }

  /** The sum of integers; null past int64. */
  toInt64(): Int64 | null {
    const magnitude = readMagnitude(this.#limbs, this.#baseLimb);
    const exponent = lowestExponent(magnitude);
    if (magnitude.start === magnitude.end) return 0;
    assert(exponent >= 0, "a sum of integers is whole");
    if (fitsMantissa(magnitude)) {
      const value = roundMagnitude(magnitude);
      if (Number.isSafeInteger(value)) return value;
    }
    const value = toBigInt(magnitude) << BigInt(exponent);
    return value < int64Min || value > int64Max ? null : toInt64(value);
  }

  write(writer: ByteWriter): void {
    if (this.isEmpty) return writer.varint(0);
    const { words, baseWord, start, end, isNegative } = readMagnitude(this.#limbs, this.#baseLimb);
    if (start === end) return writer.varint(1);
    const lowest = words[start] as number;
    const skipped = (31 - Math.clz32(lowest & -lowest)) >> 3;
    const unused = Math.clz32(words[end - 1] as number) >> 3;
    const count = 4 * (end - start) - skipped - unused;
    writer.varint(2 * count + (isNegative ? 1 : 0));
    writer.zigzag(4 * (baseWord + start) + skipped - unitByte);
    for (let i = 4 * start + skipped; i < 4 * end - unused; i++) {
      writer.byte(((words[i >> 2] as number) >>> (8 * (i & 3))) & 0xff);
    }
  }

  /** Adds the sum that `write` wrote. @throws CorruptRecordError for bytes it never writes. */
  addWritten(reader: ByteReader): void {
    const header = reader.varint();
    if (header < 2) {
      if (header === 1) this.#addZero();
      return;
    }
    const count = Math.floor(header / 2);
    const place = reader.zigzag() + unitByte;
    if (place < 0 || place + count > bytePlaceMax) throw corrupt("it is past the range of sums");
    const from = reader.position;
    reader.skip(count);
    const { bytes } = reader;
    if (bytes[from] === 0 || bytes[from + count - 1] === 0) throw corrupt("its ends are zero");
    const sign = header % 2 === 0 ? 1 : -1;
    let limb = this.#reserve(place >> 2, ((place & 3) + count + 3) >> 2);
    const limbs = this.#limbs;
    const end = from + count;
    // The first and the last word of the sum may have bytes missing; between them they are whole.
    let i = from;
    let word = 0;
    for (let shift = 8 * (place & 3); shift < 32 && i < end; shift += 8) {
      word |= (bytes[i++] as number) << shift;
    }
    limbs[limb++]! += sign * (word >>> 0);
    for (; i + 4 <= end; i += 4) limbs[limb++]! += sign * wordAt(bytes, i);
    if (i === end) return;
    word = bytes[i++] as number;
    if (i < end) word |= (bytes[i++] as number) << 8;
    if (i < end) word |= (bytes[i++] as number) << 16;
    limbs[limb]! += sign * word;
  }

  /** Remembers that there was a value, at the place where its neighbours will most likely be. */
  #addZero(): void {
    if (this.isEmpty) this.#grow(unitWord - 1, 1);
  }

  /** Adds `integer * 2^position` in units of 2^-2176, for an integer within 2^54. */
  #addShifted(integer: number, position: number): void {
    const i = this.#reserve(position >> 5, 3);
    // Only the exponent changes, so it is exact, and so is each part that is cut off below.
    const shifted = integer * ((1 << (position & 31)) >>> 0);
    const top = Math.trunc(shifted * 2 ** -64);
    const rest = shifted - top * 2 ** 64;
    const middle = Math.trunc(rest * 2 ** -32);
    const limbs = this.#limbs;
    limbs[i]! += rest - middle * limbSize;
    limbs[i + 1]! += middle;
    limbs[i + 2]! += top;
  }

  /** Makes room for one more addition to `count` limbs from `limb` up; the index of the first. */
  #reserve(limb: number, count: number): number {
    if (this.#pending >= pendingMax) this.#propagate();
    this.#pending++;
    const index = limb - this.#baseLimb;
    if (index >= 0 && index + count <= this.#limbs.length) return index;
    this.#grow(limb, count);
    return limb - this.#baseLimb;
  }

  #grow(limb: number, count: number): void {
    const old = this.#limbs;
    const isFirst = old.length === 0;
    const low = isFirst ? limb - 1 : Math.min(this.#baseLimb, limb);
    const high = Math.max(limb + count, isFirst ? low + windowLength : this.#baseLimb + old.length);
    this.#limbs = new Float64Array(high - low);
    this.#limbs.set(old, isFirst ? 0 : this.#baseLimb - low);
    this.#baseLimb = low;
  }

  /** Moves carries up, so that every limb is within 2^32 again; the sum stays what it was. */
  #propagate(): void {
    const limbs = this.#limbs;
    const last = limbs.length - 1;
    let carry = 0;
    for (let i = 0; i < last; i++) {
      const value = (limbs[i] as number) + carry;
      carry = Math.floor(value / limbSize);
      limbs[i] = value - carry * limbSize;
    }
    limbs[last]! += carry;
    this.#pending = 1;
    this.#cutTop(last);
  }

  /** The top limb keeps the sign, and hands on only what is past its own size. */
  #cutTop(last: number): void {
    const value = this.#limbs[last] as number;
    if (Math.abs(value) < limbSize) return;
    this.#grow(this.#baseLimb + last + 1, 1);
    const carry = Math.trunc(value / limbSize);
    this.#limbs[last] = value - carry * limbSize;
    this.#limbs[last + 1] = carry;
  }
}

/** The upper 21 bits of the 53 that make a double's integer, from the upper word of its bits. */
function mantissaHigh(high: number): number {
  const isSubnormal = (high & 0x7ff0_0000) === 0;
  return isSubnormal ? high & 0xf_ffff : (high & 0xf_ffff) | 0x10_0000;
}

/** The power of two by which that integer is multiplied. */
function mantissaExponent(high: number): number {
  return Math.max((high >>> 20) & 0x7ff, 1) - 1075;
}

function wordAt(bytes: Uint8Array, position: number): number {
  const low = (bytes[position] as number) | ((bytes[position + 1] as number) << 8);
  const high = (bytes[position + 2] as number) | ((bytes[position + 3] as number) << 8);
  return (low | (high << 16)) >>> 0;
}

function corrupt(why: string): CorruptRecordError {
  return new CorruptRecordError(`Cannot read a sum: ${why}`);
}
