/** The part of a partition that the records of a source in a request are, as their sender says. */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { SourceDefinition } from "../define/definition.ts";
import type { PartitionRange } from "../store/event-log.ts";

/** Where the records of a source come from, as sent. */
export interface SentPartition {
  readonly partition: string;
  /** The sender has sent, or now sends, every record before the last one's offset from this on. */
  readonly fromOffset: number;
  /** One a record, going up; one after the other from `fromOffset` where left out. */
  readonly offsets?: readonly number[];
}

export interface ReadPartition {
  readonly range: PartitionRange;
  /** One a record. */
  readonly offsets: readonly number[];
}

/** The offset after it is an integer that a number holds exactly, too. */
const offsetMax = Number.MAX_SAFE_INTEGER - 1;

/** @throws FeatureError INVALID_REQUEST naming the field that is wrong. */
export function readPartition(
  source: SourceDefinition,
  sent: SentPartition,
  recordCount: number,
): ReadPartition {
  const { partition, fromOffset } = sent;
  const field = `partitions.${source.name}`;
  if (source.id !== null) {
    throw invalid(field, "is of a source whose event ids count each event once", "leave it out");
  }
  if (partition.length < 1 || partition.length > limits.partitionLengthMax) {
    const expected = `expected 1 to ${limits.partitionLengthMax}`;
    throw invalid(`${field}.partition`, `has ${partition.length} characters`, expected);
  }
  refuseOffset(`${field}.fromOffset`, fromOffset, 0);
  const offsets = sent.offsets ?? Array.from({ length: recordCount }, (_, i) => fromOffset + i);
  if (offsets.length !== recordCount) {
    const found = `has ${offsets.length} offsets for ${recordCount} records`;
    throw invalid(`${field}.offsets`, found, "expected one a record");
  }
  let nextOffset = fromOffset;
  for (const [i, offset] of offsets.entries()) {
    refuseOffset(`${field}.offsets.${i}`, offset, nextOffset);
    nextOffset = offset + 1;
  }
  return { range: { source: source.name, partition, fromOffset, nextOffset }, offsets };
}

function refuseOffset(field: string, offset: number, offsetMin: number): void {
  if (Number.isInteger(offset) && offset >= offsetMin && offset <= offsetMax) return;
  const expected = `expected an integer from ${offsetMin} to ${offsetMax}`;
  throw invalid(field, `is ${offset}`, expected);
}

function invalid(field: string, found: string, expected: string): FeatureError {
  return new FeatureError(
    "INVALID_REQUEST",
    `Cannot read request: "${field}" ${found}, ${expected}`,
  );
}
