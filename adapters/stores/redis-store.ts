/** An online store in Redis over TCP, one server or a Cluster, through a client of ioredis. */

import type { Buffer } from "node:buffer";
import { groupBy } from "../../src/core/group-by.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";
import { refuseWrites } from "../../src/store/refuse-writes.ts";
import { redisFailure } from "./redis-failure.ts";
import { placeOf, redisKey } from "./redis-key.ts";
import { isUnknownVersion, nonceBytes, versionOf } from "./redis-write-script.ts";
import { writeArguments, writeScript } from "./redis-write-script.ts";
import { splitList } from "./split-list.ts";

/** The part of a `Redis` or a `Cluster` of ioredis that the store uses. */
export interface RedisClient {
  callBuffer(command: string, values: (string | Buffer | number)[]): Promise<unknown>;
}

export interface RedisStoreOptions {
  /** Whether the client is a Cluster: one command then reaches the records of one entity. */
  readonly cluster?: boolean;
  /** How old a read may be where the client reads from replicas. Left out: it does not. */
  readonly stalenessMsMax?: number;
}

/** Bytes of values in one script: the server does nothing else while it runs. */
const scriptBytesMax = 8 * 2 ** 20;
const scriptKeysMax = 1_000;

interface PlacedWrite {
  readonly key: string;
  readonly write: StoreWrite;
  /** Where it stands in the call. */
  readonly index: number;
}

/**
 * A value is kept as 8 random bytes, which are its version, and the bytes themselves. Use
 * `redisServingOptions` for the client: with others a lost connection may apply a write twice.
 */
export class RedisStore implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #client: RedisClient;
  readonly #isCluster: boolean;

  constructor(client: RedisClient, options: RedisStoreOptions = {}) {
    this.#client = client;
    this.#isCluster = options.cluster ?? false;
    this.capabilities = {
      name: "redis",
      binary: true,
      keysPerTripMax: 1_000,
      compareAndSet: true,
      stalenessMsMax: options.stalenessMsMax ?? 0,
      keyBytesMax: 2048,
      valueBytesMax: 25 * 2 ** 20,
    };
  }

  /** ioredis cannot take back what it has sent: an aborted read rejects and its answer is dropped. */
  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    const { signal } = options;
    if (signal?.aborted === true) throw redisFailure("read", signal.reason);
    const places = keys.map(redisKey);
    const values = await untilAborted(this.#readAll(new Set(places)), signal);
    return places.map((place) => values.get(place) ?? null);
  }

  async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    refuseWrites(writes, this.capabilities);
    const answers = writes.map(() => false);
    const placed = writes.map((write, index) => ({ key: redisKey(write.key), write, index }));
    const known = placed.filter(({ write }) => !isUnknownVersion(write));
    const scripts = this.#byPlace(known, ({ key }) => key).flatMap(splitWrites);
    await Promise.all(
      scripts.map(async (script) => {
        const applied = await this.#runScript(script);
        script.forEach(({ index }, i) => (answers[index] = applied[i] === 1));
      }),
    );
    return answers;
  }

  async #readAll(keys: ReadonlySet<string>): Promise<ReadonlyMap<string, StoredValue | null>> {
    const trips = this.#byPlace([...keys], (key) => key).flatMap((group) =>
      splitList(group, this.capabilities.keysPerTripMax),
    );
    const values = await Promise.all(trips.map((trip) => this.#readTrip(trip)));
    return new Map(values.flat());
  }

  async #readTrip(keys: readonly string[]): Promise<[string, StoredValue | null][]> {
    const answer = await this.#call("read", "MGET", [...keys]);
    if (!Array.isArray(answer) || answer.length !== keys.length) {
      throw redisFailure("read", new Error("the answer has another number of values than keys"));
    }
    return keys.map((key, i) => [key, readValue(answer[i])]);
  }

  async #runScript(writes: readonly PlacedWrite[]): Promise<readonly unknown[]> {
    const keys = writes.map(({ key }) => key);
    const values = writes.flatMap(({ write }) => writeArguments(write));
    const answer = await this.#call("write", "EVAL", [
      writeScript,
      keys.length,
      ...keys,
      ...values,
    ]);
    const isAnswer = (each: unknown) => each === 0 || each === 1;
    if (!Array.isArray(answer) || answer.length !== keys.length || !answer.every(isAnswer)) {
      throw redisFailure("write", new Error("the answer does not tell which writes were applied"));
    }
    return answer;
  }

  async #call(
    action: "read" | "write",
    command: string,
    values: (string | Buffer | number)[],
  ): Promise<unknown> {
    try {
      return await this.#client.callBuffer(command, values);
    } catch (error) {
      throw redisFailure(action, error);
    }
  }

  #byPlace<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
    if (items.length === 0) return [];
    if (!this.#isCluster) return [[...items]];
    return [...groupBy(items, (item) => placeOf(keyOf(item))).values()];
  }
}

/** A plain view: the slice of a Buffer would be no copy. */
function readValue(value: unknown): StoredValue | null {
  if (value === null) return null;
  if (!(value instanceof Uint8Array) || value.length < nonceBytes) {
    throw redisFailure("read", new Error("a value is not one that this store has written"));
  }
  const { buffer, byteOffset, length } = value;
  const bytes = new Uint8Array(buffer, byteOffset + nonceBytes, length - nonceBytes);
  return { bytes, version: versionOf(value) };
}

/** A value that alone is larger than a script may be goes by itself. */
function splitWrites(writes: readonly PlacedWrite[]): PlacedWrite[][] {
  const scripts: PlacedWrite[][] = [];
  let sizeBytes = Infinity;
  for (const placed of writes) {
    const ownBytes = placed.write.bytes?.length ?? 0;
    sizeBytes += ownBytes;
    if (sizeBytes > scriptBytesMax || scripts.at(-1)?.length === scriptKeysMax) {
      scripts.push([]);
      sizeBytes = ownBytes;
    }
    scripts.at(-1)?.push(placed);
  }
  return scripts;
}

async function untilAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer;
  let stopListening: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(redisFailure("read", signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    stopListening = () => signal.removeEventListener("abort", abort);
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    stopListening?.();
  }
}
