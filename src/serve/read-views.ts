/**
 * Reads what a request needs in one parallel round: no read waits for another's answer. It makes
 * sum over homes and shards of ceil(keys / keysPerTripMax) calls, and each key is read once. Batch
 * and stream records that are in the same home are read by the same call.
 */

import { CorruptRecordError } from "../core/errors.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type {
  RecordReader,
  Staleness,
  StoreReadOptions,
  StoredValue,
} from "../store/online-store.ts";
import { readBatchRecord } from "../tile/batch-record.ts";
import { batchKey, regionKey, shardOf, streamKey, tombstoneKeys } from "../tile/keys.ts";
import { viewStreamRecord } from "../tile/stream-record.ts";
import { combineView, faultyFeatures } from "./combine-view.ts";
import { olderOf } from "./older-of.ts";
import { regionState } from "./region-state.ts";
import type { RegionState } from "./region-state.ts";
import { behindOf, seenOf } from "./seen-view.ts";
import type { ReadCost, SeenView, ViewAnswer } from "./view-answer.ts";
import { planView } from "./view-plan.ts";

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

/** `entity` is the `entityKey` of the view's join keys. */
export interface ViewRead {
  readonly view: ViewDefinition;
  readonly entity: string;
}

/** A read with the names of the keys that it takes. */
interface NamedRead {
  readonly view: ViewDefinition;
  readonly batch: string;
  /** Null for a batch view. */
  readonly stream: { readonly key: string; readonly home: RecordReader } | null;
  /** Where one of these is there, the entity is deleted. */
  readonly tombstones: readonly string[];
}

export interface ViewsRead {
  /** In the order of the reads. */
  readonly answers: readonly ViewAnswer[];
  readonly cost: ReadCost;
}

/** What one home answered. */
interface Trip {
  readonly values: ReadonlyMap<string, StoredValue | null>;
  readonly staleness: Staleness | null;
}

type Trips = ReadonlyMap<RecordReader, Trip>;

export interface ReadRequest {
  readonly nowMs: number;
  readonly signal?: AbortSignal;
  /** By the name of a view: what the answer may not be older than. */
  readonly seen?: ReadonlyMap<string, SeenView>;
}

/** @throws FeatureError STORE_UNAVAILABLE when a store fails. */
export async function readViews(
  homes: ServingHomes,
  reads: readonly ViewRead[],
  request: ReadRequest,
): Promise<ViewsRead> {
  const options = request.signal === undefined ? {} : { signal: request.signal };
  const named = reads.map((read) => nameRead(read, homes));
  const keysOf = keysByHome(named, homes);
  const trips: Trips = new Map(
    await Promise.all(
      [...keysOf].map(async ([home, keys]): Promise<[RecordReader, Trip]> => {
        return [home, await readTrip(home, [...keys], options)];
      }),
    ),
  );
  const region = readRegion(homes.region, trips, request.nowMs);
  return {
    answers: named.map((read) => answerView(homes, read, { trips, request, region })),
    cost: {
      storeCalls: sum([...keysOf].map(([home, { size }]) => callCount(home, size))),
      storeBytes: sum([...trips.values()].map(({ values }) => byteCount(values))),
    },
  };
}

function nameRead({ view, entity }: ViewRead, { streams }: ServingHomes): NamedRead {
  const isLive = view.kind === "streamView";
  return {
    view,
    batch: batchKey(view, entity),
    stream: isLive
      ? {
          key: streamKey(view, entity),
          home: streams[shardOf(entity, streams.length)] as RecordReader,
        }
      : null,
    tombstones: tombstoneKeys(view, entity),
  };
}

/** Tombstones are in every home: they are read where their view is, which a batch view has in one. */
function keysByHome(
  reads: readonly NamedRead[],
  { batch: batchHome, region }: ServingHomes,
): ReadonlyMap<RecordReader, ReadonlySet<string>> {
  const homes = new Map<RecordReader, Set<string>>();
  const keysOf = (home: RecordReader): Set<string> => {
    const keys = homes.get(home) ?? new Set<string>();
    homes.set(home, keys);
    return keys;
  };
  for (const { batch, stream, tombstones } of reads) {
    keysOf(batchHome).add(batch);
    const liveKeys = keysOf(stream?.home ?? batchHome);
    if (stream !== null) liveKeys.add(stream.key);
    for (const tombstone of tombstones) liveKeys.add(tombstone);
  }
  if (region !== undefined) keysOf(region.progress).add(regionKey);
  return homes;
}

async function readTrip(
  home: RecordReader,
  keys: readonly string[],
  options: StoreReadOptions,
): Promise<Trip> {
  let staleness: Staleness | null = null;
  const values = await home.readMany(keys, {
    ...options,
    onStale: (told) => (staleness = olderOf(staleness, told)),
  });
  return { values: new Map(keys.map((key, i) => [key, values[i] ?? null])), staleness };
}

function callCount({ capabilities }: RecordReader, keyCount: number): number {
  return Math.max(1, Math.ceil(keyCount / capabilities.keysPerTripMax));
}

function byteCount(values: Trip["values"]): number {
  return sum([...values.values()].map((value) => value?.bytes.length ?? 0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

/** Null at home. */
function readRegion(
  region: RegionHome | undefined,
  trips: Trips,
  nowMs: number,
): RegionState | null {
  if (region === undefined) return null;
  const trip = trips.get(region.progress) as Trip;
  return regionState(trip.values.get(regionKey)?.bytes ?? null, {
    nowMs,
    staleAfterMs: region.staleAfterMs,
  });
}

/** A record that cannot be read makes its view's features faulty and leaves the others alone. */
function answerView(
  { batch: batchHome }: ServingHomes,
  { view, batch, stream, tombstones }: NamedRead,
  context: {
    readonly trips: Trips;
    readonly request: ReadRequest;
    readonly region: RegionState | null;
  },
): ViewAnswer {
  const { trips, request, region } = context;
  const batchTrip = trips.get(batchHome) as Trip;
  const liveTrip = trips.get(stream?.home ?? batchHome) as Trip;
  const staleness = olderOf(
    olderOf(batchTrip.staleness, liveTrip.staleness),
    region?.staleness ?? null,
  );
  const isDeleted = tombstones.some((key) => (liveTrip.values.get(key) ?? null) !== null);
  const batchValue = isDeleted ? null : (batchTrip.values.get(batch) ?? null);
  const streamValue =
    isDeleted || stream === null ? null : (liveTrip.values.get(stream.key) ?? null);
  try {
    const records = {
      batch: batchValue === null ? null : readBatchRecord(batchValue.bytes, view),
      stream: streamValue === null ? null : viewStreamRecord(streamValue.bytes, view),
    };
    const seen = seenOf(records);
    const fault =
      region?.faultOf(view, {
        cut: records.batch?.header.cut ?? null,
        isOld: batchTrip.staleness !== null,
      }) ??
      // What was seen of a deleted entity is gone for good.
      (isDeleted ? null : behindOf(seen, request.seen?.get(view.name)));
    const combined =
      fault === null
        ? combineView(planView(view), records, request.nowMs)
        : { view, features: faultyFeatures(view, null, fault), waitingCount: null };
    return { ...combined, seen, staleness };
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    const fault = { code: "CORRUPT_RECORD", message: error.message } as const;
    const features = faultyFeatures(view, null, fault);
    return { view, features, waitingCount: null, seen: null, staleness };
  }
}
