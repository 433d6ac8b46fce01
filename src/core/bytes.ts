/** Growable writer and bounds-checked reader over bytes: little-endian numbers, LEB128 varints, UTF-8 strings. */

import { CorruptRecordError } from "./errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whose length is a varint of one byte. */
const shortTextUnits = 0x7f;

/** Appends to a buffer that doubles when it is full. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacityBytes = 64) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written; keeps the buffer. */
  reset(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Unsigned LEB128 of an integer in [0, 2^53). */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Signed integer of magnitude below 2^52: zigzag, then LEB128. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  bigint64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Varint of the byte length, then UTF-8. */
  string(value: string): void {
    if (value.length <= shortTextUnits && this.#shortAscii(value)) return;
    const bytes = encoder.encode(value);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** Nearly every string is one of these: an encoder for each would cost more than its bytes. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const start = this.#length + 1;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) return false;
      this.#bytes[start + i] = unit;
    }
    this.#bytes[this.#length] = length;
    this.#length = start + length;
    return true;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** What was written, without a copy; valid until the next write. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    let capacity = this.#bytes.length * 2;
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what `ByteWriter` wrote. Every read past the end throws `CorruptRecordError`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.position;
  }

  byte(): number {
    this.#need(1);
    return this.bytes[this.position++] as number;
  }

  varint(): number {
    let result = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const next = this.byte();
      result += (next & 0x7f) * scale;
      if (next < 0x80) return result;
      scale *= 0x80;
    }
    throw new CorruptRecordError("Cannot read a varint: it is longer than 8 bytes");
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  float64(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.position, true);
    this.position += 8;
    return value;
  }

  bigint64(): bigint {
    this.#need(8);
    const value = this.#view.getBigInt64(this.position, true);
    this.position += 8;
    return value;
  }

  /** A view of the next `count` bytes, not a copy. */
  raw(count: number): Uint8Array {
    this.#need(count);
    const start = this.position;
    this.position += count;
    return this.bytes.subarray(start, start + count);
  }

  string(): string {
    return decodeUtf8(this.raw(this.varint()));
  }

  skip(count: number): void {
    this.#need(count);
    this.position += count;
  }

  #need(count: number): void {
    if (count > this.bytes.length - this.position) {
      throw new CorruptRecordError(
        `Cannot read ${count} bytes at ${this.position}: the record ends at ${this.bytes.length}`,
      );
    }
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new CorruptRecordError("Cannot read a string: its bytes are not UTF-8", { cause });
  }
}
