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
import { batchKey, shardOf, streamKey } from "../tile/keys.ts";
import { viewStreamRecord } from "../tile/stream-record.ts";
import { combineView, faultyFeatures } from "./combine-view.ts";
import type { FeatureAnswer, ReadCost, ViewAnswer } from "./view-answer.ts";
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
  const trips = [batchTrip(homes, reads, options), ...streamTrips(homes, reads, options)];
  const values: Values = new Map((await Promise.all(trips)).flat());
  return {
    answers: reads.map(({ view, entity }) => ({
      view,
      features: answerView(view, {
        batch: values.get(batchKey(view, entity)) ?? null,
        stream: values.get(streamKey(view, entity)) ?? null,
        nowMs: request.nowMs,
      }),
    })),
    cost: {
      storeCalls: countCalls(homes, trips.length - 1, reads),
      storeBytes: [...values.values()].reduce((sum, value) => sum + (value?.bytes.length ?? 0), 0),
    },
  };
}

async function batchTrip(
  { batch }: ServingHomes,
  reads: readonly ViewRead[],
  options: StoreReadOptions,
): Promise<[string, StoredValue | null][]> {
  const keys = distinct(reads.map(({ view, entity }) => batchKey(view, entity)));
  return pairs(keys, await batch.readMany(keys, options));
}

function streamTrips(
  { streams }: ServingHomes,
  reads: readonly ViewRead[],
  options: StoreReadOptions,
): Promise<[string, StoredValue | null][]>[] {
  const live = reads.filter(({ view }) => view.kind === "streamView");
  const shards = groupBy(live, ({ entity }) => shardOf(entity, streams.length));
  return [...shards].map(async ([shard, shardReads]) => {
    const keys = distinct(shardReads.map(({ view, entity }) => streamKey(view, entity)));
    return pairs(keys, await (streams[shard] as StreamHome).readMany(keys, options));
  });
}

function countCalls(
  { batch }: ServingHomes,
  streamCalls: number,
  reads: readonly ViewRead[],
): number {
  const batchKeys = distinct(reads.map(({ view, entity }) => batchKey(view, entity)));
  return Math.ceil(batchKeys.length / batch.capabilities.keysPerTripMax) + streamCalls;
}

function distinct(keys: readonly string[]): string[] {
  return [...new Set(keys)];
}

function pairs(
  keys: readonly string[],
  values: readonly (StoredValue | null)[],
): [string, StoredValue | null][] {
  return keys.map((key, i) => [key, values[i] ?? null]);
}

/** A record that cannot be read makes its view's features faulty and leaves the others alone. */
function answerView(
  view: ViewDefinition,
  stored: {
    readonly batch: StoredValue | null;
    readonly stream: StoredValue | null;
    readonly nowMs: number;
  },
): readonly FeatureAnswer[] {
  try {
    const records = {
      batch: stored.batch === null ? null : readBatchRecord(stored.batch.bytes, view),
      stream: stored.stream === null ? null : viewStreamRecord(stored.stream.bytes, view),
    };
    return combineView(planView(view), records, stored.nowMs);
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    return faultyFeatures(view, null, { code: "CORRUPT_RECORD", message: error.message });
  }
}
