/**
 * The stream record of a (view, entity): one partial an epoch that no compaction has collected.
 * It is never deleted while its entity lives: `collectedEpoch` must outlast what it counted.
 */

import { ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import { PartialView, readPartial, writePartial } from "./partial-codec.ts";
import type { Partial, RecordLayout } from "./partial.ts";
import { requireFingerprint } from "./batch-record.ts";
import { frameRecord, openRecord } from "./record-frame.ts";

export interface StreamHeader {
  /** The highest epoch removed from the record; -1 for none. */
  readonly collectedEpoch: number;
  /** For each log shard the sequence number of the last event applied: a repeat of it is no news. */
  readonly positions: ReadonlyMap<string, number>;
}

export interface EpochPartial {
  readonly epoch: number;
  /** When the epoch began, by the seal of the one before: the start of its horizon. */
  readonly startedAtMs: number;
  readonly partial: Partial;
}

/** All of a stream record, for a writer. */
export interface StreamRecord extends StreamHeader {
  /** By epoch, ascending. */
  readonly epochs: readonly EpochPartial[];
}

/** A stream record as a request needs it. */
export interface StreamRecordView extends StreamHeader {
  readonly epochs: readonly {
    readonly epoch: number;
    readonly startedAtMs: number;
    readonly partial: PartialView;
  }[];
}

export const emptyStreamRecord: StreamRecord = {
  collectedEpoch: -1,
  positions: new Map(),
  epochs: [],
};

/** Envelope: [fingerprint, collected epoch, [shard, position]*, [epoch, started at, partial]*]. */
export function writeStreamRecord(record: StreamRecord, layout: RecordLayout): Uint8Array {
  const epochs = record.epochs.map(({ epoch, startedAtMs, partial }) => {
    const writer = new ByteWriter(512);
    writePartial(writer, partial, layout);
    return [epoch, startedAtMs, writer.peek()];
  });
  return frameRecord("stream", [
    layout.fingerprint,
    record.collectedEpoch,
    [...record.positions],
    epochs,
  ]);
}

/** @throws CorruptRecordError for bytes of another definition, or not as they were written. */
export function viewStreamRecord(bytes: Uint8Array, layout: RecordLayout): StreamRecordView {
  return openStream(bytes, layout, (partial) => new PartialView(partial, layout));
}

/** @throws CorruptRecordError for bytes of another definition, or not as they were written. */
export function readStreamRecord(bytes: Uint8Array, layout: RecordLayout): StreamRecord {
  return openStream(bytes, layout, (partial) => readPartial(partial, layout));
}

function openStream<P>(
  bytes: Uint8Array,
  layout: RecordLayout,
  openPartial: (partial: Uint8Array) => P,
): StreamHeader & { epochs: { epoch: number; startedAtMs: number; partial: P }[] } {
  const [fingerprint, collectedEpoch, positions, epochs] = openRecord("stream", bytes);
  requireFingerprint(fingerprint, layout);
  if (typeof collectedEpoch !== "number" || !Array.isArray(positions) || !Array.isArray(epochs)) {
    throw new CorruptRecordError("Cannot read stream record: its envelope has another shape");
  }
  return {
    collectedEpoch,
    positions: new Map(positions as [string, number][]),
    epochs: (epochs as unknown[][]).map(([epoch, startedAtMs, partial]) => {
      if (
        typeof epoch !== "number" ||
        typeof startedAtMs !== "number" ||
        !(partial instanceof Uint8Array)
      ) {
        throw new CorruptRecordError("Cannot read stream record: an epoch has another shape");
      }
      return { epoch, startedAtMs, partial: openPartial(partial) };
    }),
  };
}
