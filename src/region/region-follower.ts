/**
 * Keeps a region's records up to date with its home's: it applies the rows of the home's log to
 * stream records of its own, in their order, and does what the home's publisher did. How far it has
 * come is kept with the records, so it goes on where it stopped, however long it was cut off.
 *
 * One process follows for a region. A second one is harmless: a step that another overtook writes
 * nothing of its progress, and what is applied twice changes nothing.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { burialFeed } from "../compact/publish-feed.ts";
import type { FeedItem } from "../compact/compaction-api.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import { RowProjection } from "../ingest/project-rows.ts";
import type { OnlineStore } from "../store/online-store.ts";
import { applyBurials, applyFeed } from "./apply-feed.ts";
import type { RegionStores } from "./apply-feed.ts";
import { RegionProgress } from "./region-progress.ts";
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

type FeedPage = readonly [view: ViewDefinition, items: readonly FeedItem[]];

export class RegionFollower {
  readonly #parts: RegionFollowerParts;
  readonly #projection: RowProjection;

  constructor(parts: RegionFollowerParts) {
    this.#parts = parts;
    this.#projection = new RowProjection(parts.repository);
  }

  /** @throws FeatureError as the home's answers and the stores do; the next step goes on. */
  async step(nowMs: number): Promise<RegionStep> {
    const progress = await RegionProgress.read(this.#parts.progress);
    // Asked for before the log: every row that an entry may collect is applied by then.
    const pages = await this.#readFeeds(progress);
    await this.#takeBurials(progress);
    const asOfMs = await this.#takeLogs(progress, nowMs);
    if (asOfMs === null) {
      await progress.write();
      return { asOfMs: progress.asOfMs, isBehind: true };
    }
    progress.asOfMs = asOfMs;
    await progress.write();
    const isBehind = await this.#applyFeeds(progress, pages, nowMs);
    return { asOfMs, isBehind };
  }

  /** Of views whose definition is the same at home: requests are told that others are not here. */
  async #readFeeds(progress: RegionProgress): Promise<readonly FeedPage[]> {
    const { source, repository } = this.#parts;
    const pages = (await source.published()).map(async ({ view: name, fingerprint, cut }) => {
      const view = repository.views.get(name);
      if (view?.fingerprint !== fingerprint) return [];
      progress.join(view, cut);
      const { seq: afterSeq } = progress.feedOf(fingerprint);
      const page: FeedPage = [view, await source.feed({ feed: name, afterSeq })];
      return [page];
    });
    return (await Promise.all(pages)).flat();
  }

  async #takeBurials(progress: RegionProgress): Promise<void> {
    for (let page = 0; page < limits.followedPagesMax; page++) {
      const place = progress.feedOf(burialFeed);
      const items = await this.#parts.source.feed({ feed: burialFeed, afterSeq: place.seq });
      const last = items.at(-1);
      if (last === undefined) return;
      await applyBurials(this.#parts, items);
      progress.setFeed(burialFeed, { ...place, seq: last.seq });
    }
  }

  /** Resolves with the instant up to which all is here; null while there are more pages. */
  async #takeLogs(progress: RegionProgress, nowMs: number): Promise<number | null> {
    const { repository, source } = this.#parts;
    const sources = [...repository.sources.values()].filter(({ kind }) => kind === "streamSource");
    let asOfMs: number | null = nowMs;
    for (const log of new Set(sources.map((each) => each.log))) {
      for (const shard of await source.shards(log)) {
        const takenMs = await this.#takeShard(progress, { log, shard, nowMs });
        asOfMs = asOfMs === null || takenMs === null ? null : Math.min(asOfMs, takenMs);
      }
    }
    return asOfMs;
  }

  async #takeShard(
    progress: RegionProgress,
    { log, shard, nowMs }: { readonly log: string; readonly shard: string; readonly nowMs: number },
  ): Promise<number | null> {
    for (let count = 0; count < limits.followedPagesMax; count++) {
      const place = progress.shardOf(log, shard);
      const page = await this.#parts.source.follow({ shard, afterSeq: place.seq });
      if (page.forgotten.seq > place.seq) {
        // Told of before the first row past the hole is here.
        progress.raiseFloors(this.#parts.repository, log, page.forgotten.epoch);
        progress.setShard(shard, { log, ...page.forgotten });
        await progress.write();
      }
      requireNoGap(page, progress.shardOf(log, shard).seq);
      await this.#applyRows(shard, page, nowMs);
      const last = page.rows.at(-1);
      if (last !== undefined) {
        progress.setShard(shard, { log, seq: last.seq, epoch: last.epoch });
      }
      if (page.isLast) return page.nowMs;
    }
    return null;
  }

  async #applyRows(shard: string, page: FollowAnswer, nowMs: number): Promise<void> {
    if (page.rows.length === 0) return;
    const { epochs, viewFloors } = page;
    const context = { shard, epochs, viewFloors, nowMs: Math.min(nowMs, page.nowMs) };
    await this.#parts.streams.apply(this.#projection.recordsOf(page.rows), context);
  }

  /** Resolves with whether a page was taken to its end, and so another may follow. */
  async #applyFeeds(
    progress: RegionProgress,
    pages: readonly FeedPage[],
    nowMs: number,
  ): Promise<boolean> {
    let isBehind = false;
    for (const [view, items] of pages) {
      if (items.length === 0) continue;
      const place = progress.feedOf(view.fingerprint);
      const next = await applyFeed(this.#parts, view, { place, items, nowMs });
      progress.setFeed(view.fingerprint, next);
      isBehind ||= next.seq === items.at(-1)?.seq;
      if (next !== place) await progress.write();
    }
    return isBehind;
  }
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
