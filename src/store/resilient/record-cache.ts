/** What was read last, for when no store answers: bounded by bytes, the least recently used go. */

import type { StoredValue } from "../online-store.ts";

export interface RecordCacheOptions {
  /** Of keys and values, with what an entry takes beside them. */
  readonly bytesMax: number;
  /** Entries that are older are not used. */
  readonly ageMsMax: number;
}

export const recordCacheDefaults: RecordCacheOptions = {
  bytesMax: 16 * 2 ** 20,
  ageMsMax: 3_600_000,
};

export interface CachedRead {
  readonly values: readonly (StoredValue | null)[];
  /** When the oldest of the values was current. */
  readonly asOfMs: number;
}

interface Entry {
  readonly value: StoredValue | null;
  asOfMs: number;
  readonly sizeBytes: number;
}

/** What an entry takes beside its key and its value, about. */
const entryBytes = 200;

/**
 * Keeps values and absences, each with the instant at which it was current. Records say which cut
 * they are of, so those of different instants can be read together: the answer is right as of the
 * oldest, or a gap that says so. A tombstone that was absent may have been written since: an entity
 * deleted after `asOfMs` is still answered. Bytes are copied on the way in and out, since a store
 * may answer with a small part of a large buffer, and a caller may write to what it got.
 *
 * One cache is for one reader, as several stores may hold the same key.
 */
export class RecordCache {
  readonly #bytesMax: number;
  readonly #ageMsMax: number;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #sizeBytes = 0;

  constructor({ bytesMax, ageMsMax }: RecordCacheOptions = recordCacheDefaults) {
    this.#bytesMax = bytesMax;
    this.#ageMsMax = ageMsMax;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Reads may end in another order than they began: what is known to be newer stays. */
  keep(key: string, value: StoredValue | null, asOfMs: number): void {
    const known = this.#entries.get(key);
    if (known !== undefined && known.asOfMs > asOfMs) return;
    // As a rule nothing was written since: there is nothing to copy then.
    if (known !== undefined && isUnchanged(known.value, value)) {
      known.asOfMs = asOfMs;
      this.#use(key, known);
      return;
    }
    const sizeBytes = entryBytes + 2 * key.length + (value?.bytes.length ?? 0);
    this.#remove(key);
    if (sizeBytes > this.#bytesMax) return;
    this.#entries.set(key, { value: copyOf(value), asOfMs, sizeBytes });
    this.#sizeBytes += sizeBytes;
    for (const [oldest] of this.#entries) {
      if (this.#sizeBytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  /** Null where a key is not there, or is too old: that is no absence. */
  readAll(keys: readonly string[], nowMs: number): CachedRead | null {
    const entries = new Map<string, Entry>();
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry === undefined || nowMs - entry.asOfMs > this.#ageMsMax) return null;
      entries.set(key, entry);
    }
    for (const [key, entry] of entries) this.#use(key, entry);
    return {
      values: keys.map((key) => copyOf((entries.get(key) as Entry).value)),
      asOfMs: [...entries.values()].reduce((oldest, { asOfMs }) => Math.min(oldest, asOfMs), nowMs),
    };
  }

  #use(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#sizeBytes -= entry.sizeBytes;
  }
}

/** A version tells one write of a key from every other. */
function isUnchanged(known: StoredValue | null, value: StoredValue | null): boolean {
  if (known === null || value === null) return known === value;
  return value.version !== null && known.version === value.version;
}

/** A copy of a view of a Buffer made with its own `slice` would be none. */
function copyOf(value: StoredValue | null): StoredValue | null {
  return value === null ? null : { bytes: new Uint8Array(value.bytes), version: value.version };
}
