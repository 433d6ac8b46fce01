/**
 * An online store in Workers KV. A bulk read answers text alone, so values are kept as base64 (a
 * third more bytes) and a hundred of them come in one trip. KV has no compare-and-set: whoever
 * writes must be the only writer, as the publisher is.
 */

import { FeatureError } from "../../src/core/errors.ts";
import { decodeBase64, encodeBase64 } from "../../src/core/base64.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";
import { refuseWrites } from "../../src/store/refuse-writes.ts";
import { splitList } from "./split-list.ts";

/** The part of a `KVNamespace` that the store uses. */
export interface KvBinding {
  get(
    keys: string[],
    options: { type: "text"; cacheTtl?: number },
  ): Promise<Map<string, string | null>>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
}

export interface WorkersKvOptions {
  /** How long a location may keep a copy, in seconds; at least 30, as the platform asks. */
  readonly cacheTtlSeconds: number;
}

/** Lookups of absent keys are cached as long, and propagation takes about as long again. */
const propagationFactor = 2;

export class WorkersKvStore implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #kv: KvBinding;
  readonly #cacheTtlSeconds: number;

  constructor(kv: KvBinding, options: WorkersKvOptions = { cacheTtlSeconds: 60 }) {
    this.#kv = kv;
    this.#cacheTtlSeconds = options.cacheTtlSeconds;
    this.capabilities = {
      name: "workers-kv",
      binary: false,
      keysPerTripMax: 100,
      compareAndSet: false,
      stalenessMsMax: options.cacheTtlSeconds * 1000 * propagationFactor,
      keyBytesMax: 512,
      valueBytesMax: 18 * 2 ** 20,
    };
  }

  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    if (options.signal?.aborted === true) throw unavailable("read", options.signal.reason);
    const trips = splitList([...new Set(keys)], this.capabilities.keysPerTripMax);
    const answers = await Promise.all(trips.map((trip) => this.#trip(trip)));
    const found = new Map(answers.flatMap((answer) => [...answer]));
    return keys.map((key) => {
      const text = found.get(key);
      if (text === undefined) throw unavailable("read", new Error("a key was not answered"));
      return text === null ? null : { bytes: decodeBase64(text), version: null };
    });
  }

  async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    refuseWrites(writes, this.capabilities);
    if (writes.some(({ expectedVersion }) => expectedVersion !== undefined)) {
      throw new FeatureError("INTERNAL", "Cannot guard a write: Workers KV has no compare-and-set");
    }
    try {
      await Promise.all(
        writes.map(({ key, bytes }) =>
          bytes === null ? this.#kv.delete(key) : this.#kv.put(key, encodeBase64(bytes)),
        ),
      );
    } catch (cause) {
      throw unavailable("write", cause);
    }
    return writes.map(() => true);
  }

  async #trip(keys: string[]): Promise<Map<string, string | null>> {
    try {
      return await this.#kv.get(keys, { type: "text", cacheTtl: this.#cacheTtlSeconds });
    } catch (cause) {
      if (keys.length === 1 || !isAnswerTooLarge(cause)) throw unavailable("read", cause);
    }
    const middle = keys.length >>> 1;
    const halves = [keys.slice(0, middle), keys.slice(middle)];
    const answers = await Promise.all(halves.map((half) => this.#trip(half)));
    return new Map(answers.flatMap((answer) => [...answer]));
  }
}

/** One bulk read answers with at most 25 MB, and says 413 of more; the status is in its text alone. */
function isAnswerTooLarge(cause: unknown): boolean {
  return cause instanceof Error && /\b413\b/.test(cause.message);
}

function unavailable(action: "read" | "write", cause: unknown): FeatureError {
  return new FeatureError(
    "STORE_UNAVAILABLE",
    `Cannot ${action} Workers KV: the ${action} failed`,
    {
      cause,
      retryable: true,
    },
  );
}
