/** Does in a region what its home's publisher did, in the same order. */

import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import { graceOf } from "../compact/grace-of.ts";
import type { FeedItem } from "../compact/compaction-api.ts";
import type { PublishEntry } from "../compact/publish-feed.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { OnlineStore, StoreWrite } from "../store/online-store.ts";
import type { StreamHome } from "../store/stream-home.ts";
import { batchKey } from "../tile/keys.ts";
import { writeTombstone } from "../tile/tombstone.ts";
import type { FeedPlace } from "../tile/region-record.ts";

/** Where a region keeps its records, and what time it is there. */
export interface RegionStores {
  /** The region's. */
  readonly clock: Pick<Clock, "now">;
  readonly batch: OnlineStore;
  readonly streams: StreamHome;
}

/**
 * Applies what can be applied now, and resolves with how far it came. The end of a run waits until
 * no copy of an older record can be met: what comes after it may collect by that cut.
 *
 * Every row of the log up to an entry must have been applied before it.
 */
export async function applyFeed(
  stores: RegionStores,
  view: ViewDefinition,
  feed: { readonly place: FeedPlace; readonly items: readonly FeedItem[] },
): Promise<FeedPlace> {
  let { place } = feed;
  for (const item of feed.items) {
    const next = await applyItem(stores, view, { place, item });
    if (next === null) break;
    place = next;
  }
  return place;
}

/** Hides entities here that were deleted at home. */
export async function applyBurials(
  { batch, streams }: RegionStores,
  items: readonly FeedItem[],
): Promise<void> {
  const tombstones = items.flatMap(({ entry }) => (entry.kind === "bury" ? [entry.tombstone] : []));
  if (tombstones.length === 0) return;
  const unique = [...new Set(tombstones)];
  await streams.bury(unique);
  await batch.write(unique.map((key) => ({ key, bytes: writeTombstone() })));
}

/** Null where the entry has to wait. */
async function applyItem(
  stores: RegionStores,
  view: ViewDefinition,
  { place, item }: { readonly place: FeedPlace; readonly item: FeedItem },
): Promise<FeedPlace | null> {
  const { seq, entry } = item;
  switch (entry.kind) {
    case "publish":
      if (entry.fingerprint !== view.fingerprint) return { ...place, seq };
      await publish(stores, view, { place, item, entry });
      return { ...place, seq, writtenAtMs: stores.clock.now() };
    case "finish":
      if (entry.fingerprint !== view.fingerprint) return { ...place, seq };
      if (stores.clock.now() < place.writtenAtMs + graceOf(stores.batch)) return null;
      return { ...place, seq, cut: entry.cut };
    case "bury":
      throw new FeatureError("INTERNAL", "Cannot apply a view's feed: it holds a tombstone");
  }
}

/**
 * First what the cut before has covered leaves the stream records: every batch record that a request
 * can meet here has at least that cut.
 */
async function publish(
  { batch, streams }: RegionStores,
  view: ViewDefinition,
  { place, item, entry }: { place: FeedPlace; item: FeedItem; entry: PublishEntry },
): Promise<void> {
  const cut = Math.min(place.cut, entry.collectedCut);
  if (view.kind === "streamView" && cut >= 0) {
    // A watermark is known of the newest cut alone, so one that may not be here yet is left out.
    const watermarkMs = cut === entry.collectedCut ? entry.collectedWatermarkMs : -Infinity;
    await streams.collect({ view: view.name, entities: entry.entities, cut, watermarkMs });
  }
  await batch.write(
    item.records.map(({ entity, bytes }): StoreWrite => ({ key: batchKey(view, entity), bytes })),
  );
}
