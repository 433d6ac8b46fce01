import { expect, test } from "vitest";
import { hashText, xxh32 } from "../../src/core/hash.ts";

const prime32 = 0x9e3779b1;

/** The bytes that xxHash's own sanity check hashes. */
function sanityBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let generator = BigInt(prime32);
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(generator >> 56n);
    generator = BigInt.asUintN(64, generator * 11_400_714_785_074_694_797n);
  }
  return bytes;
}

// Vectors of the reference implementation (Cyan4973/xxHash, XXH32 sanity check).
test.each([
  [0, 0, 0x02cc5d05],
  [0, prime32, 0x36b78ae7],
  [1, 0, 0xcf65b03e],
  [1, prime32, 0xb4545aa4],
  [14, 0, 0x1208e7e2],
  [14, prime32, 0x6af1d1fe],
  [222, 0, 0x5bd11dbd],
  [222, prime32, 0x58803c5f],
])("xxh32() of %d sanity bytes under seed %d", (length, seed, expected) => {
  expect(xxh32(sanityBytes(length), seed)).toBe(expected);
});

test.each([
  ["a", 0x550d7456],
  ["abc", 0x32d153ff],
  ["Hello World!", 0x0bd69788],
  ["The quick brown fox jumps over the lazy dog", 0xe85ea4de],
  ["Nobody inspects the spammish repetition", 0xe2293b2f],
])("hashText() of %j", (text, expected) => {
  expect(hashText(text)).toBe(expected);
});

test("xxh32() reads a view of a larger buffer at any alignment, and changes nothing", () => {
  const bytes = sanityBytes(222);
  for (let shift = 0; shift < 8; shift++) {
    const buffer = new Uint8Array(240).fill(0xaa);
    buffer.set(bytes, shift);
    const before = buffer.slice();
    expect(xxh32(buffer.subarray(shift, shift + 222))).toBe(0x5bd11dbd);
    expect(buffer).toEqual(before);
  }
});

test("xxh32() changes with every bit of a stripe, a word and a trailing byte", () => {
  const bytes = sanityBytes(16 + 4 + 3);
  const hashes = new Set([xxh32(bytes)]);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    hashes.add(xxh32(flipped));
  }
  expect(hashes.size).toBe(bytes.length * 8 + 1);
});

test("hashText() hashes UTF-8", () => {
  expect(hashText("é😀", 7)).toBe(xxh32(new Uint8Array([0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80]), 7));
});
