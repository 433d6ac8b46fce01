/**
 * What a region that follows another has of it, and how far it has come: read with every request
 * there. All of it is one record, so that nothing past a hole is served before the hole is told of.
 */

import { CorruptRecordError } from "../core/errors.ts";
import { frameRecord, openRecord } from "./record-frame.ts";

/** As of when a region is that has never had all of its home. */
export const neverMs = 0;

export interface RegionRecord {
  /** By the home's clock: every event that was acknowledged before this instant is here. */
  readonly asOfMs: number;
  /** When rows were found to be lost last, by this region's clock. */
  readonly holeAtMs: number;
  /** By log shard, the place of the last row that was applied. */
  readonly shards: ReadonlyMap<string, ShardPlace>;
  /** By the fingerprint of a view's definition; under an empty one the tombstones. */
  readonly feeds: ReadonlyMap<string, FeedPlace>;
}

export interface ShardPlace {
  readonly log: string;
  readonly seq: number;
  readonly epoch: number;
}

export interface FeedPlace {
  /** Of the last entry that was applied. */
  readonly seq: number;
  /** Stream records here lack events of epochs up to this one: a batch record must cover them. */
  readonly floor: number;
  /** Every batch record of this cut is here: an entity without one has none. -1 before the first. */
  readonly cut: number;
  /** When batch records of it were written last, by this region's clock. */
  readonly writtenAtMs: number;
}

/** Envelope: [as of, hole at, [shard, log, seq, epoch]*, [feed, seq, floor, cut, written at]*]. */
export function writeRegionRecord(record: RegionRecord): Uint8Array {
  const { asOfMs, holeAtMs, shards, feeds } = record;
  return frameRecord("region", [
    asOfMs,
    holeAtMs,
    [...shards].map(([shard, { log, seq, epoch }]) => [shard, log, seq, epoch]),
    [...feeds].map(([feed, { seq, floor, cut, writtenAtMs }]) => {
      return [feed, seq, floor, cut, writtenAtMs];
    }),
  ]);
}

/** @throws CorruptRecordError for bytes that are not as they were written. */
export function readRegionRecord(bytes: Uint8Array): RegionRecord {
  const [asOfMs, holeAtMs, shards, feeds] = openRecord("region", bytes);
  if (
    typeof asOfMs !== "number" ||
    typeof holeAtMs !== "number" ||
    !Array.isArray(shards) ||
    !Array.isArray(feeds)
  ) {
    throw new CorruptRecordError("Cannot read region record: its envelope has another shape");
  }
  return {
    asOfMs,
    holeAtMs,
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
