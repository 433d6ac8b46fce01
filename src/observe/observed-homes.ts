/** Homes as one request reads them: what it waits for each of them is noted. */

import type {
  RecordReader,
  Staleness,
  StoreReadOptions,
  StoredValue,
} from "../store/online-store.ts";
import type { ServingHomes } from "../serve/read-views.ts";
import type { HomeName, StoreTrip } from "./request-summary.ts";

export interface TripObserver {
  /** The observation's timer. */
  readonly nowMs: () => number;
  readonly onTrip: (trip: StoreTrip) => void;
}

/** What was the same home before is the same one after. */
export function observeHomes(homes: ServingHomes, observer: TripObserver): ServingHomes {
  const { batch, streams, region } = homes;
  const names = nameHomes(homes);
  const readers = new Map<RecordReader, RecordReader>();
  for (const [reader, home] of names)
    readers.set(reader, new ObservedReader(reader, home, observer));
  const readerOf = (home: RecordReader) => readers.get(home) as RecordReader;
  return {
    batch: readerOf(batch),
    streams: streams.map(readerOf),
    ...(region && { region: { ...region, progress: readerOf(region.progress) } }),
  };
}

const namesOfHomes = new WeakMap<ServingHomes, ReadonlyMap<RecordReader, HomeName>>();

/** What each distinct reader is the home of. */
export function nameHomes(homes: ServingHomes): ReadonlyMap<RecordReader, HomeName> {
  const known = namesOfHomes.get(homes);
  if (known !== undefined) return known;
  const names = new Map<RecordReader, HomeName>();
  const add = (reader: RecordReader, home: HomeName) => {
    names.set(reader, (names.get(reader) ?? home) === home ? home : "shared");
  };
  add(homes.batch, "batch");
  for (const stream of homes.streams) add(stream, "stream");
  if (homes.region !== undefined) add(homes.region.progress, "region");
  namesOfHomes.set(homes, names);
  return names;
}

class ObservedReader implements RecordReader {
  readonly #reader: RecordReader;
  readonly #home: HomeName;
  readonly #observer: TripObserver;

  constructor(reader: RecordReader, home: HomeName, observer: TripObserver) {
    this.#reader = reader;
    this.#home = home;
    this.#observer = observer;
  }

  get capabilities(): RecordReader["capabilities"] {
    return this.#reader.capabilities;
  }

  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    const startMs = this.#observer.nowMs();
    let outcome: StoreTrip["outcome"] = "failed";
    let sizeBytes = 0;
    let isStale = false;
    const onStale = (staleness: Staleness) => {
      isStale = true;
      options.onStale?.(staleness);
    };
    try {
      const values = await this.#reader.readMany(keys, { ...options, onStale });
      for (const value of values) sizeBytes += value?.bytes.length ?? 0;
      outcome = isStale ? "stale" : "answered";
      return values;
    } finally {
      const { name = null, keysPerTripMax } = this.#reader.capabilities;
      this.#observer.onTrip({
        home: this.#home,
        store: name,
        startMs,
        endMs: this.#observer.nowMs(),
        callCount: Math.max(1, Math.ceil(keys.length / keysPerTripMax)),
        keyCount: keys.length,
        sizeBytes,
        outcome,
      });
    }
  }
}
