/**
 * The frame of every record: magic, kind, version, checksum, then a msgpack envelope.
 *
 *   'T' 'M' │ kind │ version │ XXH32 of everything else, 4 bytes LE │ envelope
 *
 * XXH32 changes whenever one aligned 32-bit word changes (each step of it is a bijection), so every
 * single-bit flip is detected.
 */

import { CorruptRecordError } from "../core/errors.ts";
import { xxh32 } from "../core/hash.ts";
import { packMsgpack, unpackMsgpack } from "./msgpack.ts";

export type RecordKind = "batch" | "stream" | "tombstone" | "region" | "access";

const magic = [0x54, 0x4d] as const;
const version = 1;
const kindBytes: Readonly<Record<RecordKind, number>> = {
  batch: 0x42,
  stream: 0x53,
  tombstone: 0x47,
  region: 0x52,
  access: 0x41,
};
const headerBytes = 8;

/** Wraps an envelope of strings, numbers, `Uint8Array`s and arrays of them. */
export function frameRecord(kind: RecordKind, envelope: readonly unknown[]): Uint8Array {
  const body = packMsgpack(envelope);
  const framed = new Uint8Array(headerBytes + body.length);
  framed.set([...magic, kindBytes[kind], version]);
  framed.set(body, headerBytes);
  new DataView(framed.buffer).setUint32(4, checksumOf(framed), true);
  return framed;
}

/** The envelope of a record. @throws CorruptRecordError when a single bit is not as it was written. */
export function openRecord(kind: RecordKind, framed: Uint8Array): unknown[] {
  if (framed.length < headerBytes || framed[0] !== magic[0] || framed[1] !== magic[1]) {
    throw new CorruptRecordError("Cannot read record: it does not start with its magic bytes");
  }
  if (framed[2] !== kindBytes[kind]) {
    throw new CorruptRecordError(`Cannot read record: it is not a ${kind} record`);
  }
  if (framed[3] !== version) {
    throw new CorruptRecordError(
      `Cannot read record: it has version ${framed[3]}, this reader knows ${version}`,
    );
  }
  const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
  if (view.getUint32(4, true) !== checksumOf(framed)) {
    throw new CorruptRecordError("Cannot read record: its checksum does not match its bytes");
  }
  return unpackEnvelope(framed.subarray(headerBytes));
}

/** The header's four first bytes seed the checksum of the body. */
function checksumOf(framed: Uint8Array): number {
  const seed = new DataView(framed.buffer, framed.byteOffset, 4).getUint32(0, true);
  return xxh32(framed.subarray(headerBytes), seed);
}

function unpackEnvelope(body: Uint8Array): unknown[] {
  let envelope: unknown;
  try {
    envelope = unpackMsgpack(body);
  } catch (cause) {
    throw new CorruptRecordError("Cannot read record: its envelope is not msgpack", { cause });
  }
  if (!Array.isArray(envelope)) {
    throw new CorruptRecordError("Cannot read record: its envelope is not an array");
  }
  return envelope as unknown[];
}
