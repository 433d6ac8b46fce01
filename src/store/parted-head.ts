/**
 * What stands under the key of a value that may be large: the value, or where its parts are.
 *
 *   small   00 | bytes
 *   large   01 | name | varint: parts | varint: bytes of all parts
 *
 * Worked: 150 bytes in parts of 64, named "ab", are `01 02 61 62 03 96 01`.
 */

import { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import type { StoredValue } from "./online-store.ts";

/** Where the parts of a value are; a small value has none. */
export interface Parts {
  readonly name: string;
  readonly count: number;
}

export interface LargeHead extends Parts {
  /** Of all parts together. */
  readonly sizeBytes: number;
  /** Of the head, as the store says. */
  readonly version: string | null;
}

const markers = { small: 0, large: 1 } as const;

export function writeSmall(bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(bytes.length + 1);
  head[0] = markers.small;
  head.set(bytes, 1);
  return head;
}

export function writeLarge({ name, count, sizeBytes }: Omit<LargeHead, "version">): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(markers.large);
  writer.string(name);
  writer.varint(count);
  writer.varint(sizeBytes);
  return writer.finish();
}

/** A small value as it is. @throws CorruptRecordError for bytes that are neither. */
export function readHead({ bytes, version }: StoredValue): LargeHead | StoredValue {
  const reader = new ByteReader(bytes);
  const marker = reader.byte();
  if (marker === markers.small) return { bytes: bytes.subarray(1), version };
  if (marker !== markers.large) {
    throw new CorruptRecordError("Cannot read a value: its marker is unknown");
  }
  const name = reader.string();
  const count = reader.varint();
  const sizeBytes = reader.varint();
  if (count < 1 || count > sizeBytes || reader.remaining > 0) {
    throw new CorruptRecordError("Cannot read a value: its head holds what none has");
  }
  return { name, count, sizeBytes, version };
}

export function isLarge(head: LargeHead | StoredValue | null): head is LargeHead {
  return head !== null && "sizeBytes" in head;
}

/** Null where a part is missing. @throws CorruptRecordError where they are not as long as told. */
export function joinParts(
  parts: readonly (StoredValue | null)[],
  sizeBytes: number,
): Uint8Array | null {
  const found = parts.filter((part) => part !== null);
  if (found.length < parts.length) return null;
  if (found.reduce((sum, part) => sum + part.bytes.length, 0) !== sizeBytes) {
    throw new CorruptRecordError("Cannot read a value: its parts are not as long as its head says");
  }
  const bytes = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const part of found) {
    bytes.set(part.bytes, offset);
    offset += part.bytes.length;
  }
  return bytes;
}
