/** Serving homes that a slow or failing store does not take down. */

import type { Clock } from "../../src/core/clock.ts";
import type { ServingHomes } from "../../src/serve/read-views.ts";
import { nameHomes } from "../../src/observe/observed-homes.ts";
import type { HomeName } from "../../src/observe/request-summary.ts";
import type { RecordReader } from "../../src/store/online-store.ts";
import type { ReaderEvent } from "../../src/store/resilient/reader-event.ts";
import { RecordCache, recordCacheDefaults } from "../../src/store/resilient/record-cache.ts";
import { resilientReader } from "../../src/store/resilient/resilient-reader.ts";
import type { Replica } from "../../src/store/resilient/resilient-reader.ts";

export interface HomesResilience {
  readonly clock: Clock;
  /** A copy of one of the homes, by that home. */
  readonly replicas?: ReadonlyMap<RecordReader, Replica>;
  /** Told of what reads do beside being answered. It must not throw. */
  readonly onEvent?: (home: HomeName, event: ReaderEvent) => void;
}

/**
 * Each home gets deadlines, retries, a breaker and a cache of what it answered last, and each its
 * share of the cache's bytes. What was the same home before is the same one after.
 */
export function resilientHomes(
  homes: ServingHomes,
  { clock, replicas = new Map(), onEvent }: HomesResilience,
): ServingHomes {
  const { batch, streams, region } = homes;
  const distinct = nameHomes(homes);
  const bytesMax = Math.floor(recordCacheDefaults.bytesMax / distinct.size);
  const readers = new Map<RecordReader, RecordReader>();
  for (const [primary, name] of distinct) {
    const replica = replicas.get(primary);
    const reader = resilientReader({
      primary,
      ...(replica !== undefined && { replica }),
      cache: new RecordCache({ ...recordCacheDefaults, bytesMax }),
      clock,
      random: Math.random,
      ...(onEvent !== undefined && { onEvent: (event) => onEvent(name, event) }),
    });
    readers.set(primary, reader);
  }
  const readerOf = (home: RecordReader) => readers.get(home) as RecordReader;
  return {
    batch: readerOf(batch),
    streams: streams.map(readerOf),
    ...(region && { region: { ...region, progress: readerOf(region.progress) } }),
  };
}
