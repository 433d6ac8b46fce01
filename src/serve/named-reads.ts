/** Which records a request takes, by name, and where they are. */

import type { ViewDefinition } from "../define/definition.ts";
import type { RecordReader } from "../store/online-store.ts";
import { batchKey, regionKey, shardOf, streamKey, tombstoneKeys } from "../tile/keys.ts";
import type { KeysByHome } from "./read-trips.ts";

/** Where records are read from; the same object may be all of them. */
export interface ServingHomes {
  readonly batch: RecordReader;
  /** By shard: an entity's stream records are all in one of them. */
  readonly streams: readonly RecordReader[];
  /** Of a region that follows another. */
  readonly region?: RegionHome;
}

export interface RegionHome {
  readonly progress: RecordReader;
  /** Answers say that they are stale once the region has not heard from its home for so long. */
  readonly staleAfterMs: number;
}

/** `entity` is the `entityKey` of the view's join keys; null where one of them is, as nobody is known by it. */
export interface ViewRead {
  readonly view: ViewDefinition;
  readonly entity: string | null;
}

/** A read with the names of the records that it takes; null where nobody can be known. */
export interface NamedRead {
  readonly view: ViewDefinition;
  readonly records: RecordNames | null;
}

export interface RecordNames {
  readonly batch: string;
  /** Null for a batch view. */
  readonly stream: { readonly key: string; readonly home: RecordReader } | null;
  /** Where one of these is there, the entity is deleted. */
  readonly tombstones: readonly string[];
}

export function nameRead({ view, entity }: ViewRead, { streams }: ServingHomes): NamedRead {
  if (entity === null) return { view, records: null };
  const isLive = view.kind === "streamView";
  return {
    view,
    records: {
      batch: batchKey(view, entity),
      stream: isLive
        ? {
            key: streamKey(view, entity),
            home: streams[shardOf(entity, streams.length)] as RecordReader,
          }
        : null,
      tombstones: tombstoneKeys(view, entity),
    },
  };
}

/** Tombstones are in every home: they are read where their view is, which a batch view has in one. */
export function keysByHome(
  reads: readonly NamedRead[],
  { batch: batchHome, region }: ServingHomes,
): KeysByHome {
  const homes = new Map<RecordReader, Set<string>>();
  const keysOf = (home: RecordReader): Set<string> => {
    const keys = homes.get(home) ?? new Set<string>();
    homes.set(home, keys);
    return keys;
  };
  for (const { records } of reads) {
    if (records === null) continue;
    const { batch, stream, tombstones } = records;
    keysOf(batchHome).add(batch);
    const liveKeys = keysOf(stream?.home ?? batchHome);
    if (stream !== null) liveKeys.add(stream.key);
    for (const tombstone of tombstones) liveKeys.add(tombstone);
  }
  if (region !== undefined && homes.size > 0) keysOf(region.progress).add(regionKey);
  return homes;
}
