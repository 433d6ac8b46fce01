/** What a region that follows another has of it: read with every request there. */

import { CorruptRecordError } from "../core/errors.ts";
import { frameRecord, openRecord } from "./record-frame.ts";

export interface RegionRecord {
  /** By the home's clock: every event that was acknowledged before this instant is here. */
  readonly asOfMs: number;
  /** By the fingerprint of its definition. */
  readonly views: ReadonlyMap<string, RegionView>;
}

export interface RegionView {
  /** Stream records here lack events of epochs up to this one: a batch record must cover them. */
  readonly floor: number;
  /** Every batch record of this cut is here: an entity without one has none. -1 before the first. */
  readonly cut: number;
}

/** Envelope: [as of, [fingerprint, floor, cut]*]. */
export function writeRegionRecord({ asOfMs, views }: RegionRecord): Uint8Array {
  const rows = [...views].map(([fingerprint, { floor, cut }]) => [fingerprint, floor, cut]);
  return frameRecord("region", [asOfMs, rows]);
}

/** @throws CorruptRecordError for bytes that are not as they were written. */
export function readRegionRecord(bytes: Uint8Array): RegionRecord {
  const [asOfMs, rows] = openRecord("region", bytes);
  if (typeof asOfMs !== "number" || !Array.isArray(rows)) {
    throw new CorruptRecordError("Cannot read region record: its envelope has another shape");
  }
  const views = (rows as [string, number, number][]).map(
    ([fingerprint, floor, cut]): [string, RegionView] => [fingerprint, { floor, cut }],
  );
  return { asOfMs, views: new Map(views) };
}
