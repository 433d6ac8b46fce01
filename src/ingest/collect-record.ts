/**
 * Takes out of a stream record what batch records have covered: whole epochs up to a cut, or, for a
 * view with a history of its own, everything before a watermark.
 */

import { ceilTo } from "../core/instant.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { Partial } from "../tile/partial.ts";
import type { EpochPartial, StreamRecord } from "../tile/stream-record.ts";

export interface Covered {
  readonly cut: number;
  /** Looked at for a view with a history alone; rounded up to its watermark step. */
  readonly watermarkMs: number;
}

/** The record without what is covered; the same record where nothing of it is. */
export function collectRecord(
  record: StreamRecord,
  view: ViewDefinition,
  covered: Covered,
): StreamRecord {
  const collectedEpoch = Math.max(record.collectedEpoch, covered.cut);
  if (view.history === null) {
    if (collectedEpoch === record.collectedEpoch) return record;
    const epochs = record.epochs.filter(({ epoch }) => epoch > collectedEpoch);
    return { ...record, collectedEpoch, epochs };
  }
  const watermarkMs = ceilTo(covered.watermarkMs, view.watermarkStepMs);
  const collectedWatermarkMs = Math.max(record.collectedWatermarkMs, watermarkMs);
  if (
    collectedEpoch === record.collectedEpoch &&
    collectedWatermarkMs === record.collectedWatermarkMs
  ) {
    return record;
  }
  const epochs = record.epochs
    .map((epoch) => keepFrom(epoch, collectedWatermarkMs, collectedEpoch))
    .filter(({ partial, counts }) => !isEmpty(partial) || counts.length > 0);
  return { ...record, collectedEpoch, collectedWatermarkMs, epochs };
}

/** The record with nothing left in it: for a record that is too large to keep. */
export function collectWhole(record: StreamRecord, view: ViewDefinition): StreamRecord {
  const cut = Math.max(...record.epochs.map(({ epoch }) => epoch));
  // With a history the tiles end at watermarks, so none is open to the future.
  const ends = record.epochs.flatMap(({ partial }) => [
    partial.tiles.at(-1)?.endMs ?? -Infinity,
    (partial.events.at(-1)?.timestampMs ?? -Infinity) + 1,
  ]);
  return collectRecord(record, view, { cut, watermarkMs: Math.max(...ends) });
}

/** Counts outlast the events of an epoch until a batch record has seen it: those wait for it. */
function keepFrom(epoch: EpochPartial, fromMs: number, collectedEpoch: number): EpochPartial {
  const { partial } = epoch;
  return {
    ...epoch,
    partial: {
      ...partial,
      tiles: partial.tiles.filter(({ startMs }) => startMs >= fromMs),
      events: partial.events.filter(({ timestampMs }) => timestampMs >= fromMs),
    },
    counts: epoch.epoch > collectedEpoch ? epoch.counts : [],
  };
}

function isEmpty({ tiles, events }: Partial): boolean {
  return tiles.length === 0 && events.length === 0;
}
