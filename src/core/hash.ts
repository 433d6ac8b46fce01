/** XXH32: the checksum of records, the hash of shards and the digits of fingerprints. */

// Algorithm and constants: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, "XXH32".
const prime1 = 0x9e3779b1;
const prime2 = 0x85ebca77;
const prime3 = 0xc2b2ae3d;
const prime4 = 0x27d4eb2f;
const prime5 = 0x165667b1;

const encoder = new TextEncoder();
const shortText = new Uint8Array(256);

/**
 * XXH32 of bytes, as an integer in [0, 2^32). Both seeds and results are unsigned.
 *
 * @example xxh32(new Uint8Array(0)); // 0x02cc5d05
 */
export function xxh32(bytes: Uint8Array, seed = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length;
  const stripesEnd = length & ~15;
  let hash = stripesEnd > 0 ? hashStripes(view, stripesEnd, seed) : (seed + prime5) | 0;
  hash = (hash + length) | 0;

  let position = stripesEnd;
  for (; position + 4 <= length; position += 4) {
    hash = (hash + Math.imul(view.getUint32(position, true), prime3)) | 0;
    hash = Math.imul((hash << 17) | (hash >>> 15), prime4);
  }
  for (; position < length; position++) {
    hash = (hash + Math.imul(view.getUint8(position), prime5)) | 0;
    hash = Math.imul((hash << 11) | (hash >>> 21), prime1);
  }
  return avalanche(hash);
}

/** 32 hex digits over a string's UTF-8 bytes: four XXH32 with seeds of their own. */
export function digestText(text: string): string {
  const bytes = utf8Of(text);
  return [1, 2, 3, 4].map((seed) => xxh32(bytes, seed).toString(16).padStart(8, "0")).join("");
}

/** XXH32 of a string's UTF-8 bytes. */
export function hashText(text: string, seed = 0): number {
  return xxh32(utf8Of(text), seed);
}

/** Valid until the next call: keys and ids are short and ASCII as a rule, and need no encoder. */
function utf8Of(text: string): Uint8Array {
  if (text.length > shortText.length) return encoder.encode(text);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return encoder.encode(text);
    shortText[i] = unit;
  }
  return shortText.subarray(0, text.length);
}

/** Four lanes over the whole stripes of 16 bytes; `end` is a multiple of 16 above zero. */
function hashStripes(view: DataView, end: number, seed: number): number {
  let a = (seed + prime1 + prime2) | 0;
  let b = (seed + prime2) | 0;
  let c = seed | 0;
  let d = (seed - prime1) | 0;
  for (let position = 0; position < end; position += 16) {
    a = (a + Math.imul(view.getUint32(position, true), prime2)) | 0;
    a = Math.imul((a << 13) | (a >>> 19), prime1);
    b = (b + Math.imul(view.getUint32(position + 4, true), prime2)) | 0;
    b = Math.imul((b << 13) | (b >>> 19), prime1);
    c = (c + Math.imul(view.getUint32(position + 8, true), prime2)) | 0;
    c = Math.imul((c << 13) | (c >>> 19), prime1);
    d = (d + Math.imul(view.getUint32(position + 12, true), prime2)) | 0;
    d = Math.imul((d << 13) | (d >>> 19), prime1);
  }
  return (
    (((a << 1) | (a >>> 31)) +
      ((b << 7) | (b >>> 25)) +
      ((c << 12) | (c >>> 20)) +
      ((d << 18) | (d >>> 14))) |
    0
  );
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15), prime2);
  mixed = Math.imul(mixed ^ (mixed >>> 13), prime3);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
