/** The contract of an online store: bytes by key, read in trips, written with an optional guard. */

/** What a store promises. The planner refuses what a definition needs and a store lacks. */
export interface StoreCapabilities {
  readonly name: string;
  /** Whether values keep bytes 0x00 to 0xFF as they are; an adapter without it encodes them. */
  readonly binary: boolean;
  /** How many keys one call reads; a longer `readMany` makes several calls at once. */
  readonly keysPerTripMax: number;
  /** Whether `StoreWrite.expectedVersion` is looked at. */
  readonly compareAndSet: boolean;
  /** How old a read may be, at most; Infinity where the store does not say. */
  readonly stalenessMsMax: number;
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
}

export interface StoredValue {
  readonly bytes: Uint8Array;
  /** Changes with every write of the key; null where the store has no compare-and-set. */
  readonly version: string | null;
}

export interface StoreWrite {
  readonly key: string;
  /** Null deletes the key. */
  readonly bytes: Uint8Array | null;
  /**
   * Left out: written whatever is there. Given: written only if the key's version is this one, null
   * meaning that the key must not exist.
   */
  readonly expectedVersion?: string | null;
}

/** Why an answer may be older than what was written, and the instant at which it was current. */
export interface Staleness {
  readonly asOfMs: number;
  /** A sentence that names no key and no value. */
  readonly reason: string;
}

export interface StoreReadOptions {
  readonly signal?: AbortSignal;
  /** Called before the answer where it is not what the store holds now, but what it once held. */
  readonly onStale?: (staleness: Staleness) => void;
}

/**
 * Answers one entry a key, in order, null for a key that does not exist. A read that fails or is
 * aborted rejects: a failure is never a missing key. Duplicate keys are allowed.
 */
export interface RecordReader {
  readonly capabilities: Pick<StoreCapabilities, "keysPerTripMax"> &
    Partial<Pick<StoreCapabilities, "name">>;
  readMany(
    keys: readonly string[],
    options?: StoreReadOptions,
  ): Promise<readonly (StoredValue | null)[]>;
}

/**
 * - `write` answers for each write whether it was applied. Writes of one call are not atomic
 *   together; each is atomic by itself. Two writes of one key in one call are refused.
 * - Errors are FeatureErrors with code STORE_UNAVAILABLE; their text holds no key and no value.
 */
export interface OnlineStore extends RecordReader {
  readonly capabilities: StoreCapabilities;
  write(writes: readonly StoreWrite[]): Promise<readonly boolean[]>;
}
