/** One trip to each home that a request reads from, all at once, and what becomes of a late one. */

import { FeatureError } from "../core/errors.ts";
import type { RecordReader, Staleness, StoredValue } from "../store/online-store.ts";
import { untilAborted } from "../store/resilient/until-aborted.ts";
import { olderOf } from "./older-of.ts";

/** What one home answered. */
export interface Trip {
  readonly values: ReadonlyMap<string, StoredValue | null>;
  readonly staleness: Staleness | null;
}

/** By home; null for a trip that was given up because the time was over. */
export type Trips = ReadonlyMap<RecordReader, Trip | null>;

export type KeysByHome = ReadonlyMap<RecordReader, ReadonlySet<string>>;

/** How long reads are waited for. Left out, as long as they take. */
export interface ReadPatience {
  /** Ends reads. With a DEADLINE_EXCEEDED for its reason, because the time is over. */
  readonly signal?: AbortSignal;
  /**
   * Aborted shortly after `signal` where that was for the time: who has not answered by then, as a
   * cache does that stands in for its store, is waited for no longer, whether it settles or not.
   */
  readonly giveUpSignal?: AbortSignal;
  /** Whether late trips are left out rather than an error. */
  readonly leaveOutLate?: boolean;
}

/** @throws FeatureError STORE_UNAVAILABLE when a store fails, DEADLINE_EXCEEDED for a late one. */
export async function readTrips(keysOf: KeysByHome, patience: ReadPatience): Promise<Trips> {
  return new Map(
    await Promise.all(
      [...keysOf].map(async ([home, keys]): Promise<[RecordReader, Trip | null]> => {
        return [home, await readInTime(home, [...keys], patience)];
      }),
    ),
  );
}

async function readInTime(
  home: RecordReader,
  keys: readonly string[],
  { signal, giveUpSignal, leaveOutLate = false }: ReadPatience,
): Promise<Trip | null> {
  try {
    const trip = readTrip(home, keys, signal);
    return await (giveUpSignal === undefined ? trip : untilAborted(trip, giveUpSignal));
  } catch (error) {
    const late: unknown = signal?.aborted === true ? signal.reason : null;
    if (!(error instanceof FeatureError) || !isLate(late)) throw error;
    if (leaveOutLate) return null;
    throw late;
  }
}

function isLate(reason: unknown): reason is FeatureError {
  return reason instanceof FeatureError && reason.code === "DEADLINE_EXCEEDED";
}

async function readTrip(
  home: RecordReader,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Trip> {
  let staleness: Staleness | null = null;
  const values = await home.readMany(keys, {
    ...(signal !== undefined && { signal }),
    onStale: (told) => (staleness = olderOf(staleness, told)),
  });
  return { values: new Map(keys.map((key, i) => [key, values[i] ?? null])), staleness };
}
