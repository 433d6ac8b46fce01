/** The entries of a feed together with the records that they name, as the batch store has them. */

import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { OnlineStore } from "../store/online-store.ts";
import { readBatchRecord } from "../tile/batch-record.ts";
import { batchKey } from "../tile/keys.ts";
import type { EntityRecord, FeedItem } from "./compaction-api.ts";
import type { PlacedEntry, PublishEntry } from "./publish-feed.ts";

export interface FeedSource {
  readonly store: OnlineStore;
  /** Whose records they are; null for a feed that names none. */
  readonly view: ViewDefinition | null;
  /** Whether an entity was deleted: its record may be gone. */
  readonly isDeleted: (entity: string) => Promise<boolean>;
}

/**
 * A page: entries until one cannot be read yet, or the page is full. A store that answers with old
 * copies, or with what was not there a while ago, has to be asked again.
 */
export async function readFeedItems(
  source: FeedSource,
  placed: readonly PlacedEntry[],
): Promise<readonly FeedItem[]> {
  const { view } = source;
  const items: FeedItem[] = [];
  let byteCount = 0;
  for (const { seq, entry } of placed) {
    if (byteCount >= limits.feedBytesMax) break;
    let records: readonly EntityRecord[] = [];
    if (view !== null && entry.kind === "publish" && entry.fingerprint === view.fingerprint) {
      const read = await readRecords(source, view, entry);
      if (read === null) break;
      records = read;
    }
    items.push({ seq, entry, records });
    byteCount += records.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
  return items;
}

/** Null where one of the copies is older than the entry. */
async function readRecords(
  { store, isDeleted }: FeedSource,
  view: ViewDefinition,
  { entities, cut }: PublishEntry,
): Promise<readonly EntityRecord[] | null> {
  const values = await store.readMany(entities.map((entity) => batchKey(view, entity)));
  const records: EntityRecord[] = [];
  for (const [i, entity] of entities.entries()) {
    const bytes = values[i]?.bytes;
    if (bytes === undefined) {
      if (!(await isDeleted(entity))) return null;
      continue;
    }
    if (readBatchRecord(bytes, view).header.cut < cut) return null;
    records.push({ entity, bytes });
  }
  return records;
}
