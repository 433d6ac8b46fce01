/**
 * Answers of views, kept in the memory of a process for as long as the view's `cache` says, so that
 * they can be given again without a read. One cache is for one workspace: its keys name a view, its
 * fingerprint and an entity, which two workspaces may have in common.
 *
 * What must hold of an answer that is taken:
 * - It is no older than the view's `maxAge`, counted from the instant of the request that read it.
 * - It is of the newest cut of its view that this process has met, so that a compaction ends it. An
 *   entity without a batch record counts as of the newest cut that was known when it was read.
 * - In a region, what it was made of is as of an instant for which a read answer would not have to
 *   be called stale: else it is read, and the answer can say so.
 * - Its entity was not deleted through this process since its read began. A deletion elsewhere is
 *   met within `maxAge`.
 */

import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import { batchKey } from "../tile/keys.ts";
import { sizeOfAnswer } from "./size-of-answer.ts";
import type { FeatureAnswer, FeatureStatus, ViewAnswer } from "./view-answer.ts";

/** A read that may be answered from the cache. */
export interface CacheableRead {
  readonly view: ViewDefinition;
  readonly entity: string;
}

/** What the cache knew when a read began; without it an answer cannot be kept. */
export interface CacheTicket {
  readonly key: string;
  readonly newestCut: number;
  readonly forgetCount: number;
}

/** An answer as it was read. */
export interface ReadAnswer {
  readonly answer: ViewAnswer;
  /** Of the request that read it. */
  readonly nowMs: number;
  /** The last instant at which it need not be called stale; Infinity at home. */
  readonly freshUntilMs: number;
  /** The names of the tombstones that would hide it. */
  readonly tombstones: readonly string[];
}

export interface ServingCacheCounts {
  readonly hits: number;
  readonly misses: number;
  /** Entries that had to make room for others. */
  readonly evictions: number;
  readonly entries: number;
  readonly sizeBytes: number;
}

export interface ServingCacheOptions {
  readonly entriesMax: number;
  /** About: of keys and values, with what an entry takes beside them. */
  readonly bytesMax: number;
}

interface Entry {
  readonly answer: ViewAnswer;
  readonly readAtMs: number;
  readonly untilMs: number;
  readonly cut: number;
  readonly tombstones: readonly string[];
  readonly sizeBytes: number;
}

export class ServingCache {
  readonly #options: ServingCacheOptions;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** By the fingerprint of a view: there are so many views and no more. */
  readonly #newestCuts = new Map<string, number>();
  #sizeBytes = 0;
  #forgetCount = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(
    options: ServingCacheOptions = {
      entriesMax: limits.servingCacheEntriesMax,
      bytesMax: limits.servingCacheBytesMax,
    },
  ) {
    this.#options = options;
  }

  counts(): ServingCacheCounts {
    return {
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      entries: this.#entries.size,
      sizeBytes: this.#sizeBytes,
    };
  }

  /** The answer to a request at `nowMs`; null where there is none that it may be given. */
  take({ view, entity }: CacheableRead, nowMs: number): ViewAnswer | null {
    const key = batchKey(view, entity);
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#isOver(view, entry, nowMs)) this.#remove(key, entry);
    // A request from before it was read, as clocks that are set back make them, is not given it.
    else if (entry !== undefined && entry.readAtMs <= nowMs) {
      this.#hits += 1;
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return entry.answer;
    }
    this.#misses += 1;
    return null;
  }

  /** To be taken before a read begins. */
  ticket({ view, entity }: CacheableRead): CacheTicket {
    const newestCut = this.#newestCut(view);
    return { key: batchKey(view, entity), newestCut, forgetCount: this.#forgetCount };
  }

  /** Learns of a cut that was met. */
  meet({ fingerprint }: ViewDefinition, cut: number): void {
    if (cut > (this.#newestCuts.get(fingerprint) ?? -1)) this.#newestCuts.set(fingerprint, cut);
  }

  /** Keeps an answer, where it is one that may be given again. */
  keep(ticket: CacheTicket, { answer, nowMs, freshUntilMs, tombstones }: ReadAnswer): void {
    const { view, seen } = answer;
    const { cacheMaxAgeMs } = view;
    if (cacheMaxAgeMs === null || seen === null || !isWhole(answer)) return;
    if (ticket.forgetCount !== this.#forgetCount) return;
    const cut = seen.cut < 0 ? ticket.newestCut : seen.cut;
    const known = this.#entries.get(ticket.key);
    const isOlder = known !== undefined && known.cut >= cut && known.readAtMs > nowMs;
    if (isOlder || cut < this.#newestCut(view)) return;
    if (known !== undefined) this.#remove(ticket.key, known);
    const untilMs = Math.min(nowMs + cacheMaxAgeMs, freshUntilMs);
    const cached = asCached(answer, nowMs);
    const sizeBytes = sizeOfAnswer(ticket.key, cached);
    if (sizeBytes > this.#options.bytesMax) return;
    const entry = { answer: cached, readAtMs: nowMs, untilMs, cut, tombstones, sizeBytes };
    this.#entries.set(ticket.key, entry);
    this.#sizeBytes += sizeBytes;
    this.#makeRoom();
  }

  /**
   * Drops what a tombstone hides, to be called once that is written. Answers whose reads began
   * before are not kept, whomever they are of: they may not have met it.
   */
  forget(tombstone: string): void {
    this.#forgetCount += 1;
    for (const [key, entry] of this.#entries) {
      if (entry.tombstones.includes(tombstone)) this.#remove(key, entry);
    }
  }

  #isOver(view: ViewDefinition, { untilMs, cut }: Entry, nowMs: number): boolean {
    return nowMs > untilMs || cut < this.#newestCut(view);
  }

  #newestCut({ fingerprint }: ViewDefinition): number {
    return this.#newestCuts.get(fingerprint) ?? -1;
  }

  #makeRoom(): void {
    const { entriesMax, bytesMax } = this.#options;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= entriesMax && this.#sizeBytes <= bytesMax) return;
      this.#remove(oldest, entry);
      this.#evictions += 1;
    }
  }

  #remove(key: string, { sizeBytes }: Entry): void {
    this.#entries.delete(key);
    this.#sizeBytes -= sizeBytes;
  }
}

const cachedStatuses: Readonly<Partial<Record<FeatureStatus, FeatureStatus>>> = {
  PRESENT: "CACHED_PRESENT",
  MISSING_DATA: "CACHED_MISSING_DATA",
};

/** Whether it is all that it should be. */
function isWhole({ features, staleness }: ViewAnswer): boolean {
  return (
    staleness === null &&
    features.every(({ status, fault, degraded }) => {
      return status in cachedStatuses && fault === null && degraded === null;
    })
  );
}

/** As it is given again: with its age in the place of effective times, and as nobody's latest. */
function asCached(
  { view, features, waitingCount, batchWatermarkMs }: ViewAnswer,
  cachedAtMs: number,
): ViewAnswer {
  return {
    view,
    features: features.map((feature): FeatureAnswer => {
      const status = cachedStatuses[feature.status] ?? feature.status;
      return { ...feature, status, effectiveTimeMs: null };
    }),
    waitingCount,
    seen: null,
    staleness: null,
    cachedAtMs,
    ...(batchWatermarkMs !== undefined && { batchWatermarkMs }),
  };
}
