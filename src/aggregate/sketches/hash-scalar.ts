/**
 * A 64-bit hash of a column's value: the first half of MurmurHash3_x86_128 over its encoded bytes.
 *
 * Not two XXH32 with seeds of their own: their seed is only added, so that values which collide under
 * one can collide under the other too. Of a million ids of eight hex digits, every pair did.
 */

import { ByteWriter } from "../../core/bytes.ts";
import { writeScalar } from "../../core/scalar-codec.ts";
import type { Scalar, ScalarType } from "../../core/value.ts";

/** Two unsigned words. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

const scratch = new ByteWriter(64);

/** One value has one encoding, so one value has one hash. */
export function hashScalar(type: ScalarType, value: Scalar): Hash64 {
  scratch.reset();
  writeScalar(scratch, type, value);
  return murmur64(scratch.peek());
}

// Algorithm and constants: A. Appleby, SMHasher, MurmurHash3.cpp, "MurmurHash3_x86_128".
// https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
const factor1 = 0x239b961b;
const factor2 = 0xab0e9789;
const factor3 = 0x38b34ae5;
const factor4 = 0xa1e38b93;

/** The first 64 bits of the 128, with the seed 0. */
export function murmur64(bytes: Uint8Array): Hash64 {
  const { length } = bytes;
  const blocksEnd = length & ~15;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let position = 0; position < blocksEnd; position += 16) {
    a ^= scramble1(wordAt(bytes, position));
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b ^= scramble2(wordAt(bytes, position + 4));
    b = (Math.imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0;
    c ^= scramble3(wordAt(bytes, position + 8));
    c = (Math.imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0;
    d ^= scramble4(wordAt(bytes, position + 12));
    d = (Math.imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0;
  }
  // The bytes left over are a block filled up with zeros, which scramble to zero.
  a ^= scramble1(wordAt(bytes, blocksEnd)) ^ length;
  b ^= scramble2(wordAt(bytes, blocksEnd + 4)) ^ length;
  c ^= scramble3(wordAt(bytes, blocksEnd + 8)) ^ length;
  d ^= scramble4(wordAt(bytes, blocksEnd + 12)) ^ length;
  a = (a + b + c + d) | 0;
  const mixedB = avalanche(a + b);
  a = (avalanche(a) + mixedB + avalanche(a + c) + avalanche(a + d)) | 0;
  return { high: a >>> 0, low: (a + mixedB) >>> 0 };
}

function scramble1(word: number): number {
  return Math.imul(rotate(Math.imul(word, factor1), 15), factor2);
}

function scramble2(word: number): number {
  return Math.imul(rotate(Math.imul(word, factor2), 16), factor3);
}

function scramble3(word: number): number {
  return Math.imul(rotate(Math.imul(word, factor3), 17), factor4);
}

function scramble4(word: number): number {
  return Math.imul(rotate(Math.imul(word, factor4), 18), factor1);
}

/** Little-endian; bytes past the end are zeros. */
function wordAt(bytes: Uint8Array, position: number): number {
  return (
    (bytes[position] ?? 0) |
    ((bytes[position + 1] ?? 0) << 8) |
    ((bytes[position + 2] ?? 0) << 16) |
    ((bytes[position + 3] ?? 0) << 24)
  );
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function avalanche(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
