/** How far a region has come in what it follows. It outlives the process that follows. */

import { CorruptRecordError } from "../core/errors.ts";
import { frameRecord, openRecord } from "../tile/record-frame.ts";

export interface RegionPlaces {
  /** By log shard, the place of the last row that was applied, and its epoch. */
  readonly shards: ReadonlyMap<string, ShardPlace>;
  /** By the fingerprint of a view, or `burialFeed`. */
  readonly feeds: ReadonlyMap<string, FeedPlace>;
}

export interface ShardPlace {
  readonly log: string;
  readonly seq: number;
  readonly epoch: number;
}

export interface FeedPlace {
  readonly seq: number;
  readonly floor: number;
  readonly cut: number;
  /** When batch records of it were written last, by this region's clock. */
  readonly writtenAtMs: number;
}

export const freshPlaces: RegionPlaces = { shards: new Map(), feeds: new Map() };

/** Envelope: [[shard, log, seq, epoch]*, [feed, seq, floor, cut, written at]*]. */
export function writeRegionPlaces({ shards, feeds }: RegionPlaces): Uint8Array {
  return frameRecord("places", [
    [...shards].map(([shard, { log, seq, epoch }]) => [shard, log, seq, epoch]),
    [...feeds].map(([feed, { seq, floor, cut, writtenAtMs }]) => {
      return [feed, seq, floor, cut, writtenAtMs];
    }),
  ]);
}

/** @throws CorruptRecordError for bytes that are not as they were written. */
export function readRegionPlaces(bytes: Uint8Array): RegionPlaces {
  const [shards, feeds] = openRecord("places", bytes);
  if (!Array.isArray(shards) || !Array.isArray(feeds)) {
    throw new CorruptRecordError("Cannot read region places: their envelope has another shape");
  }
  return {
    shards: new Map(
      (shards as [string, string, number, number][]).map(([shard, log, seq, epoch]) => [
        shard,
        { log, seq, epoch },
      ]),
    ),
    feeds: new Map(
      (feeds as [string, number, number, number, number][]).map(
        ([feed, seq, floor, cut, writtenAtMs]) => [feed, { seq, floor, cut, writtenAtMs }],
      ),
    ),
  };
}
