/** A region's copy of its home's key book, kept with its records so that it outlives a restart. */

import { CorruptRecordError } from "../core/errors.ts";
import { frameRecord, openRecord } from "./record-frame.ts";

export interface AccessRecord {
  /** By the region's clock, when its home was asked. */
  readonly asOfMs: number;
  /** As the home wrote it: what is in it is for who reads it. */
  readonly book: Uint8Array;
}

/** Envelope: [as of, book]. */
export function writeAccessRecord({ asOfMs, book }: AccessRecord): Uint8Array {
  return frameRecord("access", [asOfMs, book]);
}

/** @throws CorruptRecordError for bytes that are not as they were written. */
export function readAccessRecord(bytes: Uint8Array): AccessRecord {
  const [asOfMs, book] = openRecord("access", bytes);
  if (typeof asOfMs === "number" && book instanceof Uint8Array) return { asOfMs, book };
  throw new CorruptRecordError("Cannot read access record: its envelope has another shape");
}
