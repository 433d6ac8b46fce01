import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { storeContract, storeContractNames } from "../../src/store/contract/store-contract.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";

type Values = readonly (StoredValue | null)[];

/** Small limits, that the cases at the limits cost little. */
class SmallStore extends MemoryStore {
  override readonly capabilities: StoreCapabilities = {
    ...new MemoryStore().capabilities,
    keysPerTripMax: 100,
    valueBytesMax: 10_000,
  };
}

/** A store in memory that rejects every call, as one whose host is away. */
class AwayStore extends SmallStore {
  override readMany(): Promise<Values> {
    return Promise.reject(this.failureOf("the host is away"));
  }

  override write(): Promise<readonly boolean[]> {
    return Promise.reject(this.failureOf("the host is away"));
  }

  protected failureOf(text: string, cause?: unknown): FeatureError {
    return new FeatureError("STORE_UNAVAILABLE", text, { retryable: true, cause });
  }
}

/** Changes what a store in memory answers to a read. */
function storeThatReads(change: (values: Values, keys: readonly string[]) => Values): OnlineStore {
  return new (class extends SmallStore {
    override async readMany(keys: readonly string[], options?: StoreReadOptions) {
      return change(await super.readMany(keys, options), keys);
    }
  })();
}

/** Changes what a store in memory is given to write. */
function storeThatWrites(change: (write: StoreWrite) => StoreWrite) {
  return new (class extends SmallStore {
    override write(writes: readonly StoreWrite[]) {
      return super.write(writes.map((write) => change(write)));
    }
  })();
}

function withoutGuard({ key, bytes }: StoreWrite): StoreWrite {
  return { key, bytes };
}

/** Looks at the guard and writes in two steps, so that another writer may come between. */
class UnguardedStore extends SmallStore {
  override async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    const current = await this.readMany(writes.map(({ key }) => key));
    const passes = writes.map(({ expectedVersion }, i) => {
      return expectedVersion === undefined || expectedVersion === (current[i]?.version ?? null);
    });
    await super.write(writes.filter((_, i) => passes[i]).map(withoutGuard));
    return passes;
  }
}

/** Counts each key's versions from 1, also after a delete. */
class RecountingStore extends SmallStore {
  readonly #counts = new Map<string, number>();

  override async readMany(keys: readonly string[], options?: StoreReadOptions): Promise<Values> {
    const values = await super.readMany(keys, options);
    return values.map((value, i) => value && { ...value, version: this.#version(keys[i]) });
  }

  override async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    const answers: boolean[] = [];
    for (const { expectedVersion, ...write } of writes) {
      const known = this.#counts.get(write.key) ?? 0;
      const version = known === 0 ? null : String(known);
      const applies = expectedVersion === undefined || expectedVersion === version;
      answers.push(applies);
      if (!applies) continue;
      await super.write([write]);
      this.#counts.set(write.key, write.bytes === null ? 0 : known + 1);
    }
    return answers;
  }

  #version(key = ""): string {
    return String(this.#counts.get(key));
  }
}

class NullOnFailureStore extends AwayStore {
  override readMany(keys: readonly string[] = []): Promise<Values> {
    return Promise.resolve(keys.map(() => null));
  }
}

/** Answers the trips that did not fail, and calls the rest missing. */
class PartialStore extends AwayStore {
  override readMany(keys: readonly string[] = []): Promise<Values> {
    if (keys.length === 1) return super.readMany();
    return Promise.resolve(keys.map(() => null));
  }
}

class TalkativeStore extends AwayStore {
  override readMany(keys: readonly string[] = []): Promise<Values> {
    return Promise.reject(this.failureOf("cannot read", new Error(`GET ${keys.join()}`)));
  }
}

class FatalStore extends AwayStore {
  override readMany(): Promise<Values> {
    return Promise.reject(new TypeError("fetch failed"));
  }
}

class UnstoppableStore extends SmallStore {
  override readMany(keys: readonly string[]): Promise<Values> {
    return super.readMany(keys);
  }
}

/** Gives up where it is called off, and takes what it has not read for missing. */
class HastyStore extends SmallStore {
  override async readMany(keys: readonly string[], options?: StoreReadOptions): Promise<Values> {
    const values = await super.readMany(keys, options);
    return options?.signal?.aborted === true ? keys.map(() => null) : values;
  }
}

/** Takes more than it says. */
class LooseStore extends SmallStore {
  readonly #values = new MemoryStore();

  override readMany(keys: readonly string[], options?: StoreReadOptions): Promise<Values> {
    return this.#values.readMany(keys, options);
  }

  override write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    return this.#values.write(writes);
  }
}

const away = new AwayStore();
const first = "readMany() gives back every byte from 0x00 to 0xFF";

test("storeContract() passes a store that keeps it", async () => {
  expect(await listFailures(new SmallStore(), away)).toEqual([]);
});

const broken: readonly [what: string, open: () => OnlineStore, caughtBy: string][] = [
  [
    "loses bytes 0x00",
    () =>
      storeThatWrites((write) => ({
        ...write,
        bytes: write.bytes && write.bytes.filter((byte) => byte !== 0),
      })),
    first,
  ],
  [
    "keeps text",
    () =>
      storeThatReads((values) =>
        values.map((value) => {
          if (value === null) return null;
          const text = new TextDecoder().decode(value.bytes);
          return { ...value, bytes: new TextEncoder().encode(text) };
        }),
      ),
    first,
  ],
  [
    "takes an empty value for a missing key",
    () => storeThatReads((values) => values.map((value) => (value?.bytes.length ? value : null))),
    "readMany() tells a missing key from an empty value",
  ],
  [
    "answers each key once",
    () =>
      storeThatReads((values, keys) => values.filter((_, i) => keys.indexOf(keys[i] ?? "") === i)),
    "readMany() answers in the order asked, and each key as often as asked",
  ],
  [
    "reads one trip and no more",
    () => storeThatReads((values) => values.map((value, i) => (i < 100 ? value : null))),
    "readMany() takes more keys than one trip, each as long as a key may be",
  ],
  [
    "looks at no guard",
    () => storeThatWrites(withoutGuard),
    "write() guarded by null writes only a key that does not exist",
  ],
  [
    "looks at guards too early",
    () => new UnguardedStore(),
    "write() lets exactly one of two guarded writers win, round after round",
  ],
  [
    "counts versions again after a delete",
    () => new RecountingStore(),
    "write() of null is guarded too, and no version comes back after it",
  ],
  [
    "ignores a signal",
    () => new UnstoppableStore(),
    "readMany() rejects once its signal is aborted, also for keys that do not exist",
  ],
  [
    "calls keys missing when called off",
    () => new HastyStore(),
    "readMany() called off under way rejects, or answers what is there",
  ],
  [
    "keeps no limit",
    () => new LooseStore(),
    "write() refuses a value past the limit, and writes nothing of its call",
  ],
];

test.each(broken)("storeContract() catches a store that %s", async (_what, open, caughtBy) => {
  expect(await listFailures(open(), away)).toContain(caughtBy);
});

const badlyFailing: readonly [what: string, open: () => OnlineStore, caughtBy: string][] = [
  [
    "calls keys missing when it fails",
    () => new NullOnFailureStore(),
    "a store that fails rejects with a code, and names no key and no value",
  ],
  [
    "calls keys missing where one trip of many fails",
    () => new PartialStore(),
    "a store that fails for the last of many keys rejects, and answers no missing key",
  ],
  [
    "names keys in the cause of an error",
    () => new TalkativeStore(),
    "a store that fails rejects with a code, and names no key and no value",
  ],
  [
    "lets errors of its host out",
    () => new FatalStore(),
    "a store that fails rejects with a code, and names no key and no value",
  ],
];

test.each(badlyFailing)(
  "storeContract() catches a store that %s",
  async (_what, open, caughtBy) => {
    expect(await listFailures(new SmallStore(), open())).toContain(caughtBy);
  },
);

test("storeContract() says what was expected and what was met", async () => {
  const cases = storeContract({ store: storeThatReads(() => []), failing: away });
  const run = cases.find(({ name }) => name === first)?.run;
  await expect(run?.()).rejects.toThrow(
    "every byte, up and down: expected [256 bytes <0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …>, 256 bytes",
  );
});

test("storeContract() leaves cases out with a reason, and names them all", () => {
  const store = new SmallStore();
  const unguarded: OnlineStore = {
    capabilities: { ...store.capabilities, compareAndSet: false, valueBytesMax: Infinity },
    readMany: (keys) => store.readMany(keys),
    write: (writes) => store.write(writes),
  };
  const cases = storeContract({ store: unguarded, failing: "it cannot fail" });
  expect(cases.map(({ name }) => name)).toEqual(storeContractNames);
  expect(new Set(storeContractNames).size).toBe(storeContractNames.length);
  const reasons = new Set(cases.map(({ skip }) => skip));
  expect(reasons).toEqual(
    new Set([
      null,
      "values past 67108864 bytes are not tried",
      "the store has no compare-and-set",
      "it cannot fail",
    ]),
  );
});

test("storeContract() runs twice against one store under two prefixes", async () => {
  const store = new SmallStore();
  for (const keyPrefix of ["one/", "two/"]) {
    expect(await listFailures(store, away, keyPrefix)).toEqual([]);
  }
});

/** The names of the cases that a store does not pass. */
async function listFailures(store: OnlineStore, failing: OnlineStore, keyPrefix = "") {
  const failures: string[] = [];
  for (const { name, skip, run } of storeContract({ store, failing, keyPrefix })) {
    if (skip !== null) continue;
    await run().catch((error: unknown) => {
      expect(error).toBeInstanceOf(Error);
      failures.push(name);
    });
  }
  return failures;
}
