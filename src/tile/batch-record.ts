/** The batch record of a (view, entity): everything a compaction covered, with its own cut. */

import { ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import { PartialView, writePartial } from "./partial-codec.ts";
import type { Partial, RecordLayout } from "./partial.ts";
import { frameRecord, openRecord } from "./record-frame.ts";

export interface BatchHeader {
  /** The epoch up to which every event is in the record, whatever its event time. */
  readonly cut: number;
  /** Events before this instant are in it. A batch view knows nothing past it. */
  readonly watermarkMs: number;
  /** The instant of the seal: the start of the record's horizon. */
  readonly sealedAtMs: number;
  /** How many events the compaction folded into it. */
  readonly eventCount: number;
}

export interface BatchRecord {
  readonly header: BatchHeader;
  readonly partial: PartialView;
}

const writer = new ByteWriter(4096);

/** Envelope: [fingerprint, cut, watermark, sealed at, events, partial]. */
export function writeBatchRecord(
  header: BatchHeader,
  partial: Partial,
  layout: RecordLayout,
): Uint8Array {
  writer.reset();
  writePartial(writer, partial, layout);
  return frameRecord("batch", [
    layout.fingerprint,
    header.cut,
    header.watermarkMs,
    header.sealedAtMs,
    header.eventCount,
    writer.peek(),
  ]);
}

/** @throws CorruptRecordError for bytes of another definition, or not as they were written. */
export function readBatchRecord(bytes: Uint8Array, layout: RecordLayout): BatchRecord {
  const envelope = openRecord("batch", bytes);
  const [fingerprint, cut, watermarkMs, sealedAtMs, eventCount, partial] = envelope;
  requireFingerprint(fingerprint, layout);
  if (
    typeof cut !== "number" ||
    typeof watermarkMs !== "number" ||
    typeof sealedAtMs !== "number" ||
    typeof eventCount !== "number" ||
    !(partial instanceof Uint8Array)
  ) {
    throw new CorruptRecordError("Cannot read batch record: its envelope has another shape");
  }
  return {
    header: { cut, watermarkMs, sealedAtMs, eventCount },
    partial: new PartialView(partial, layout),
  };
}

/** @throws CorruptRecordError naming both fingerprints. */
export function requireFingerprint(fingerprint: unknown, layout: RecordLayout): void {
  if (fingerprint === layout.fingerprint) return;
  throw new CorruptRecordError(
    `Cannot read record: definition ${String(fingerprint)} wrote it, expected ${layout.fingerprint}`,
  );
}
