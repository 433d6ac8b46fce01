/** How often each of some keys occurred: what histograms and percentiles are made from. */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";

/** Counts by key, in no order; none is zero. */
export type Counts<Key> = Map<Key, number>;

export function addCountInto<Key>(counts: Counts<Key>, key: Key, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

export function writeCount(writer: ByteWriter, count: number): void {
  writer.varint(count);
}

/** @throws CorruptRecordError for a count that `writeCount` never writes. */
export function readCount(reader: ByteReader): number {
  const count = reader.varint();
  if (count >= 1 && count <= Number.MAX_SAFE_INTEGER) return count;
  throw new CorruptRecordError("Cannot read a state: it has a count that is none");
}
