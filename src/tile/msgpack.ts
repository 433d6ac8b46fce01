/** Envelopes as MessagePack: what records and the protocols between tilemarks are wrapped in. */

import { assert } from "../core/errors.ts";
import { MsgpackReader } from "../core/msgpack/msgpack-reader.ts";
import { MsgpackWriter } from "../core/msgpack/msgpack-writer.ts";

/**
 * Packs null, booleans, strings, numbers, bigints of 64 bits, `Uint8Array`s, and arrays and objects
 * of them. A number is an integer where 32 bits hold it, else a double; -0 is 0. A field that is
 * undefined is left out.
 */
export function packMsgpack(value: unknown): Uint8Array<ArrayBuffer> {
  const writer = new MsgpackWriter();
  pack(writer, value);
  return writer.finish();
}

/** What was packed, byte strings as views of `bytes`. @throws CorruptRecordError. */
export function unpackMsgpack(bytes: Uint8Array): unknown {
  return new MsgpackReader(bytes).read();
}

function pack(writer: MsgpackWriter, value: unknown): void {
  if (typeof value === "number") packNumber(writer, value);
  else if (typeof value === "string") writer.string(value);
  else if (typeof value === "boolean") writer.boolean(value);
  else if (typeof value === "bigint") writer.integer(value);
  else if (value === null) writer.nil();
  else if (value instanceof Uint8Array) writer.binary(value);
  else if (Array.isArray(value)) {
    writer.array(value.length);
    for (const each of value as readonly unknown[]) pack(writer, each);
  } else {
    assert(typeof value === "object", "an envelope holds data alone");
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    writer.map(entries.length);
    for (const [key, each] of entries) {
      writer.string(key);
      pack(writer, each);
    }
  }
}

function packNumber(writer: MsgpackWriter, value: number): void {
  const isInteger = Number.isInteger(value) && value >= -0x8000_0000 && value <= 0xffff_ffff;
  if (isInteger) writer.integer(value);
  else writer.float64(value);
}
