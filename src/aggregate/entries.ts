/** Values with their places in time, sorted: what `last`, `first` and their distinct forms keep. */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import { readScalar, readStep, writeScalar, writeStep } from "../core/scalar-codec.ts";
import { compareScalars, compareUtf8 } from "../core/value.ts";
import type { Scalar, ScalarType } from "../core/value.ts";

/** Never changed once made, so that states may share it. */
export interface Entry {
  readonly timestampMs: number;
  readonly tie: string;
  readonly value: Scalar;
}

/** By time, then tie, then value: entries of which none comes first are equal in all three. */
export function compareEntries(a: Entry, b: Entry): number {
  if (a.timestampMs !== b.timestampMs) return a.timestampMs - b.timestampMs;
  if (a.tie !== b.tie) return compareUtf8(a.tie, b.tie);
  return compareScalars(a.value, b.value);
}

/** How many of the sorted entries come before `entry`, or are equal to it. */
export function countUpTo(entries: readonly Entry[], entry: Entry): number {
  let low = 0;
  let high = entries.length;
  // Events mostly arrive in the order of their time.
  if (high > 0 && compareEntries(entries[high - 1] as Entry, entry) <= 0) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareEntries(entries[middle] as Entry, entry) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface EntryLayout {
  readonly type: ScalarType;
  /** The most entries that a state has. */
  readonly countMax: number;
}

/**
 * Writes sorted entries by column, so that what is alike stands together:
 *
 *   varint count │ first timestamp, then the steps between them │ ties │ values
 */
export function writeEntries(
  writer: ByteWriter,
  entries: readonly Entry[],
  { type }: EntryLayout,
): void {
  writer.varint(entries.length);
  let previousMs = 0;
  for (const { timestampMs } of entries) {
    writeStep(writer, previousMs, timestampMs);
    previousMs = timestampMs;
  }
  for (const { tie } of entries) writer.string(tie);
  for (const { value } of entries) writeScalar(writer, type, value);
}

/** @throws CorruptRecordError for bytes that `writeEntries` never writes. */
export function readEntries(reader: ByteReader, { type, countMax }: EntryLayout): Entry[] {
  const count = reader.varint();
  if (count > countMax) {
    throw new CorruptRecordError(
      `Cannot read a state: it has ${count} entries, expected ${countMax} or fewer`,
    );
  }
  const timestamps: number[] = [];
  const ties: string[] = [];
  const entries: Entry[] = [];
  for (let i = 0; i < count; i++) {
    timestamps.push(readStep(reader, i === 0 ? 0 : (timestamps[i - 1] as number)));
  }
  for (let i = 0; i < count; i++) ties.push(reader.string());
  for (let i = 0; i < count; i++) {
    const value = readScalar(reader, type);
    const entry = { timestampMs: timestamps[i] as number, tie: ties[i] as string, value };
    if (i > 0 && compareEntries(entries[i - 1] as Entry, entry) > 0) {
      throw new CorruptRecordError("Cannot read a state: its entries are not sorted");
    }
    entries.push(entry);
  }
  return entries;
}
