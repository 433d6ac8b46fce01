/**
 * What the publisher did, in order, so that other regions can do the same: one feed a view, and one
 * of tombstones. A feed holds the names of the records of its newest cycle, and of nobody who was
 * deleted before it; the bytes are read from the batch store when a region asks for them.
 */

import { limits } from "../core/limits.ts";
import type { StateTable } from "../store/state-table.ts";

export type FeedEntry = PublishEntry | FinishEntry | BuryEntry;

/** Batch records of a run were written. */
export interface PublishEntry {
  readonly kind: "publish";
  readonly fingerprint: string;
  readonly fence: number;
  readonly cut: number;
  /** What stream records had been collected to: a region may collect as far, and no further. */
  readonly collectedCut: number;
  readonly collectedWatermarkMs: number;
  readonly entities: readonly string[];
}

/** Every record of a run has been written. */
export interface FinishEntry {
  readonly kind: "finish";
  readonly fingerprint: string;
  readonly fence: number;
  readonly cut: number;
}

export interface BuryEntry {
  readonly kind: "bury";
  readonly tombstone: string;
}

export interface PlacedEntry<E extends FeedEntry = FeedEntry> {
  /** From 1, ascending; places of entries that newer ones made needless are missing. */
  readonly seq: number;
  readonly entry: E;
}

/** The name of the feed of tombstones: no view has an empty one. */
export const burialFeed = "";

const placeDigits = 16;

export class PublishFeed {
  readonly #state: StateTable;
  /** By feed the place given out last, once it is known: only the publisher adds to feeds. */
  readonly #last = new Map<string, number>();

  constructor(state: StateTable) {
    this.#state = state;
  }

  /**
   * The state entries that add to a feed, to be put together with what they tell of. A place whose
   * entries were not put after all is not given out again.
   */
  async adding(feed: string, entry: FeedEntry): Promise<Readonly<Record<string, unknown>>> {
    const last = await this.lastSeq(feed);
    this.#last.set(feed, last + 1);
    return { [lastKey(feed)]: last + 1, [entryKey(feed, last + 1)]: entry };
  }

  /** The last place given out; 0 before the first. */
  async lastSeq(feed: string): Promise<number> {
    const known = this.#last.get(feed);
    if (known !== undefined) return known;
    const last = ((await this.#state.get(lastKey(feed))) as number | undefined) ?? 0;
    this.#last.set(feed, last);
    return last;
  }

  async after(feed: string, seq: number): Promise<readonly PlacedEntry[]> {
    const prefix = entryPrefix(feed);
    const found = await this.#state.list(prefix, {
      afterKey: entryKey(feed, seq),
      countMax: limits.feedEntriesMax,
    });
    return [...found].map(([key, entry]) => ({
      seq: Number(key.slice(prefix.length)),
      entry: entry as FeedEntry,
    }));
  }

  /** Drops what runs before this one told of a view's records: its own says it all. */
  async dropBefore(feed: string, fence: number): Promise<void> {
    let page = await this.after(feed, 0);
    while (page.length > 0) {
      const needless = page.filter(({ entry }) => "fence" in entry && entry.fence !== fence);
      if (needless.length > 0) {
        await this.#state.put(
          Object.fromEntries(needless.map(({ seq }) => [entryKey(feed, seq), undefined])),
        );
      }
      page = await this.after(feed, page.at(-1)?.seq ?? 0);
    }
  }
}

function lastKey(feed: string): string {
  return `feed-last:${feed}`;
}

function entryPrefix(feed: string): string {
  return `feed:${feed}:`;
}

function entryKey(feed: string, seq: number): string {
  return entryPrefix(feed) + String(seq).padStart(placeDigits, "0");
}
