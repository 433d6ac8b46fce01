/**
 * Reads what a request needs in one parallel round: no read waits for another's answer. It makes
 * sum over homes and shards of ceil(keys / keysPerTripMax) calls, and each key is read once. Batch
 * and stream records that are in the same home are read by the same call.
 */

import { CorruptRecordError, FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { RecordReader } from "../store/online-store.ts";
import { readBatchRecord } from "../tile/batch-record.ts";
import { regionKey } from "../tile/keys.ts";
import { viewStreamRecord } from "../tile/stream-record.ts";
import { keepRead, takeCached } from "./cached-reads.ts";
import type { CacheUse } from "./cached-reads.ts";
import { combineView } from "./combine-view.ts";
import { keysByHome, nameRead } from "./named-reads.ts";
import type { NamedRead, RecordNames, RegionHome, ServingHomes, ViewRead } from "./named-reads.ts";
import { olderOf } from "./older-of.ts";
import { readTrips } from "./read-trips.ts";
import type { ReadPatience, Trip, Trips } from "./read-trips.ts";
import { regionState } from "./region-state.ts";
import type { RegionState } from "./region-state.ts";
import { faultyFeatures } from "./same-features.ts";
import { behindOf, seenOf } from "./seen-view.ts";
import type { FeatureFault, ReadCost, SeenView, ViewAnswer } from "./view-answer.ts";
import { planView } from "./view-plan.ts";

export type { RegionHome, ServingHomes, ViewRead } from "./named-reads.ts";

export interface ViewsRead {
  /** In the order of the reads. */
  readonly answers: readonly ViewAnswer[];
  readonly cost: ReadCost;
}

export interface ReadRequest extends ReadPatience {
  readonly nowMs: number;
  /** By the name of a view: what the answer may not be older than. */
  readonly seen?: ReadonlyMap<string, SeenView>;
  /** Whether views past `limits.requestStoreBytesMax` are left out rather than an error. */
  readonly allowPartialResults?: boolean;
  /** Left out, everything is read. */
  readonly cache?: CacheUse;
  /** Whether answers come with what they were made of, to be explained. */
  readonly keepEvidence?: boolean;
}

/**
 * @throws FeatureError STORE_UNAVAILABLE when a store fails, DEADLINE_EXCEEDED when one is late,
 * FAILED_PRECONDITION when the records are too many bytes.
 */
export async function readViews(
  homes: ServingHomes,
  reads: readonly ViewRead[],
  request: ReadRequest,
): Promise<ViewsRead> {
  const { nowMs, cache } = request;
  const cached = takeCached(reads, nowMs, cache);
  const named = reads.map((read, i) => {
    return cached[i]?.answer ? { view: read.view, records: null } : nameRead(read, homes);
  });
  const keysOf = keysByHome(named, homes);
  const trips = await readTrips(keysOf, request);
  const context = { trips, request, region: readRegion(homes.region, trips, nowMs) };
  const firstPast = firstPastLimit(named, homes, context);
  const answers = named.map((read, i) => {
    const known = cached[i]?.answer;
    if (known) return known;
    return i < firstPast ? answerView(homes, read, context) : leftOut(read.view, tooLarge);
  });
  if (cache !== undefined) {
    const freshUntilMs = freshUntil(homes.region, context.region);
    keepRead(reads, { cached, answers, nowMs, freshUntilMs }, cache);
  }
  return {
    answers,
    cost: {
      storeCalls: sum([...keysOf].map(([home, { size }]) => callCount(home, size))),
      storeBytes: sum([...trips.values()].map(byteCount)),
    },
  };
}

/** How long what was read now need not be called stale. */
function freshUntil(home: RegionHome | undefined, region: RegionState | null): number {
  if (home === undefined) return Infinity;
  return (region?.record?.asOfMs ?? -Infinity) + home.staleAfterMs;
}

function callCount({ capabilities }: RecordReader, keyCount: number): number {
  return Math.max(1, Math.ceil(keyCount / capabilities.keysPerTripMax));
}

function byteCount(trip: Trip | null): number {
  return sum([...(trip?.values.values() ?? [])].map((value) => value?.bytes.length ?? 0));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

interface ReadContext {
  readonly trips: Trips;
  readonly request: ReadRequest;
  /** Null at home, and where nothing was read. */
  readonly region: RegionState | null;
}

function readRegion(
  region: RegionHome | undefined,
  trips: Trips,
  nowMs: number,
): RegionState | null {
  const trip = region === undefined ? undefined : trips.get(region.progress);
  if (region === undefined || trip === undefined || trip === null) return null;
  return regionState(trip.values.get(regionKey)?.bytes ?? null, {
    nowMs,
    staleAfterMs: region.staleAfterMs,
  });
}

const late: FeatureFault = {
  code: "TIME_OUT",
  message: "The store did not answer within the latency budget",
};

const tooLarge: FeatureFault = {
  code: "TOO_LARGE",
  message: `The records of the request come to more than ${limits.requestStoreBytesMax} bytes up to this view`,
};

/** The place of the first read whose records are past the limit, with all before it. */
function firstPastLimit(
  reads: readonly NamedRead[],
  homes: ServingHomes,
  { trips, request }: ReadContext,
): number {
  let byteTotal = 0;
  const place = reads.findIndex(({ records }) => {
    if (records === null) return false;
    const { batch, stream } = records;
    byteTotal += byteLength(trips.get(homes.batch), batch);
    if (stream !== null) byteTotal += byteLength(trips.get(stream.home), stream.key);
    return byteTotal > limits.requestStoreBytesMax;
  });
  if (place === -1) return reads.length;
  if (request.allowPartialResults === true) return place;
  throw new FeatureError(
    "FAILED_PRECONDITION",
    `Cannot answer the request: its records come to more than ${limits.requestStoreBytesMax} bytes, ask for fewer views or rows, or set allowPartialResults`,
  );
}

function byteLength(trip: Trip | null | undefined, key: string): number {
  return trip?.values.get(key)?.bytes.length ?? 0;
}

function leftOut(view: ViewDefinition, fault: FeatureFault): ViewAnswer {
  return {
    view,
    features: faultyFeatures(view, null, fault),
    waitingCount: null,
    seen: null,
    staleness: null,
  };
}

function answerView(
  homes: ServingHomes,
  { view, records }: NamedRead,
  context: ReadContext,
): ViewAnswer {
  const { trips, request } = context;
  if (records === null) {
    const nobody = combineView(planView(view), { batch: null, stream: null }, request.nowMs);
    return { ...nobody, seen: null, staleness: null };
  }
  const needed = [homes.batch, records.stream?.home ?? homes.batch];
  // A region that cannot say how far it came vouches for nothing.
  if (homes.region !== undefined) needed.push(homes.region.progress);
  if (needed.some((home) => trips.get(home) === null)) return leftOut(view, late);
  return answerRecords(homes, { view, records }, context);
}

/** A record that cannot be read makes its view's features faulty and leaves the others alone. */
function answerRecords(
  { batch: batchHome }: ServingHomes,
  { view, records: { batch, stream, tombstones } }: NamedRead & { readonly records: RecordNames },
  { trips, request, region }: ReadContext,
): ViewAnswer {
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
    const batchWatermarkMs = records.batch?.header.watermarkMs;
    const evidence = request.keepEvidence === true && {
      records,
      batchBytes: batchValue?.bytes.length ?? 0,
      streamBytes: streamValue?.bytes.length ?? 0,
      isDeleted,
      fault,
      region: region?.record ?? null,
    };
    return {
      ...combined,
      seen,
      staleness,
      ...(evidence !== false && { evidence }),
      ...(fault === null && batchWatermarkMs !== undefined && { batchWatermarkMs }),
    };
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    const fault = { code: "CORRUPT_RECORD", message: error.message } as const;
    const features = faultyFeatures(view, null, fault);
    return { view, features, waitingCount: null, seen: null, staleness };
  }
}
