/** Values of Deno KV, each as large as it takes them. */

import { FeatureError } from "../../src/core/errors.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";
import { splitList } from "./split-list.ts";

type KvKey = readonly string[];

export interface KvEntry {
  readonly value: unknown;
  /** Null where there is no such key. */
  readonly versionstamp: string | null;
}

/** The part of a `Deno.AtomicOperation` that the store uses. */
export interface KvAtomic {
  check(check: { key: KvKey; versionstamp: string | null }): KvAtomic;
  set(key: KvKey, value: Uint8Array): KvAtomic;
  delete(key: KvKey): KvAtomic;
  commit(): Promise<{ readonly ok: boolean }>;
}

/** The part of a `Deno.Kv` that the store uses. */
export interface KvDatabase {
  getMany(
    keys: readonly KvKey[],
    options: { consistency: "strong" | "eventual" },
  ): Promise<readonly KvEntry[]>;
  atomic(): KvAtomic;
}

export interface DenoKvOptions {
  /** Where a read goes: to the primary region, or to the nearest; strong if left out. */
  readonly consistency?: "strong" | "eventual";
  /** How old an eventual read may be, in milliseconds; Infinity, as no bound is stated, if left out. */
  readonly stalenessMsMax?: number;
}

const keysPerTripMax = 10;
/** One commit takes 1,000 mutations, 81,920 bytes of keys, and 819,200 of keys and values. */
const mutationsMax = 1_000;
const commitKeyBytesMax = 80_000;
const commitBytesMax = 800_000;
/** The first part of an encoded key, and what is around the parts. */
const keyFrameBytes = 16;
const encoder = new TextEncoder();

/** For `PartedStore`, which sees to keys that come twice, sizes and empty values. */
export class DenoKvValues implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #kv: KvDatabase;
  readonly #consistency: "strong" | "eventual";

  constructor(kv: KvDatabase, options: DenoKvOptions) {
    const { consistency = "strong", stalenessMsMax = Infinity } = options;
    this.#kv = kv;
    this.#consistency = consistency;
    this.capabilities = {
      name: "deno-kv",
      binary: true,
      keysPerTripMax,
      compareAndSet: true,
      stalenessMsMax: consistency === "strong" ? 0 : stalenessMsMax,
      // An encoded key has at most 2,048, with the first part and what is around both.
      keyBytesMax: 2_000,
      valueBytesMax: 65_536,
    };
  }

  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    try {
      options.signal?.throwIfAborted();
      const trips = splitList(keys.map(kvKey), keysPerTripMax);
      const reads = { consistency: this.#consistency };
      const answers = await Promise.all(trips.map((trip) => this.#kv.getMany(trip, reads)));
      options.signal?.throwIfAborted();
      return answers.flat().map(storedValue);
    } catch (error) {
      throw unavailable("read", error);
    }
  }

  async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    const guarded = writes.filter(({ expectedVersion }) => expectedVersion !== undefined);
    const others = writes.filter(({ expectedVersion }) => expectedVersion === undefined);
    const commits = [...guarded.map((write) => [write]), ...splitCommits(others)];
    const applied = new Set<string>();
    try {
      await Promise.all(
        commits.map(async (commit) => {
          if (!(await this.#commit(commit))) return;
          for (const { key } of commit) applied.add(key);
        }),
      );
    } catch (error) {
      throw unavailable("write", error);
    }
    return writes.map(({ key }) => applied.has(key));
  }

  async #commit(writes: readonly StoreWrite[]): Promise<boolean> {
    let atomic = this.#kv.atomic();
    for (const { key, bytes, expectedVersion } of writes) {
      if (expectedVersion !== undefined) {
        if (expectedVersion !== null && !isVersionstamp(expectedVersion)) return false;
        atomic = atomic.check({ key: kvKey(key), versionstamp: expectedVersion });
      }
      atomic = bytes === null ? atomic.delete(kvKey(key)) : atomic.set(kvKey(key), bytes);
    }
    const { ok } = await atomic.commit();
    return ok;
  }
}

function kvKey(key: string): KvKey {
  return ["tilemark", key];
}

/** Others make the check throw, instead of failing it. */
function isVersionstamp(version: string): boolean {
  return /^[0-9a-f]{20}$/.test(version);
}

function storedValue({ value, versionstamp }: KvEntry): StoredValue | null {
  if (versionstamp === null) return null;
  if (!(value instanceof Uint8Array)) throw new TypeError("A value is not bytes");
  return { bytes: value, version: versionstamp };
}

/** Each as large as one commit may be. */
function splitCommits(writes: readonly StoreWrite[]): StoreWrite[][] {
  const commits: StoreWrite[][] = [];
  let room = { mutations: 0, keyBytes: 0, bytes: 0 };
  for (const write of writes) {
    const keyBytes = keyFrameBytes + encoder.encode(write.key).length;
    const bytes = keyBytes + (write.bytes?.length ?? 0);
    if (room.mutations < 1 || room.keyBytes < keyBytes || room.bytes < bytes) {
      commits.push([]);
      room = { mutations: mutationsMax, keyBytes: commitKeyBytesMax, bytes: commitBytesMax };
    }
    commits.at(-1)?.push(write);
    room.mutations -= 1;
    room.keyBytes -= keyBytes;
    room.bytes -= bytes;
  }
  return commits;
}

/** The texts of the platform may hold keys: what failed is told by its name alone. */
function unavailable(action: "read" | "write", error: unknown): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", `Cannot ${action} Deno KV: the ${action} failed`, {
    cause: new Error(error instanceof Error ? error.name : "Error"),
    retryable: true,
  });
}
