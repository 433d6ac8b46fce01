/**
 * An online store in Upstash Redis, over HTTP alone: it runs wherever there is `fetch`. Its answers
 * are text, so a value is kept as the name of the write that made it and the bytes in base64:
 *
 *   Xk3_0aPq-9Zb AAECAw==      (without the space)
 *   └ version ─┘ └ bytes ┘
 */

import { CorruptRecordError, FeatureError, assert } from "../../src/core/errors.ts";
import { decodeBase64, encodeBase64 } from "../../src/core/base64.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";
import { refuseWrites } from "../../src/store/refuse-writes.ts";
import { randomName, randomNameLength } from "./random-name.ts";
import { splitList } from "./split-list.ts";
import type { UpstashClient } from "./upstash-client.ts";

export interface UpstashStoreOptions {
  /**
   * How old a read may be, in milliseconds. Say 0 for a database without read regions. Those of one
   * with them lag without a bound that the service states, so it is Infinity if left out.
   */
  readonly stalenessMsMax?: number;
  /** How long one request may take, in milliseconds; 10,000 if left out. */
  readonly requestMsMax?: number;
}

/** The service takes 10 MB; a value that is larger alone goes alone. */
const requestLengthMax = 8_000_000;
const keysPerWriteMax = 1_000;

/** In the place of a version: any, none (as GETRANGE says of a missing key), one that never was. */
const guards = { any: "*", absent: "", impossible: "!" } as const;
/** In the place of a value, which is never empty. */
const deletion = "";

/** Answers 1 for each key that was written, 0 for one whose version is not the one expected. */
const writeScript = `local applied = {}
for i, key in ipairs(KEYS) do
  local guard, value = ARGV[2 * i - 1], ARGV[2 * i]
  if guard ~= '${guards.any}' and redis.call('GETRANGE', key, 0, ${randomNameLength - 1}) ~= guard then
    applied[i] = 0
  elseif value == '${deletion}' then
    redis.call('DEL', key)
    applied[i] = 1
  else
    redis.call('SET', key, value)
    applied[i] = 1
  end
end
return applied`;

/** One write as the script takes it. */
interface ScriptWrite {
  readonly key: string;
  readonly guard: string;
  readonly value: string;
}

export class UpstashStore implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #redis: UpstashClient;
  readonly #requestMsMax: number;
  /** Of the command that is being handed over; the client sends it before anything else runs. */
  #signal: AbortSignal | null = null;

  /** The client is `createUpstashClient`'s, and this store's alone. */
  constructor(redis: UpstashClient, options: UpstashStoreOptions = {}) {
    this.#redis = redis;
    this.#requestMsMax = options.requestMsMax ?? 10_000;
    this.capabilities = {
      name: "upstash",
      binary: false,
      keysPerTripMax: 1_000,
      compareAndSet: true,
      stalenessMsMax: options.stalenessMsMax ?? Infinity,
      keyBytesMax: 2048,
      valueBytesMax: 7 * 2 ** 20,
    };
    redis.use(async (request, next) => {
      const signal = this.#signal;
      if (signal === null) {
        throw new FeatureError(
          "INTERNAL",
          "Cannot use a client of Upstash: it gathers commands, expected enableAutoPipelining: false",
        );
      }
      // A signal as such makes the client answer null once it is aborted, which says "no such key";
      // a function that gives one makes it throw. The type of a request knows the former alone.
      return next({ ...request, signal: (() => signal) as unknown as AbortSignal });
    });
  }

  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    if (options.signal?.aborted === true) throw unavailable("read", options.signal.reason);
    const unique = [...new Set(keys)];
    const trips = splitList(unique, this.capabilities.keysPerTripMax);
    const answers = await Promise.all(trips.map((trip) => this.#readTrip(trip, options)));
    const texts = answers.flat();
    const found = new Map(unique.map((key, i) => [key, texts[i]]));
    return keys.map((key) => readText(found.get(key)));
  }

  async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    refuseWrites(writes, this.capabilities);
    const requests = splitWrites(writes.map(scriptWrite));
    const answers = await Promise.all(requests.map((request) => this.#writeRequest(request)));
    return answers.flat();
  }

  async #readTrip(keys: string[], options: StoreReadOptions): Promise<readonly unknown[]> {
    const answer = await this.#send("read", options, () => this.#redis.mget<unknown[]>(...keys));
    return checkAnswer("read", answer, keys.length);
  }

  async #writeRequest(writes: readonly ScriptWrite[]): Promise<boolean[]> {
    const keys = writes.map(({ key }) => key);
    const values = writes.flatMap(({ guard, value }) => [guard, value]);
    const answer = await this.#send("write", {}, () => this.#redis.eval(writeScript, keys, values));
    return checkAnswer("write", answer, keys.length).map((applied) => applied === 1);
  }

  async #send<T>(
    action: "read" | "write",
    { signal }: StoreReadOptions,
    command: () => Promise<T>,
  ): Promise<T> {
    const timeout = AbortSignal.timeout(this.#requestMsMax);
    this.#signal = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const answer = command();
    this.#signal = null;
    try {
      return await answer;
    } catch (error) {
      throw error instanceof FeatureError ? error : unavailable(action, error);
    }
  }
}

function scriptWrite({ key, bytes, expectedVersion }: StoreWrite): ScriptWrite {
  const value = bytes === null ? deletion : randomName() + encodeBase64(bytes);
  return { key, guard: guardOf(expectedVersion), value };
}

function guardOf(expectedVersion: string | null | undefined): string {
  if (expectedVersion === undefined) return guards.any;
  if (expectedVersion === null) return guards.absent;
  return expectedVersion.length === randomNameLength ? expectedVersion : guards.impossible;
}

function splitWrites(writes: readonly ScriptWrite[]): ScriptWrite[][] {
  const requests: ScriptWrite[][] = [];
  let length = Infinity;
  for (const write of writes) {
    const added = write.key.length + write.value.length;
    const request = requests.at(-1);
    if (
      request !== undefined &&
      request.length < keysPerWriteMax &&
      length + added <= requestLengthMax
    ) {
      request.push(write);
      length += added;
      continue;
    }
    requests.push([write]);
    length = added;
  }
  return requests;
}

function checkAnswer(action: "read" | "write", answer: unknown, count: number): readonly unknown[] {
  if (Array.isArray(answer) && answer.length === count) return answer;
  throw unavailable(action, new Error("Not every key was answered"));
}

/** @throws CorruptRecordError for text that this store did not write. */
function readText(text: unknown): StoredValue | null {
  if (text === null) return null;
  assert(typeof text === "string", "the client leaves text as it is");
  if (text.length < randomNameLength) {
    throw new CorruptRecordError("Cannot read a value: it has no version before it");
  }
  const version = text.slice(0, randomNameLength);
  return { bytes: decodeBase64(text.slice(randomNameLength)), version };
}

/** The client's errors hold the command, and so keys and values: of those the kind alone is kept. */
function unavailable(action: "read" | "write", error: unknown): FeatureError {
  const name = error instanceof Error ? error.name : "Error";
  const word = error instanceof Error ? /^[A-Z]{2,}\b/.exec(error.message)?.[0] : undefined;
  return new FeatureError("STORE_UNAVAILABLE", `Cannot ${action} Upstash: the ${action} failed`, {
    cause: new Error(word === undefined ? name : `${name} ${word}`),
    retryable: true,
  });
}
