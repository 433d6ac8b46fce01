/**
 * HyperLogLog over 64-bit hashes: a set of few hashes is kept whole, one of many by its registers.
 *
 * P. Flajolet et al., "HyperLogLog" (2007); the set of few is that of S. Heule et al., "HyperLogLog
 * in practice" (2013), section 5.3, with 2^26 places; the estimate is that of O. Ertl, "New
 * cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6.
 *
 *   hash   ├──── place: 26 bits ────┼──────────── 38 bits ────────────┤
 *   code   ├──── place: 26 bits ────┼ rank of the 38 bits: 6 bits ┤
 *          ├ register: p bits ┼ its rank: zeros to the next one, plus 1
 *
 * A state is few while it has at most 3/16 codes a register, which take about the bytes of the
 * registers. That depends on the set of codes alone, and a set past it stays past it in every merge:
 * so the same values write the same bytes in whatever order and split they came.
 *
 * Bytes:  few   varint count │ varint of the first code, then of the steps between them
 *         many  varint (3/16 of the registers + 1) │ registers of 6 bits, four in three bytes
 */

import type { ByteReader, ByteWriter } from "../../core/bytes.ts";
import { CorruptRecordError } from "../../core/errors.ts";
import type { Hash64 } from "./hash-scalar.ts";

const placeBits = 26;
const placeCount = 2 ** placeBits;
const rankBits = 6;
const rankCount = 2 ** rankBits;
/** Of the 38 bits behind a place: 38 zeros, plus 1. */
const codeRankMax = 39;

export class HyperLogLog {
  readonly #registerBits: number;
  readonly #codeCountMax: number;
  /** Ranks by place while they are few. */
  #ranks: Map<number, number> | null = new Map();
  /** Ranks by register once they are many. */
  #registers: Uint8Array | null = null;

  /** @param registerBits 4 to 16: there are 2^registerBits registers. */
  constructor(registerBits: number) {
    this.#registerBits = registerBits;
    this.#codeCountMax = 3 * 2 ** (registerBits - 4);
  }

  get isEmpty(): boolean {
    return this.#ranks !== null && this.#ranks.size === 0;
  }

  addHash({ high, low }: Hash64): void {
    const rest = (high << placeBits) >>> 0;
    const rank = 1 + (rest === 0 ? rankBits + Math.clz32(low) : Math.clz32(rest));
    this.#addCode(high >>> rankBits, rank);
  }

  /** Adds what another of as many registers holds; it stays as it is. */
  addSketch(from: HyperLogLog): void {
    if (from.#registers === null) from.#ranks?.forEach((rank, place) => this.#addCode(place, rank));
    else this.#addRegisters(from.#registers);
  }

  /** About how many distinct hashes were added, as an integer. */
  estimate(): number {
    if (this.#registers !== null)
      return Math.round(estimateOf(this.#registers, this.#registerBits));
    const count = this.#ranks?.size ?? 0;
    // Linear counting, -m ln(1 - count / m), to its second term: the next is below 0.001.
    return Math.round(count + count ** 2 / (2 * placeCount));
  }

  write(writer: ByteWriter): void {
    if (this.#registers !== null) {
      writer.varint(this.#codeCountMax + 1);
      return writeRegisters(writer, this.#registers);
    }
    const ranks = this.#ranks as ReadonlyMap<number, number>;
    const codes = Float64Array.from(ranks, ([place, rank]) => place * rankCount + rank).sort();
    writer.varint(codes.length);
    let previous = 0;
    for (const code of codes) {
      writer.varint(code - previous);
      previous = code;
    }
  }

  /** Adds what `write` wrote. @throws CorruptRecordError for bytes it never writes. */
  addWritten(reader: ByteReader): void {
    const count = reader.varint();
    if (count === this.#codeCountMax + 1) {
      return this.#addRegisters(readRegisters(reader, this.#registerBits));
    }
    if (count > this.#codeCountMax) throw corrupt("it has more codes than it may");
    let previous = -1;
    for (let i = 0; i < count; i++) {
      const code = (i === 0 ? 0 : previous) + reader.varint();
      const place = Math.floor(code / rankCount);
      const rank = code % rankCount;
      if (place >= placeCount || rank < 1 || rank > codeRankMax) {
        throw corrupt("it has a code that no hash has");
      }
      if (Math.floor(previous / rankCount) === place)
        throw corrupt("it has two codes of one place");
      this.#addCode(place, rank);
      previous = code;
    }
  }

  #addCode(place: number, rank: number): void {
    if (this.#registers !== null) return addToRegister(this.#registers, place, rank);
    const ranks = this.#ranks as Map<number, number>;
    const known = ranks.get(place);
    if (known !== undefined && known >= rank) return;
    ranks.set(place, rank);
    if (ranks.size > this.#codeCountMax) this.#becomeMany();
  }

  #addRegisters(from: Uint8Array): void {
    const registers = this.#registers ?? this.#becomeMany();
    for (let i = 0; i < from.length; i++) {
      if ((from[i] as number) > (registers[i] as number)) registers[i] = from[i] as number;
    }
  }

  #becomeMany(): Uint8Array {
    const registers = new Uint8Array(2 ** this.#registerBits);
    this.#ranks?.forEach((rank, place) => addToRegister(registers, place, rank));
    this.#ranks = null;
    this.#registers = registers;
    return registers;
  }
}

function addToRegister(registers: Uint8Array, place: number, rank: number): void {
  const bits = placeBits - (31 - Math.clz32(registers.length));
  const rest = place & ((1 << bits) - 1);
  const own = rest === 0 ? bits + rank : Math.clz32(rest) - 31 + bits;
  const i = place >>> bits;
  if (own > (registers[i] as number)) registers[i] = own;
}

function writeRegisters(writer: ByteWriter, registers: Uint8Array): void {
  for (let i = 0; i < registers.length; i += 4) {
    const [a, b, c, d] = [registers[i], registers[i + 1], registers[i + 2], registers[i + 3]];
    const word =
      ((a as number) << 18) | ((b as number) << 12) | ((c as number) << 6) | (d as number);
    writer.byte(word >>> 16);
    writer.byte((word >>> 8) & 0xff);
    writer.byte(word & 0xff);
  }
}

function readRegisters(reader: ByteReader, registerBits: number): Uint8Array {
  const registers = new Uint8Array(2 ** registerBits);
  const packed = reader.raw((registers.length / 4) * 3);
  let highest = 0;
  for (let i = 0, from = 0; i < registers.length; i += 4, from += 3) {
    const word =
      ((packed[from] as number) << 16) |
      ((packed[from + 1] as number) << 8) |
      (packed[from + 2] as number);
    for (let j = 0; j < 4; j++) {
      const rank = (word >>> (18 - 6 * j)) & (rankCount - 1);
      registers[i + j] = rank;
      if (rank > highest) highest = rank;
    }
  }
  if (highest === 0) throw corrupt("none of its registers is set");
  if (highest > rankMax(registerBits)) throw corrupt("it has a rank that no hash has");
  return registers;
}

/** Of the bits behind a register's number: all zeros, plus 1. */
function rankMax(registerBits: number): number {
  return 64 - registerBits + 1;
}

/**
 * Ertl's improved raw estimator. It needs no logarithm, so every runtime answers the same, and has
 * no range of counts in which it is biased.
 */
function estimateOf(registers: Uint8Array, registerBits: number): number {
  const m = registers.length;
  const last = rankMax(registerBits);
  const counts = new Float64Array(last + 1);
  for (const rank of registers) counts[rank]! += 1;
  let z = m * tau(1 - (counts[last] as number) / m);
  for (let rank = last - 1; rank >= 1; rank--) z = 0.5 * (z + (counts[rank] as number));
  z += m * sigma((counts[0] as number) / m);
  return (alphaMany / (1 + 1.079 / m)) * m * (m / z);
}

/** 1 / (2 ln 2), of endlessly many registers; the divisor for fewer is that of Flajolet, figure 3. */
const alphaMany = 0.7213475204444817;

/** `x + x^2 + 2 x^4 + 4 x^8 + …`, for x below 1; Ertl, algorithm 6. */
function sigma(x: number): number {
  let power = x;
  let weight = 1;
  let sum = x;
  for (let previous = -1; previous !== sum; weight *= 2) {
    power *= power;
    previous = sum;
    sum += power * weight;
  }
  return sum;
}

/** `(1 - x - (1 - √x)^2 / 2 - (1 - ∜x)^2 / 4 - …) / 3`; Ertl, algorithm 6. */
function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let weight = 1;
  let rest = 1 - x;
  for (let previous = -1; previous !== rest;) {
    root = Math.sqrt(root);
    previous = rest;
    weight *= 0.5;
    rest -= (1 - root) ** 2 * weight;
  }
  return rest / 3;
}

function corrupt(why: string): CorruptRecordError {
  return new CorruptRecordError(`Cannot read a count of distinct values: ${why}`);
}
