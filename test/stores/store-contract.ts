/** The contract of an online store as a table of cases, run against every implementation. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import type { OnlineStore, StoreWrite, StoredValue } from "../../src/store/online-store.ts";

export interface StoreUnderTest {
  readonly store: OnlineStore;
  /** The same kind of store, failing for real; null, with the reason, where it cannot. */
  readonly failing: OnlineStore | string;
  close(): Promise<void>;
}

interface StoreCase {
  readonly name: string;
  /** Left out: for every store. */
  readonly compareAndSet?: boolean;
  run(context: CaseContext): Promise<void>;
}

interface CaseContext extends StoreUnderTest {
  /** A key that no other case has. */
  key(name: string): string;
}

/** Runs every case; those for stores of another kind are skipped, and say so. */
export function describeStore(
  name: string,
  kind: { readonly compareAndSet: boolean },
  open: () => Promise<StoreUnderTest>,
): void {
  describe(name, () => {
    let opened: StoreUnderTest | null = null;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    test("says truly whether it has compare-and-set", () => {
      expect(opened?.store.capabilities.compareAndSet).toBe(kind.compareAndSet);
    });
    cases.forEach((storeCase, i) => {
      const { compareAndSet = kind.compareAndSet } = storeCase;
      if (compareAndSet !== kind.compareAndSet) {
        const reason = kind.compareAndSet ? "the store has" : "the store has no";
        test.skip(`${storeCase.name} (skipped: ${reason} compare-and-set)`);
        return;
      }
      test(storeCase.name, { timeout: 60_000 }, async (context) => {
        const under = opened as StoreUnderTest;
        const key = (text: string) => `case-${i}/${text}`;
        if (storeCase === failingCase && typeof under.failing === "string") {
          context.skip(under.failing);
        }
        await storeCase.run({ ...under, key });
      });
    });
  });
}

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

const failingCase: StoreCase = {
  name: "a store that fails rejects with a code, and names no key and no value",
  run: async ({ failing, key }) => {
    const store = failing as OnlineStore;
    // As long as a key may be and one more: no platform may take it.
    const secretKey = key("secret").padEnd(store.capabilities.keyBytesMax + 1, "k");
    const secret = new TextEncoder().encode("a secret value");
    for (const call of [
      () => store.readMany([secretKey]),
      () => store.write([{ key: secretKey, bytes: secret }]),
    ]) {
      const error = await errorOf(call);
      expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
      expect(String(error)).not.toMatch(/secret|kkk|ZYW|YSBz/);
    }
  },
};

const cases: readonly StoreCase[] = [
  {
    name: "readMany() gives back every byte from 0x00 to 0xFF",
    run: async ({ store, key }) => {
      const reversed = everyByte.toReversed();
      await writeAll(store, [
        { key: key("a"), bytes: everyByte },
        { key: key("b"), bytes: reversed },
      ]);
      expect(await readBytes(store, [key("a"), key("b")])).toEqual([everyByte, reversed]);
    },
  },
  {
    name: "readMany() tells a missing key from an empty value",
    run: async ({ store, key }) => {
      await writeAll(store, [{ key: key("empty"), bytes: new Uint8Array() }]);
      const read = await readBytes(store, [key("missing"), key("empty")]);
      expect(read).toEqual([null, new Uint8Array()]);
    },
  },
  {
    name: "readMany() of no keys and write() of nothing answer with nothing",
    run: async ({ store }) => {
      expect(await store.readMany([])).toEqual([]);
      expect(await store.write([])).toEqual([]);
    },
  },
  {
    name: "readMany() answers in the order asked, and each key as often as asked",
    run: async ({ store, key }) => {
      const names = ["b", "a", "Z", "é", "日本", "a b|c%2f"];
      await writeAll(
        store,
        names.map((name, i) => ({ key: key(name), bytes: Uint8Array.of(i) })),
      );
      const asked = ["a", "é", "none", "a", "Z", "日本", "b", "a b|c%2f", "none", "b"];
      const expected = asked.map((name) => {
        return names.includes(name) ? Uint8Array.of(names.indexOf(name)) : null;
      });
      expect(await readBytes(store, asked.map(key))).toEqual(expected);
    },
  },
  {
    name: "write() of null deletes a key, whatever its size, and a missing one as well",
    run: async ({ store, key }) => {
      const large = new Uint8Array(Math.min(4_000_000, store.capabilities.valueBytesMax));
      await writeAll(store, [
        { key: key("gone"), bytes: large.fill(7) },
        { key: key("stays"), bytes: everyByte },
      ]);
      const keys = [key("gone"), key("never"), key("stays")];
      for (let round = 0; round < 2; round++) {
        await writeAll(store, [
          { key: key("gone"), bytes: null },
          { key: key("never"), bytes: null },
        ]);
        expect(await readBytes(store, keys)).toEqual([null, null, everyByte]);
      }
      await writeAll(store, [{ key: key("gone"), bytes: Uint8Array.of(1) }]);
      expect(await readBytes(store, keys)).toEqual([Uint8Array.of(1), null, everyByte]);
    },
  },
  {
    name: "readMany() takes more keys than one trip, each as long as a key may be",
    run: async ({ store, key }) => {
      const { keysPerTripMax, keyBytesMax } = store.capabilities;
      const keyBytes = Math.min(keyBytesMax, 400);
      const nameOf = (i: number) => key(`${i}-`).padEnd(keyBytes, "k");
      const written = [0, 1, keysPerTripMax - 1, keysPerTripMax, keysPerTripMax + 49];
      await writeAll(
        store,
        written.map((i) => ({ key: nameOf(i), bytes: Uint8Array.of(i % 251) })),
      );
      const asked = Array.from({ length: keysPerTripMax + 50 }, (_, i) => nameOf(i));
      const read = await readBytes(store, asked);
      expect(read).toHaveLength(asked.length);
      const found = read.flatMap((bytes, i) => (bytes === null ? [] : [[i, bytes[0]]]));
      expect(found).toEqual(written.map((i) => [i, i % 251]));
    },
  },
  {
    name: "write() keeps a value under the longest key",
    run: async ({ store, key }) => {
      const longest = key("").padEnd(store.capabilities.keyBytesMax, "k");
      await writeAll(store, [{ key: longest, bytes: everyByte }]);
      expect(await readBytes(store, [longest])).toEqual([everyByte]);
    },
  },
  {
    name: "write() keeps values of many sizes up to the largest, each after the other",
    run: async ({ store, key }) => {
      const { valueBytesMax } = store.capabilities;
      expect(valueBytesMax).toBeGreaterThan(2_000_000);
      for (const size of [1, 1_499_999, 1_500_000, 1_500_001, 3_000_001, valueBytesMax, 7, 0]) {
        const bytes = patternOf(size);
        await writeAll(store, [{ key: key("sized"), bytes }]);
        const [read] = await readBytes(store, [key("sized")]);
        expect(read?.length).toBe(size);
        expect(Buffer.compare(read as Uint8Array, bytes)).toBe(0);
      }
    },
  },
  {
    name: "readMany() reads several of the largest values at once",
    run: async ({ store, key }) => {
      const bytes = patternOf(store.capabilities.valueBytesMax);
      for (const name of ["a", "b"]) await writeAll(store, [{ key: key(name), bytes }]);
      for (const value of await readBytes(store, [key("a"), key("none"), key("b")])) {
        expect(value === null || Buffer.compare(value, bytes) === 0).toBe(true);
      }
    },
  },
  {
    name: "write() refuses a value past the limit, and writes nothing of its call",
    run: async ({ store, key }) => {
      await writeAll(store, [{ key: key("old"), bytes: everyByte }]);
      const bytes = patternOf(store.capabilities.valueBytesMax + 1);
      const error = await errorOf(() =>
        store.write([
          { key: key("before"), bytes: everyByte },
          { key: key("old"), bytes },
          { key: key("after"), bytes: everyByte },
        ]),
      );
      expect(error).toMatchObject({ code: "TOO_LARGE", retryable: false });
      expect(String(error)).not.toContain(key("old"));
      const read = await readBytes(store, [key("before"), key("old"), key("after")]);
      expect(read).toEqual([null, everyByte, null]);
    },
  },
  {
    name: "write() keeps what was written, whatever becomes of the arrays",
    run: async ({ store, key }) => {
      const bytes = everyByte.slice();
      await writeAll(store, [{ key: key("a"), bytes }]);
      bytes.fill(9);
      const [first] = await readBytes(store, [key("a")]);
      expect(first).toEqual(everyByte);
      first?.fill(9);
      expect(await readBytes(store, [key("a")])).toEqual([everyByte]);
    },
  },
  {
    name: "write() refuses two writes of one key, and writes neither",
    run: async ({ store, key }) => {
      const twice = ["a", "b", "a"].map((name) => ({ key: key(name), bytes: everyByte }));
      const error = await errorOf(() => store.write(twice));
      expect(String(error)).toContain("each key is written once a call");
      expect(String(error)).not.toContain(key("a"));
      expect(await store.readMany([key("a"), key("b")])).toEqual([null, null]);
    },
  },
  {
    name: "readMany() rejects once its signal is aborted, also for keys that do not exist",
    run: async ({ store, key }) => {
      const signal = AbortSignal.abort();
      await writeAll(store, [{ key: key("a"), bytes: everyByte }]);
      for (const keys of [[key("a")], [key("missing")], []]) {
        const error = await errorOf(() => store.readMany(keys, { signal }));
        expect(error).toMatchObject({ code: "STORE_UNAVAILABLE" });
      }
      const live = { signal: new AbortController().signal };
      expect(await readBytes(store, [key("a")], live)).toEqual([everyByte]);
    },
  },
  failingCase,
  {
    name: "write() refuses a guard, and writes nothing of its call",
    compareAndSet: false,
    run: async ({ store, key }) => {
      await writeAll(store, [{ key: key("old"), bytes: everyByte }]);
      for (const expectedVersion of [null, "1"]) {
        const error = await errorOf(() =>
          store.write([
            { key: key("new"), bytes: everyByte },
            { key: key("old"), bytes: new Uint8Array(), expectedVersion },
          ]),
        );
        expect(error).toBeInstanceOf(FeatureError);
        expect(String(error)).not.toContain(key("old"));
      }
      expect(await readBytes(store, [key("new"), key("old")])).toEqual([null, everyByte]);
      expect((await store.readMany([key("old")]))[0]?.version).toBe(null);
    },
  },
  {
    name: "write() guarded by null writes only a key that does not exist",
    compareAndSet: true,
    run: async ({ store, key }) => {
      const guarded = (value: number) => ({
        key: key("a"),
        bytes: Uint8Array.of(value),
        expectedVersion: null,
      });
      expect(await store.write([guarded(1)])).toEqual([true]);
      expect(await store.write([guarded(2)])).toEqual([false]);
      expect(await readBytes(store, [key("a")])).toEqual([Uint8Array.of(1)]);
    },
  },
  {
    name: "write() guarded by a version writes only over that version",
    compareAndSet: true,
    run: async ({ store, key }) => {
      const write = (value: number, expectedVersion: string) =>
        store.write([{ key: key("a"), bytes: Uint8Array.of(value), expectedVersion }]);
      expect(await write(0, "1")).toEqual([false]);
      await writeAll(store, [{ key: key("a"), bytes: Uint8Array.of(1) }]);
      const first = await versionOf(store, key("a"));
      expect(await write(2, first)).toEqual([true]);
      const second = await versionOf(store, key("a"));
      expect(second).not.toBe(first);
      expect(await write(3, first)).toEqual([false]);
      expect(await write(3, "")).toEqual([false]);
      await writeAll(store, [{ key: key("a"), bytes: Uint8Array.of(4) }]);
      expect(await write(5, second)).toEqual([false]);
      expect(await readBytes(store, [key("a")])).toEqual([Uint8Array.of(4)]);
      expect(await write(6, await versionOf(store, key("a")))).toEqual([true]);
    },
  },
  {
    name: "write() gives a key a new version also when its bytes are the same, or larger parts",
    compareAndSet: true,
    run: async ({ store, key }) => {
      const versions = new Set<string>();
      for (const size of [3, 3, 4_000_000, 3, 3_000_000, 0]) {
        await writeAll(store, [{ key: key("a"), bytes: patternOf(size) }]);
        versions.add(await versionOf(store, key("a")));
      }
      expect(versions.size).toBe(6);
    },
  },
  {
    name: "write() of null is guarded too, and no version comes back after it",
    compareAndSet: true,
    run: async ({ store, key }) => {
      const write = (bytes: Uint8Array | null, expectedVersion?: string | null) =>
        store.write([
          expectedVersion === undefined
            ? { key: key("a"), bytes }
            : { key: key("a"), bytes, expectedVersion },
        ]);
      const versions = new Set<string>();
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 3; i++) {
          await write(Uint8Array.of(round, i));
          const version = (await store.readMany([key("a")]))[0]?.version ?? "";
          expect(versions).not.toContain(version);
          expect(await write(null, [...versions].at(-1) ?? "none")).toEqual([false]);
          expect(await write(null, null)).toEqual([false]);
          versions.add(version);
        }
        expect(await write(null, [...versions].at(-1) ?? "")).toEqual([true]);
        expect(await store.readMany([key("a")])).toEqual([null]);
        expect(await write(Uint8Array.of(9), [...versions].at(-1) ?? "")).toEqual([false]);
      }
    },
  },
  {
    name: "write() answers for each write of a call by itself",
    compareAndSet: true,
    run: async ({ store, key }) => {
      await writeAll(store, [{ key: key("there"), bytes: Uint8Array.of(1) }]);
      const write = (name: string, guard: object) => {
        return { key: key(name), bytes: Uint8Array.of(2), ...guard };
      };
      const answers = await store.write([
        write("new", { expectedVersion: null }),
        write("there", { expectedVersion: null }),
        write("absent", { expectedVersion: "1" }),
        write("plain", {}),
      ]);
      expect(answers).toEqual([true, false, false, true]);
      const keys = ["new", "there", "absent", "plain"].map(key);
      const written = Uint8Array.of(2);
      expect(await readBytes(store, keys)).toEqual([written, Uint8Array.of(1), null, written]);
    },
  },
  {
    name: "write() lets exactly one of many guarded writers win, round after round",
    compareAndSet: true,
    run: async ({ store, key }) => {
      for (let round = 0; round < 10; round++) {
        const [before] = await store.readMany([key("raced")]);
        const expectedVersion = before?.version ?? null;
        const raced = Array.from({ length: 8 }, (_, writer) =>
          store.write([
            { key: key("raced"), bytes: Uint8Array.of(round, writer), expectedVersion },
          ]),
        );
        const applied = (await Promise.all(raced)).map(([answer]) => answer);
        expect(applied.filter((answer) => answer === true)).toHaveLength(1);
        const [after] = await readBytes(store, [key("raced")]);
        expect(after).toEqual(Uint8Array.of(round, applied.indexOf(true)));
      }
    },
  },
];

/** Bytes without a short period, so that parts in another order are other bytes. */
function patternOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 255;
  return bytes;
}

async function writeAll(store: OnlineStore, writes: readonly StoreWrite[]): Promise<void> {
  expect(await store.write(writes)).toEqual(writes.map(() => true));
}

async function readBytes(
  store: OnlineStore,
  keys: readonly string[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<(Uint8Array | null)[]> {
  const read = await store.readMany(keys, options);
  // A view of a larger buffer equals no other: compare plain copies.
  return read.map((value) => (value === null ? null : Uint8Array.from(value.bytes)));
}

async function versionOf(store: OnlineStore, key: string): Promise<string> {
  const [value] = await store.readMany([key]);
  return (value as StoredValue).version as string;
}

/** What a call rejects with, or throws at once. */
async function errorOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("The call succeeded, an error was expected");
}
