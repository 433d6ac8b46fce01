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
  /**
   * Of a view with a history of its own: events before this instant were removed from the record;
   * -Infinity for none. Always -Infinity for other views.
   */
  readonly collectedWatermarkMs: number;
  /** For each log shard the sequence number of the last event applied: a repeat of it is no news. */
  readonly positions: ReadonlyMap<string, number>;
}

export interface EpochHeader {
  readonly epoch: number;
  /** When the epoch began, by the seal of the one before: the start of its horizon. */
  readonly startedAtMs: number;
  /**
   * Of a view with a history of its own: how many events came in this epoch, as pairs of a multiple
   * of its watermark step, ascending, and the count of events from there to the next multiple.
   */
  readonly counts: readonly (readonly [startMs: number, count: number])[];
}

export interface EpochPartial extends EpochHeader {
  readonly partial: Partial;
}

/** An epoch as a request needs it. */
export interface EpochPartialView extends EpochHeader {
  readonly partial: PartialView;
}

/** All of a stream record, for a writer. */
export interface StreamRecord extends StreamHeader {
  /** By epoch, ascending. */
  readonly epochs: readonly EpochPartial[];
}

/** A stream record as a request needs it. */
export interface StreamRecordView extends StreamHeader {
  readonly epochs: readonly EpochPartialView[];
}

export const emptyStreamRecord: StreamRecord = {
  collectedEpoch: -1,
  collectedWatermarkMs: -Infinity,
  positions: new Map(),
  epochs: [],
};

const writer = new ByteWriter(4096);

/**
 * Envelope: [fingerprint, collected epoch, [shard, position]*, [epoch, started at, partial]*], where
 * an epoch with counts has them as a fourth, and a record with a collected watermark as a fifth.
 */
export function writeStreamRecord(record: StreamRecord, layout: RecordLayout): Uint8Array {
  const epochs = record.epochs.map(({ epoch, startedAtMs, partial, counts }) => {
    writer.reset();
    writePartial(writer, partial, layout);
    const written = [epoch, startedAtMs, writer.finish()];
    return counts.length === 0 ? written : [...written, counts];
  });
  const { collectedEpoch, collectedWatermarkMs, positions } = record;
  const envelope = [layout.fingerprint, collectedEpoch, [...positions], epochs];
  return frameRecord(
    "stream",
    collectedWatermarkMs === -Infinity ? envelope : [...envelope, collectedWatermarkMs],
  );
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
): StreamHeader & { epochs: (EpochHeader & { partial: P })[] } {
  const envelope = openRecord("stream", bytes);
  const [fingerprint, collectedEpoch, positions, epochs, collectedWatermarkMs = -Infinity] =
    envelope;
  requireFingerprint(fingerprint, layout);
  if (
    typeof collectedEpoch !== "number" ||
    typeof collectedWatermarkMs !== "number" ||
    !Array.isArray(positions) ||
    !Array.isArray(epochs)
  ) {
    throw new CorruptRecordError("Cannot read stream record: its envelope has another shape");
  }
  return {
    collectedEpoch,
    collectedWatermarkMs,
    positions: new Map(positions as [string, number][]),
    epochs: (epochs as unknown[][]).map((epoch) => openEpoch(epoch, openPartial)),
  };
}

function openEpoch<P>(
  [epoch, startedAtMs, partial, counts = []]: readonly unknown[],
  openPartial: (partial: Uint8Array) => P,
): EpochHeader & { partial: P } {
  if (
    typeof epoch !== "number" ||
    typeof startedAtMs !== "number" ||
    !(partial instanceof Uint8Array) ||
    !Array.isArray(counts)
  ) {
    throw new CorruptRecordError("Cannot read stream record: an epoch has another shape");
  }
  return {
    epoch,
    startedAtMs,
    partial: openPartial(partial),
    counts: counts as EpochHeader["counts"],
  };
}
