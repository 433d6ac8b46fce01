/**
 * Writes MessagePack: integers in the fewest bytes that hold them, doubles that stay doubles however
 * whole they are, and nothing but what every reader knows.
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */

import { ByteWriter } from "../bytes.ts";
import type { Int64 } from "../value.ts";

const utf8 = new TextEncoder();

export class MsgpackWriter {
  readonly #bytes = new ByteWriter(1_024);
  /** A tag and the number after it, big-endian. */
  readonly #tagged = new DataView(new ArrayBuffer(9));
  readonly #taggedBytes = new Uint8Array(this.#tagged.buffer);

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.finish();
  }

  nil(): void {
    this.#bytes.byte(0xc0);
  }

  boolean(value: boolean): void {
    this.#bytes.byte(value ? 0xc3 : 0xc2);
  }

  float64(value: number): void {
    this.#tagged.setFloat64(1, value);
    this.#put(0xcb, 9);
  }

  float32(value: number): void {
    this.#tagged.setFloat32(1, value);
    this.#put(0xca, 5);
  }

  /** In the fewest bytes that hold it. */
  integer(value: Int64): void {
    if (typeof value === "bigint" || value < -0x8000_0000 || value > 0xffff_ffff) {
      this.#tagged.setBigInt64(1, BigInt(value));
      this.#put(0xd3, 9);
    } else if (value >= 0) {
      if (value < 0x80) this.#bytes.byte(value);
      else if (value <= 0xff) this.#put8(0xcc, value);
      else if (value <= 0xffff) this.#put16(0xcd, value);
      else this.#put32(0xce, value);
    } else if (value >= -0x20) this.#bytes.byte(0x100 + value);
    else if (value >= -0x80) this.#put8(0xd0, value);
    else if (value >= -0x8000) this.#put16(0xd1, value);
    else this.#put32(0xd2, value);
  }

  string(value: string): void {
    if (isShortAscii(value)) {
      this.#bytes.byte(0xa0 | value.length);
      for (let i = 0; i < value.length; i++) this.#bytes.byte(value.charCodeAt(i));
      return;
    }
    const bytes = utf8.encode(value);
    const { length } = bytes;
    if (length < 0x20) this.#bytes.byte(0xa0 | length);
    else if (length <= 0xff) this.#put8(0xd9, length);
    else if (length <= 0xffff) this.#put16(0xda, length);
    else this.#put32(0xdb, length);
    this.#bytes.raw(bytes);
  }

  /** That many elements follow. */
  array(length: number): void {
    if (length < 0x10) this.#bytes.byte(0x90 | length);
    else if (length <= 0xffff) this.#put16(0xdc, length);
    else this.#put32(0xdd, length);
  }

  /** That many pairs follow, each a string and what it names. */
  map(size: number): void {
    if (size < 0x10) this.#bytes.byte(0x80 | size);
    else if (size <= 0xffff) this.#put16(0xde, size);
    else this.#put32(0xdf, size);
  }

  binary(value: Uint8Array): void {
    const { length } = value;
    if (length <= 0xff) this.#put8(0xc4, length);
    else if (length <= 0xffff) this.#put16(0xc5, length);
    else this.#put32(0xc6, length);
    this.#bytes.raw(value);
  }

  #put8(tag: number, value: number): void {
    this.#tagged.setUint8(1, value);
    this.#put(tag, 2);
  }

  #put16(tag: number, value: number): void {
    this.#tagged.setUint16(1, value);
    this.#put(tag, 3);
  }

  #put32(tag: number, value: number): void {
    this.#tagged.setUint32(1, value);
    this.#put(tag, 5);
  }

  #put(tag: number, count: number): void {
    this.#tagged.setUint8(0, tag);
    // A copy of so few bytes costs more than the bytes.
    for (let i = 0; i < count; i++) this.#bytes.byte(this.#taggedBytes[i] as number);
  }
}

/** Nearly every string is one of these: an encoder for each would cost more than its bytes. */
function isShortAscii(value: string): boolean {
  if (value.length >= 0x20) return false;
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) >= 0x80) return false;
  return true;
}
