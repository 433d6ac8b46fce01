/** The entries of a feed together with the records that they name, as the batch store has them. */

import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { OnlineStore } from "../store/online-store.ts";
import { readBatchRecord } from "../tile/batch-record.ts";
import { batchKey } from "../tile/keys.ts";
import type { EntityRecord, FeedItem } from "./compaction-api.ts";
import type { PlacedEntry, PublishEntry } from "./publish-feed.ts";

/**
 * A page: entries until one is too old to be read, or the page is full. A store that answers with
 * old copies may have to be asked again.
 *
 * @param view - Whose records they are; null for a feed that names none.
 */
export async function readFeedItems(
  store: OnlineStore,
  view: ViewDefinition | null,
  placed: readonly PlacedEntry[],
): Promise<readonly FeedItem[]> {
  const items: FeedItem[] = [];
  let byteCount = 0;
  for (const { seq, entry } of placed) {
    if (byteCount >= limits.feedBytesMax) break;
    let records: readonly EntityRecord[] = [];
    if (view !== null && entry.kind === "publish" && entry.fingerprint === view.fingerprint) {
      const read = await readRecords(store, view, entry);
      if (read === null) break;
      records = read;
    }
    items.push({ seq, entry, records });
    byteCount += records.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
  return items;
}

/** Null where a copy is older than the entry. A record that is gone was erased since. */
async function readRecords(
  store: OnlineStore,
  view: ViewDefinition,
  { entities, cut }: PublishEntry,
): Promise<readonly EntityRecord[] | null> {
  const values = await store.readMany(entities.map((entity) => batchKey(view, entity)));
  const records = entities.flatMap((entity, i) => {
    const bytes = values[i]?.bytes;
    return bytes === undefined ? [] : [{ entity, bytes }];
  });
  const isOld = records.some(({ bytes }) => readBatchRecord(bytes, view).header.cut < cut);
  return isOld ? null : records;
}
