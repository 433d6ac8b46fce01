/** How far a region has come, as its follower changes it and writes it down. */

import { FeatureError } from "../core/errors.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import type { OnlineStore } from "../store/online-store.ts";
import { regionKey } from "../tile/keys.ts";
import { neverMs, readRegionRecord, writeRegionRecord } from "../tile/region-record.ts";
import type { FeedPlace, ShardPlace } from "../tile/region-record.ts";

const freshFeed: FeedPlace = { seq: 0, floor: -1, cut: -1, writtenAtMs: -Infinity };

export class RegionProgress {
  readonly #store: OnlineStore;
  readonly #shards: Map<string, ShardPlace>;
  readonly #feeds: Map<string, FeedPlace>;
  #version: string | null;
  asOfMs: number;
  holeAtMs: number;

  private constructor(store: OnlineStore, stored: { bytes: Uint8Array; version: string } | null) {
    const record = stored === null ? null : readRegionRecord(stored.bytes);
    this.#store = store;
    this.#shards = new Map(record?.shards);
    this.#feeds = new Map(record?.feeds);
    this.#version = stored?.version ?? null;
    this.asOfMs = record?.asOfMs ?? neverMs;
    this.holeAtMs = record?.holeAtMs ?? -Infinity;
  }

  /** @param store - It has compare-and-set. */
  static async read(store: OnlineStore): Promise<RegionProgress> {
    const [stored] = await store.readMany([regionKey]);
    if (!stored) return new RegionProgress(store, null);
    return new RegionProgress(store, { bytes: stored.bytes, version: String(stored.version) });
  }

  /** @throws FeatureError CONFLICT where another process has written it since it was read. */
  async write(): Promise<void> {
    const bytes = writeRegionRecord({
      asOfMs: this.asOfMs,
      holeAtMs: this.holeAtMs,
      shards: this.#shards,
      feeds: this.#feeds,
    });
    const expectedVersion = this.#version;
    const [isWritten] = await this.#store.write([{ key: regionKey, bytes, expectedVersion }]);
    if (isWritten !== true) throw overtaken();
    const [written] = await this.#store.readMany([regionKey]);
    if (written?.bytes.every((byte, i) => byte === bytes[i]) !== true) throw overtaken();
    this.#version = written.version;
  }

  shardOf(log: string, shard: string): ShardPlace {
    return this.#shards.get(shard) ?? { log, seq: 0, epoch: -1 };
  }

  setShard(shard: string, place: ShardPlace): void {
    this.#shards.set(shard, place);
  }

  feedOf(feed: string): FeedPlace {
    return this.#feeds.get(feed) ?? freshFeed;
  }

  setFeed(feed: string, place: FeedPlace): void {
    this.#feeds.set(feed, place);
  }

  /**
   * A view that is met for the first time lacks the rows that were applied before, and batch records
   * that the home has, up to `cut`: it answers nothing until those have come.
   */
  join(view: ViewDefinition, cut: number): void {
    if (this.#feeds.has(view.fingerprint)) return;
    const shards = [...this.#shards.values()].filter(({ log }) => isFilledFrom(view, log));
    const floor = Math.max(cut, ...shards.map(({ epoch }) => epoch));
    this.#feeds.set(view.fingerprint, { ...freshFeed, floor });
  }

  /** Rows of a log were lost up to an epoch: batch records must cover it. */
  raiseFloors({ views }: Repository, log: string, epoch: number): void {
    for (const view of views.values()) {
      const place = this.#feeds.get(view.fingerprint);
      if (place === undefined || !isFilledFrom(view, log)) continue;
      this.#feeds.set(view.fingerprint, { ...place, floor: Math.max(place.floor, epoch) });
    }
  }
}

/** Whether a view has stream records of a log's events. */
function isFilledFrom({ kind, source }: ViewDefinition, log: string): boolean {
  return kind === "streamView" && source.log === log;
}

function overtaken(): FeatureError {
  return new FeatureError(
    "CONFLICT",
    "Cannot follow: another process has followed for this region meanwhile, expected one",
    { retryable: true },
  );
}
