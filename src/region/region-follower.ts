/**
 * Keeps a region's records up to date with its home's: it applies the rows of the home's log to
 * stream records of its own, in their order, and does what the home's publisher did. How far it has
 * come is kept with the records, so it goes on where it stopped, however long it was cut off.
 *
 * One process follows for a region. A second one is harmless: a step that another overtook writes
 * nothing of its progress, and what it has applied twice changes nothing.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { burialFeed } from "../compact/publish-feed.ts";
import type { FeedItem, PublishedView } from "../compact/compaction-api.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import { RowProjection } from "../ingest/project-rows.ts";
import type { OnlineStore } from "../store/online-store.ts";
import { regionKey, regionPlacesKey } from "../tile/keys.ts";
import { readRegionRecord, writeRegionRecord } from "../tile/region-record.ts";
import { applyBurials, applyFeed } from "./apply-feed.ts";
import type { RegionStores } from "./apply-feed.ts";
import { freshPlaces, readRegionPlaces, writeRegionPlaces } from "./region-places.ts";
import type { FeedPlace, RegionPlaces } from "./region-places.ts";
import type { FollowAnswer, RegionSource } from "./region-source.ts";

export interface RegionFollowerParts extends RegionStores {
  readonly repository: Repository;
  readonly source: RegionSource;
  /** Where the region's progress is kept, and read with every request; it has compare-and-set. */
  readonly progress: OnlineStore;
}

export interface RegionStep {
  /** By the home's clock: every event that was acknowledged before this instant is here. */
  readonly asOfMs: number;
  /** Whether the next step should come at once: there is more to do. */
  readonly isBehind: boolean;
}

interface Progress {
  readonly places: RegionPlaces;
  readonly version: string | null;
  readonly asOfMs: number;
}

const freshFeed: FeedPlace = { seq: 0, floor: -1, cut: -1, writtenAtMs: -Infinity };

export class RegionFollower {
  readonly #parts: RegionFollowerParts;
  readonly #projection: RowProjection;

  constructor(parts: RegionFollowerParts) {
    this.#parts = parts;
    this.#projection = new RowProjection(parts.repository);
  }

  /** @throws FeatureError as the home's answers and the stores do; the next step goes on. */
  async step(nowMs: number): Promise<RegionStep> {
    const { source } = this.#parts;
    const before = await this.#readProgress();
    const views = this.#knownViews(await source.published());
    let places = joinViews(before.places, views);
    // Asked for before the log: every row that an entry may collect is applied by then.
    const pages = await Promise.all(
      views.map(async ({ view }): Promise<[ViewDefinition, readonly FeedItem[]]> => {
        const afterSeq = placeOf(places, view.fingerprint).seq;
        return [view, await source.feed({ feed: view.name, afterSeq })];
      }),
    );
    places = await this.#takeBurials(places);
    const log = await this.#takeLogs(places, nowMs);
    const asOfMs = log.isComplete ? log.asOfMs : before.asOfMs;
    const version = await this.#writeProgress({
      places: log.places,
      version: before.version,
      asOfMs,
    });
    places = log.places;
    if (log.isComplete) {
      for (const [view, items] of pages) {
        const place = placeOf(places, view.fingerprint);
        const next = await applyFeed(this.#parts, view, { place, items, nowMs });
        places = withFeed(places, view.fingerprint, next);
      }
      if (places !== log.places) await this.#writeProgress({ places, version, asOfMs });
    }
    const isFull = pages.some(([view, items]) => {
      return items.length > 0 && items.at(-1)?.seq === placeOf(places, view.fingerprint).seq;
    });
    return { asOfMs, isBehind: isFull || !log.isComplete };
  }

  /** Views whose definition is the same at home. Of others a request is told that they are not here. */
  #knownViews(published: readonly PublishedView[]): { view: ViewDefinition; cut: number }[] {
    return published.flatMap(({ view: name, fingerprint, cut }) => {
      const view = this.#parts.repository.views.get(name);
      return view?.fingerprint === fingerprint ? [{ view, cut }] : [];
    });
  }

  async #takeBurials(before: RegionPlaces): Promise<RegionPlaces> {
    let places = before;
    for (let page = 0; page < limits.followedPagesMax; page++) {
      const place = placeOf(places, burialFeed);
      const items = await this.#parts.source.feed({ feed: burialFeed, afterSeq: place.seq });
      const last = items.at(-1);
      if (last === undefined) return places;
      await applyBurials(this.#parts, items);
      places = withFeed(places, burialFeed, { ...place, seq: last.seq });
    }
    return places;
  }

  async #takeLogs(
    before: RegionPlaces,
    nowMs: number,
  ): Promise<{ places: RegionPlaces; asOfMs: number; isComplete: boolean }> {
    const { repository, source } = this.#parts;
    const logs = new Set(
      [...repository.sources.values()]
        .filter(({ kind }) => kind === "streamSource")
        .map(({ log }) => log),
    );
    let places = before;
    let asOfMs = nowMs;
    let isComplete = true;
    for (const log of logs) {
      for (const shard of await source.shards(log)) {
        const taken = await this.#takeShard(places, { log, shard, nowMs });
        places = taken.places;
        asOfMs = Math.min(asOfMs, taken.asOfMs);
        isComplete &&= taken.isComplete;
      }
    }
    return { places, asOfMs, isComplete };
  }

  async #takeShard(
    before: RegionPlaces,
    { log, shard, nowMs }: { readonly log: string; readonly shard: string; readonly nowMs: number },
  ): Promise<{ places: RegionPlaces; asOfMs: number; isComplete: boolean }> {
    let places = before;
    for (let count = 0; count < limits.followedPagesMax; count++) {
      const place = places.shards.get(shard) ?? { log, seq: 0, epoch: -1 };
      const page = await this.#parts.source.follow({ shard, afterSeq: place.seq });
      const isLost = page.forgotten.seq > place.seq;
      if (isLost) places = this.#raiseFloors(places, log, page.forgotten.epoch);
      requireNoGap(page, Math.max(place.seq, page.forgotten.seq));
      await this.#applyPage(shard, page, nowMs);
      const last = page.rows.at(-1) ?? (isLost ? page.forgotten : place);
      const shards = new Map(places.shards).set(shard, {
        log,
        seq: last.seq,
        epoch: last.epoch,
      });
      places = { ...places, shards };
      if (page.isLast) return { places, asOfMs: page.nowMs, isComplete: true };
    }
    return { places, asOfMs: Infinity, isComplete: false };
  }

  async #applyPage(shard: string, page: FollowAnswer, nowMs: number): Promise<void> {
    if (page.rows.length === 0) return;
    const { epochs, viewFloors } = page;
    const context = { shard, epochs, viewFloors, nowMs: Math.min(nowMs, page.nowMs) };
    await this.#parts.streams.apply(this.#projection.recordsOf(page.rows), context);
  }

  /** Rows were forgotten at home before they came here: batch records must cover their epochs. */
  #raiseFloors(places: RegionPlaces, log: string, epoch: number): RegionPlaces {
    const feeds = new Map(places.feeds);
    for (const view of this.#parts.repository.views.values()) {
      const place = feeds.get(view.fingerprint);
      if (view.source.log !== log || place === undefined) continue;
      feeds.set(view.fingerprint, { ...place, floor: Math.max(place.floor, epoch) });
    }
    return { ...places, feeds };
  }

  async #readProgress(): Promise<Progress> {
    const [places, region] = await this.#parts.progress.readMany([regionPlacesKey, regionKey]);
    return {
      places: places ? readRegionPlaces(places.bytes) : freshPlaces,
      version: places?.version ?? null,
      asOfMs: region ? readRegionRecord(region.bytes).asOfMs : 0,
    };
  }

  /** Resolves with the version of what was written. */
  async #writeProgress({ places, version, asOfMs }: Progress): Promise<string | null> {
    const { progress, repository } = this.#parts;
    const [isWritten] = await progress.write([
      { key: regionPlacesKey, bytes: writeRegionPlaces(places), expectedVersion: version },
    ]);
    if (isWritten !== true) {
      throw new FeatureError(
        "CONFLICT",
        "Cannot follow: another process has followed for this region meanwhile, expected one",
        { retryable: true },
      );
    }
    const views = [...repository.views.values()].flatMap(({ fingerprint }) => {
      const place = places.feeds.get(fingerprint);
      return place === undefined ? [] : [[fingerprint, place] as const];
    });
    const bytes = writeRegionRecord({ asOfMs, views: new Map(views) });
    await progress.write([{ key: regionKey, bytes }]);
    const [written] = await progress.readMany([regionPlacesKey]);
    return written?.version ?? null;
  }
}

function placeOf(places: RegionPlaces, feed: string): FeedPlace {
  return places.feeds.get(feed) ?? freshFeed;
}

function withFeed(places: RegionPlaces, feed: string, place: FeedPlace): RegionPlaces {
  if (places.feeds.get(feed) === place) return places;
  return { ...places, feeds: new Map(places.feeds).set(feed, place) };
}

/**
 * A view that is met for the first time lacks the rows that were applied before, and batch records
 * that the home has: it answers nothing until those have come.
 */
function joinViews(
  places: RegionPlaces,
  views: readonly { readonly view: ViewDefinition; readonly cut: number }[],
): RegionPlaces {
  let joined = places;
  for (const { view, cut } of views) {
    if (places.feeds.has(view.fingerprint)) continue;
    const shards = [...places.shards.values()].filter(({ log }) => log === view.source.log);
    const floor = Math.max(cut, ...shards.map(({ epoch }) => epoch));
    joined = withFeed(joined, view.fingerprint, { ...freshFeed, floor });
  }
  return joined;
}

/** Rows follow one another without a gap. @throws FeatureError where one is missing. */
function requireNoGap({ rows }: FollowAnswer, afterSeq: number): void {
  const isNext = rows.every(({ seq }, i) => seq === afterSeq + 1 + i);
  if (isNext) return;
  throw new FeatureError(
    "STORE_UNAVAILABLE",
    `Cannot follow a log shard: a row after place ${afterSeq} is missing, expected every one`,
    { retryable: true },
  );
}
