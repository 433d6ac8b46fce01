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
import type { FeedItem, Published } from "../compact/compaction-api.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import { RowProjection } from "../ingest/project-rows.ts";
import type { OnlineStore } from "../store/online-store.ts";
import { writeAccessRecord } from "../tile/access-record.ts";
import { accessKey } from "../tile/keys.ts";
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

/** A request may be under way for so long, and as long may what it has not heard of be written. */
const holdMs = 2 * limits.requestMsMax;

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
  /** By log. */
  readonly #shards = new Map<string, readonly string[]>();
  /** When this process asked for the key book last. */
  #keyBookAtMs = -Infinity;

  constructor(parts: RegionFollowerParts) {
    this.#parts = parts;
    this.#projection = new RowProjection(parts.repository);
  }

  /** @throws FeatureError as the home's answers and the stores do; the next step goes on. */
  async step(): Promise<RegionStep> {
    const { clock } = this.#parts;
    const progress = await RegionProgress.read(this.#parts.progress);
    // Asked for before the log: every row that an entry may collect is applied by then.
    const pages = await this.#readFeeds(progress, await this.#parts.source.published());
    // A hole is told of, and every request that has not heard of it is over, before rows past it come.
    const isHeld = Math.abs(clock.now() - progress.holeAtMs) < holdMs;
    const asOfMs = isHeld ? null : await this.#takeLogs(progress);
    await this.#takeKeyBook();
    // Asked for after the log: whom the home had deleted by then is hidden here.
    await this.#takeBurials(progress);
    if (asOfMs === null) {
      await progress.write();
      return { asOfMs: progress.asOfMs, isBehind: !isHeld };
    }
    progress.asOfMs = asOfMs;
    await progress.write();
    const isBehind = await this.#applyFeeds(progress, pages);
    return { asOfMs, isBehind };
  }

  /** Now and then: requests take no copy that is too old. */
  async #takeKeyBook(): Promise<void> {
    const { clock, source, progress } = this.#parts;
    const asOfMs = clock.now();
    if (Math.abs(asOfMs - this.#keyBookAtMs) < limits.keyBookPullMs) return;
    const book = await source.keyBook();
    await progress.write([{ key: accessKey, bytes: writeAccessRecord({ asOfMs, book }) }]);
    this.#keyBookAtMs = asOfMs;
  }

  /** Of views whose definition is the same at home: requests are told that others are not here. */
  async #readFeeds(progress: RegionProgress, { views }: Published): Promise<readonly FeedPage[]> {
    const { source, repository } = this.#parts;
    const pages = views.map(async ({ view: name, fingerprint, cut, feedSeq }) => {
      const view = repository.views.get(name);
      if (view?.fingerprint !== fingerprint) return [];
      progress.join(view, cut);
      const { seq: afterSeq } = progress.feedOf(fingerprint);
      if (afterSeq >= feedSeq) return [];
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

  /** Resolves with the instant up to which all is here; null where the next step must go on. */
  async #takeLogs(progress: RegionProgress): Promise<number | null> {
    const { repository, clock } = this.#parts;
    const sources = [...repository.sources.values()].filter(({ kind }) => kind === "streamSource");
    let asOfMs: number | null = clock.now();
    for (const log of new Set(sources.map((each) => each.log))) {
      for (const shard of await this.#shardsOf(log)) {
        const takenMs = await this.#takeShard(progress, { log, shard });
        asOfMs = asOfMs === null || takenMs === null ? null : Math.min(asOfMs, takenMs);
      }
    }
    return asOfMs;
  }

  /** Their number is fixed: they are asked for once. */
  async #shardsOf(log: string): Promise<readonly string[]> {
    const shards = this.#shards.get(log) ?? (await this.#parts.source.shards(log));
    this.#shards.set(log, shards);
    return shards;
  }

  async #takeShard(
    progress: RegionProgress,
    { log, shard }: { readonly log: string; readonly shard: string },
  ): Promise<number | null> {
    for (let count = 0; count < limits.followedPagesMax; count++) {
      const place = progress.shardOf(log, shard);
      const page = await this.#parts.source.follow({ shard, afterSeq: place.seq });
      if (page.forgotten.seq > place.seq) {
        progress.raiseFloors(this.#parts.repository, log, page.forgotten.epoch);
        progress.setShard(shard, { log, ...page.forgotten });
        progress.holeAtMs = this.#parts.clock.now();
        return null;
      }
      requireNoGap(page, place.seq);
      await this.#applyRows(shard, page);
      const last = page.rows.at(-1);
      if (last !== undefined) {
        progress.setShard(shard, { log, seq: last.seq, epoch: last.epoch });
      }
      if (page.isLast) return page.nowMs;
    }
    return null;
  }

  async #applyRows(shard: string, page: FollowAnswer): Promise<void> {
    if (page.rows.length === 0) return;
    const { epochs, viewFloors } = page;
    const context = { shard, epochs, viewFloors, nowMs: page.nowMs };
    await this.#parts.streams.apply(this.#projection.recordsOf(page.rows), context);
  }

  /** Resolves with whether a page was taken to its end, and so another may follow. */
  async #applyFeeds(progress: RegionProgress, pages: readonly FeedPage[]): Promise<boolean> {
    let isBehind = false;
    for (const [view, items] of pages) {
      if (items.length === 0) continue;
      const place = progress.feedOf(view.fingerprint);
      const next = await applyFeed(this.#parts, view, { place, items });
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
