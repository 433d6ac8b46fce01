/**
 * Reads MessagePack as JavaScript has it: byte strings as views of the bytes, integers past 2^53 as
 * bigints, maps as objects. Extensions are refused but for the one that stood for undefined in state
 * tables of before: nothing here writes one.
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */

import { CorruptRecordError } from "../errors.ts";
import { limits } from "../limits.ts";
import { toInt64 } from "../value.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class MsgpackReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The one value that the bytes are. @throws CorruptRecordError where they are anything else. */
  read(): unknown {
    const value = this.#value(0);
    if (this.#position !== this.#bytes.length) throw corrupt("there are bytes behind its end");
    return value;
  }

  #value(depth: number): unknown {
    if (depth > limits.msgpackDepthMax) throw corrupt("it is nested too deep");
    const tag = this.#unsigned(1);
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag < 0x90) return this.#map(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.#string(tag & 0x1f);
    return this.#tagged(tag, depth);
  }

  #tagged(tag: number, depth: number): unknown {
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#raw(this.#unsigned(1 << (tag - 0xc4)));
      case 0xca:
        return this.#view.getFloat32(this.#take(4));
      case 0xcb:
        return this.#view.getFloat64(this.#take(8));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#unsigned(1 << (tag - 0xcc));
      case 0xcf:
        return toInt64(this.#view.getBigUint64(this.#take(8)));
      case 0xd0:
        return this.#view.getInt8(this.#take(1));
      case 0xd1:
        return this.#view.getInt16(this.#take(2));
      case 0xd2:
        return this.#view.getInt32(this.#take(4));
      case 0xd3:
        return toInt64(this.#view.getBigInt64(this.#take(8)));
      case 0xd4:
        if (this.#unsigned(2) === 0) return undefined;
        break;
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#unsigned(1 << (tag - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#unsigned(2 << (tag - 0xdc)), depth);
      case 0xde:
      case 0xdf:
        return this.#map(this.#unsigned(2 << (tag - 0xde)), depth);
    }
    throw corrupt("it has a tag that is not written here");
  }

  /** Of 1, 2 or 4 bytes. */
  #unsigned(count: number): number {
    const at = this.#take(count);
    if (count === 1) return this.#bytes[at] as number;
    return count === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #array(length: number, depth: number): unknown[] {
    this.#expect(length);
    const values = new Array<unknown>(length);
    for (let i = 0; i < length; i++) values[i] = this.#value(depth + 1);
    return values;
  }

  /** `Object.fromEntries` defines its keys, so that one named "__proto__" is a key like any other. */
  #map(size: number, depth: number): object {
    this.#expect(2 * size);
    const entries = new Array<[string, unknown]>(size);
    for (let i = 0; i < size; i++) {
      const key = this.#value(depth + 1);
      if (typeof key !== "string") throw corrupt("it has a map with a key that is no string");
      entries[i] = [key, this.#value(depth + 1)];
    }
    return Object.fromEntries(entries);
  }

  #string(length: number): string {
    try {
      return utf8.decode(this.#raw(length));
    } catch (cause) {
      throw corrupt("it has a string that is not UTF-8", cause);
    }
  }

  #raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Each takes a byte at least, so that a broken length cannot ask for memory. */
  #expect(count: number): void {
    if (count > this.#bytes.length - this.#position) throw corrupt("it ends early");
  }

  /** Moves past the next bytes; where they start. */
  #take(count: number): number {
    this.#expect(count);
    const at = this.#position;
    this.#position += count;
    return at;
  }
}

function corrupt(why: string, cause?: unknown): CorruptRecordError {
  return new CorruptRecordError(`Cannot read MessagePack: ${why}`, { cause });
}
