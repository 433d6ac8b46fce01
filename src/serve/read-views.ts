/**
 * Reads what a request needs in one parallel round: no read waits for another's answer. It makes
 * sum over homes and shards of ceil(keys / keysPerTripMax) calls, and each key is read once.
 */

import { CorruptRecordError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { OnlineStore, StoreReadOptions, StoredValue } from "../store/online-store.ts";
import type { StreamHome } from "../store/stream-home.ts";
import { readBatchRecord } from "../tile/batch-record.ts";
import { batchKey, shardOf, streamKey, tombstoneKeys } from "../tile/keys.ts";
import { viewStreamRecord } from "../tile/stream-record.ts";
import { combineView, faultyFeatures } from "./combine-view.ts";
import type { ReadCost, ViewAnswer } from "./view-answer.ts";
import { planView } from "./view-plan.ts";

export interface ServingHomes {
  readonly batch: OnlineStore;
  readonly streams: readonly StreamHome[];
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
  readonly stream: { readonly key: string; readonly shard: number } | null;
  /** Where one of these is there, the entity is deleted. */
  readonly tombstones: readonly string[];
}

export interface ViewsRead {
  /** In the order of the reads. */
  readonly answers: readonly ViewAnswer[];
  readonly cost: ReadCost;
}

type Values = ReadonlyMap<string, StoredValue | null>;

/** @throws FeatureError STORE_UNAVAILABLE when a store fails. */
export async function readViews(
  homes: ServingHomes,
  reads: readonly ViewRead[],
  request: { readonly nowMs: number; readonly signal?: AbortSignal },
): Promise<ViewsRead> {
  const options = request.signal === undefined ? {} : { signal: request.signal };
  const named = reads.map((read) => nameRead(read, homes));
  const batchKeys = batchKeysOf(named);
  const trips = [readTrip(homes.batch, batchKeys, options)];
  const streamReads = named.filter(({ stream }) => stream !== null);
  for (const [shard, shardReads] of groupBy(streamReads, ({ stream }) => stream?.shard ?? 0)) {
    const keys = shardReads.flatMap(({ stream, tombstones }) => [stream?.key ?? "", ...tombstones]);
    trips.push(readTrip(homes.streams[shard] as StreamHome, [...new Set(keys)], options));
  }
  const values: Values = new Map((await Promise.all(trips)).flat());
  const batchCalls = Math.ceil(batchKeys.length / homes.batch.capabilities.keysPerTripMax);
  return {
    answers: named.map((read) => answerView(read, values, request.nowMs)),
    cost: {
      storeCalls: batchCalls + trips.length - 1,
      storeBytes: [...values.values()].reduce((sum, value) => sum + (value?.bytes.length ?? 0), 0),
    },
  };
}

function nameRead({ view, entity }: ViewRead, { streams }: ServingHomes): NamedRead {
  const isLive = view.kind === "streamView";
  return {
    view,
    batch: batchKey(view, entity),
    stream: isLive
      ? { key: streamKey(view, entity), shard: shardOf(entity, streams.length) }
      : null,
    tombstones: tombstoneKeys(view, entity),
  };
}

/** Tombstones are in every home: they are read where their view is, which a batch view has in one. */
function batchKeysOf(reads: readonly NamedRead[]): string[] {
  const keys = reads.flatMap(({ batch, stream, tombstones }) =>
    stream === null ? [batch, ...tombstones] : [batch],
  );
  return [...new Set(keys)];
}

async function readTrip(
  home: Pick<OnlineStore, "readMany">,
  keys: readonly string[],
  options: StoreReadOptions,
): Promise<[string, StoredValue | null][]> {
  const values = await home.readMany(keys, options);
  return keys.map((key, i) => [key, values[i] ?? null]);
}

/** A record that cannot be read makes its view's features faulty and leaves the others alone. */
function answerView(
  { view, batch, stream, tombstones }: NamedRead,
  values: Values,
  nowMs: number,
): ViewAnswer {
  const isDeleted = tombstones.some((key) => (values.get(key) ?? null) !== null);
  const batchValue = isDeleted ? null : (values.get(batch) ?? null);
  const streamValue = isDeleted || stream === null ? null : (values.get(stream.key) ?? null);
  try {
    const records = {
      batch: batchValue === null ? null : readBatchRecord(batchValue.bytes, view),
      stream: streamValue === null ? null : viewStreamRecord(streamValue.bytes, view),
    };
    return combineView(planView(view), records, nowMs);
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    const fault = { code: "CORRUPT_RECORD", message: error.message } as const;
    return { view, features: faultyFeatures(view, null, fault), waitingCount: null };
  }
}
