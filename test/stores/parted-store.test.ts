import fc from "fast-check";
import { expect, test } from "vitest";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { SqliteStore } from "../../adapters/stores/sqlite-store.ts";
import { PartedStore } from "../../src/store/parted-store.ts";
import { describeStore } from "./describe-store.ts";
import { TinyStore } from "./parted-tiny-store.ts";

describeStore("PartedStore over a store of tiny values", { compareAndSet: true }, () => {
  const closed = openNodeSqlite(":memory:");
  const failing = new PartedStore(new SqliteStore(closed), { randomName: counter() });
  closed.close();
  return Promise.resolve({
    store: new PartedStore(new TinyStore({ valueBytesMax: 64 }), {
      randomName: counter(),
      valueBytesMax: 100_000,
    }),
    failing,
    close: () => Promise.resolve(),
  });
});

test("readMany() takes a second round only where a value is larger than the store takes", async () => {
  const tiny = new TinyStore({ valueBytesMax: 64 });
  const store = new PartedStore(tiny, { randomName: counter(), valueBytesMax: 1_000 });
  const sizes = new Map([
    ["empty", 0],
    ["below", 63],
    ["at", 64],
    ["twice", 128],
    ["past", 129],
  ]);
  for (const [key, size] of sizes) await store.write([{ key, bytes: valueOf(size, 1) }]);
  const kept = (await tiny.keys()).map((key) => key.replace(/#.*#/, "#"));
  expect(kept.sort()).toEqual([
    "at",
    "at#0",
    "below",
    "empty",
    "past",
    "past#0",
    "past#1",
    "past#2",
    "twice",
    "twice#0",
    "twice#1",
  ]);
  tiny.reads.length = 0;
  await store.readMany(["empty", "below", "none"]);
  expect(tiny.reads).toHaveLength(1);
  const read = await store.readMany(["past", "empty", "at", "past"]);
  expect(read.map((value) => value?.bytes.length)).toEqual([129, 0, 64, 129]);
  expect(tiny.reads.slice(1).map((keys) => keys.length)).toEqual([3, 4]);
});

test("write() reads before an unguarded write alone, and leaves no part that no head names", async () => {
  const tiny = new TinyStore({ valueBytesMax: 64 });
  const store = new PartedStore(tiny, { randomName: counter(), valueBytesMax: 1_000 });
  await store.write([{ key: "a", bytes: valueOf(500, 1), expectedVersion: null }]);
  expect(await tiny.keys()).toHaveLength(1 + 8);
  expect(tiny.reads).toHaveLength(0);
  const version = (await store.readMany(["a"]))[0]?.version as string;
  tiny.reads.length = 0;
  expect(await store.write([{ key: "a", bytes: valueOf(300, 2), expectedVersion: null }])).toEqual([
    false,
  ]);
  expect(await tiny.keys()).toHaveLength(1 + 8);
  expect(
    await store.write([{ key: "a", bytes: valueOf(300, 2), expectedVersion: version }]),
  ).toEqual([true]);
  expect(await tiny.keys()).toHaveLength(1 + 5);
  expect(tiny.reads).toHaveLength(0);
  await store.write([{ key: "a", bytes: valueOf(10, 3) }]);
  expect(tiny.reads).toEqual([["a"]]);
  expect(await tiny.keys()).toEqual(["a"]);
  await store.write([{ key: "a", bytes: valueOf(200, 4) }]);
  await store.write([{ key: "a", bytes: null }]);
  expect(await tiny.keys()).toEqual([]);
});

test("readMany() rejects, retryable, where parts are missing for good", async () => {
  const tiny = new TinyStore({ valueBytesMax: 64 });
  const store = new PartedStore(tiny, { randomName: counter(), valueBytesMax: 1_000 });
  await store.write([{ key: "a", bytes: valueOf(200, 1), expectedVersion: null }]);
  const part = (await tiny.keys()).find((key) => key.endsWith("#1")) as string;
  await tiny.write([{ key: part, bytes: null }]);
  await expect(store.readMany(["a"])).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    retryable: true,
  });
  expect(tiny.reads).toHaveLength(20);
});

test("readMany() refuses bytes that no PartedStore wrote", async () => {
  const tiny = new TinyStore({ valueBytesMax: 64 });
  const store = new PartedStore(tiny, { randomName: counter() });
  for (const bytes of [[], [2], [1], [1, 1, 97, 0, 0], [1, 1, 97, 1, 5, 0]]) {
    await tiny.write([{ key: "a", bytes: Uint8Array.from(bytes) }]);
    await expect(store.readMany(["a"])).rejects.toMatchObject({ code: "CORRUPT_RECORD" });
  }
});

interface Step {
  readonly kind: "read" | "put" | "delete";
  readonly key: string;
  readonly sizeBytes: number;
  readonly isGuarded: boolean;
}

interface Client {
  readonly steps: readonly Step[];
  /** The calls to the store below that it makes before it stops for good. */
  readonly callsMax: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("read", "read", "put", "put", "put", "delete"),
  key: fc.constantFrom("a", "b"),
  sizeBytes: fc.constantFrom(8, 20, 40, 60),
  isGuarded: fc.boolean(),
});
const client: fc.Arbitrary<Client> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  callsMax: fc.oneof(fc.constant(Infinity), fc.nat({ max: 8 })),
});

test("readMany() answers whole values that were there, however clients interleave and stop", async () => {
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(client, { minLength: 2, maxLength: 4 }),
    async (scheduler, clients) => {
      const tiny = new TinyStore({ valueBytesMax: 16 });
      const randomName = counter();
      let writes = 0;
      const play = async ({ steps, callsMax }: Client) => {
        let calls = 0;
        const own = new PartedStore(
          {
            capabilities: tiny.capabilities,
            readMany: (keys, options) => whileAlive(() => tiny.readMany(keys, options)),
            write: (batch) => whileAlive(() => tiny.write(batch)),
          },
          { randomName, valueBytesMax: 100 },
        );
        const versions = new Map<string, string | null>();
        for (const { kind, key, sizeBytes, isGuarded } of steps) {
          if (kind === "read") {
            versions.set(key, await checkRead(tiny, own, key));
            continue;
          }
          writes += 1;
          const bytes = kind === "delete" ? null : valueOf(sizeBytes, writes);
          const guard = isGuarded ? { expectedVersion: versions.get(key) ?? null } : {};
          await own.write([{ key, bytes, ...guard }]);
        }

        async function whileAlive<T>(call: () => Promise<T>): Promise<T> {
          calls += 1;
          if (calls > callsMax) throw new Stopped();
          await scheduler.schedule(Promise.resolve(), "call");
          return call();
        }
      };
      const played = Promise.allSettled(clients.map(play));
      await scheduler.waitFor(played);
      for (const outcome of await played) {
        if (outcome.status === "rejected" && !(outcome.reason instanceof Stopped))
          throw outcome.reason;
      }
      for (const key of ["a", "b"]) {
        await checkRead(tiny, new PartedStore(tiny, { randomName }), key);
      }
    },
  );
  // A failure prints the seed and the path to its smallest case.
  await fc.assert(property, { numRuns: 1_000, seed: 20_111 });
});

test("write() by guarded clients that do not stop leaves no part that no head names", async () => {
  const steps = fc.array(
    step.map((each) => ({ ...each, isGuarded: true })),
    { maxLength: 6 },
  );
  const property = fc.asyncProperty(
    fc.scheduler(),
    fc.array(steps, { minLength: 2, maxLength: 3 }),
    async (scheduler, clients) => {
      const turn = (call: string) => scheduler.schedule(Promise.resolve(), call);
      const tiny = new TinyStore({ valueBytesMax: 16, turn });
      const store = new PartedStore(tiny, { randomName: counter(), valueBytesMax: 100 });
      const play = async (own: readonly Step[], first: number) => {
        for (const [i, { kind, key, sizeBytes }] of own.entries()) {
          const [value] = await store.readMany([key]);
          const bytes = kind === "delete" ? null : valueOf(sizeBytes, first * 10 + i);
          await store.write([{ key, bytes, expectedVersion: value?.version ?? null }]);
        }
      };
      const played = Promise.all(clients.map(play));
      await scheduler.waitFor(played);
      const named = await scheduler.waitFor(store.readMany(["a", "b"]));
      const parts = named.map((value) => Number(value?.version?.split("#").at(-1) ?? -1) + 1);
      expect(await tiny.keys()).toHaveLength((parts[0] as number) + (parts[1] as number));
    },
  );
  await fc.assert(property, { numRuns: 500, seed: 20_112 });
});

class Stopped extends Error {}

/** Reads a key, and checks that what it answers was there while it read. */
async function checkRead(tiny: TinyStore, store: PartedStore, key: string): Promise<string | null> {
  const from = tiny.step;
  const [value] = await store.readMany([key]);
  const versions = tiny.versionsBetween(key, from, tiny.step);
  const version = value?.version?.split("#")[0] ?? null;
  expect([...versions]).toContain(version);
  if (value !== null && value !== undefined) {
    expect(value.bytes).toEqual(valueOf(value.bytes.length, value.bytes[0] as number));
  }
  return value?.version ?? null;
}

/** Every byte is of the same write, which the first one names, and has its place. */
function valueOf(sizeBytes: number, write: number): Uint8Array {
  return Uint8Array.from({ length: sizeBytes }, (_, i) => (i === 0 ? write : write * 7 + i) & 255);
}

function counter(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `n${count}`;
  };
}
