/** Cases of the store contract about guarded writes: compare-and-set, or its refusal. */

import type { OnlineStore, StoreWrite } from "../online-store.ts";
import { everyByte, patternOf, readBytes, versionOf, writeAll } from "./contract-case.ts";
import type { CaseContext, CaseStores, StoreCase } from "./contract-case.ts";
import { expectDifferent, expectEqual, expectError, expectTrue } from "./expect.ts";

export const guardCases: readonly StoreCase[] = [
  {
    name: "write() refuses a guard, and writes nothing of its call",
    skip: ({ store }) =>
      store.capabilities.compareAndSet ? "the store has compare-and-set" : null,
    async run({ store, key }) {
      await writeAll(store, [{ key: key("old"), bytes: everyByte }]);
      for (const expectedVersion of [null, "1"]) {
        const write = () =>
          store.write([
            { key: key("new"), bytes: everyByte },
            { key: key("old"), bytes: new Uint8Array(), expectedVersion },
          ]);
        await expectError("a guard", write, { retryable: false, secrets: [key("")] });
      }
      const read = await readBytes(store, [key("new"), key("old")]);
      expectEqual("after a refused call", read, [null, everyByte]);
      const [value] = await store.readMany([key("old")]);
      expectEqual("the version", value?.version, null);
    },
  },
  {
    name: "write() guarded by null writes only a key that does not exist",
    skip: skipWithoutGuard,
    async run({ store, key }) {
      const guarded = (value: number) =>
        store.write([{ key: key("a"), bytes: Uint8Array.of(value), expectedVersion: null }]);
      expectEqual("the first", await guarded(1), [true]);
      expectEqual("the second", await guarded(2), [false]);
      expectEqual("the value", await readBytes(store, [key("a")]), [Uint8Array.of(1)]);
    },
  },
  {
    name: "write() guarded by a version writes only over that version",
    skip: skipWithoutGuard,
    run: writeOverVersions,
  },
  {
    name: "write() gives a key a new version also when its bytes are the same, or larger parts",
    skip: skipWithoutGuard,
    async run({ store, key }) {
      const versions = new Set<string>();
      const { valueBytesMax } = store.capabilities;
      for (const size of [3, 3, 4_000_000, 3, 3_000_000, 0]) {
        await writeAll(store, [{ key: key("a"), bytes: patternOf(Math.min(size, valueBytesMax)) }]);
        versions.add(await versionOf(store, key("a")));
      }
      expectEqual("versions of six writes", versions.size, 6);
    },
  },
  {
    name: "write() of null is guarded too, and no version comes back after it",
    skip: skipWithoutGuard,
    run: deleteVersions,
  },
  {
    name: "write() answers for each write of a call by itself",
    skip: skipWithoutGuard,
    async run({ store, key }) {
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
      expectEqual("which were applied", answers, [true, false, false, true]);
      const read = await readBytes(store, ["new", "there", "absent", "plain"].map(key));
      const written = Uint8Array.of(2);
      expectEqual("the values", read, [written, Uint8Array.of(1), null, written]);
    },
  },
  {
    name: "write() guarded by versions in any order lets none but the last read one win",
    skip: skipWithoutGuard,
    async run({ store, key }) {
      const versions: string[] = [];
      for (let i = 0; i < 5; i++) {
        await writeAll(store, [{ key: key("a"), bytes: Uint8Array.of(i) }]);
        versions.push(await versionOf(store, key("a")));
      }
      for (const i of [3, 0, 2, 4, 1, 4]) {
        const expectedVersion = versions[i] as string;
        const write = { key: key("a"), bytes: Uint8Array.of(9, i), expectedVersion };
        const isFirst = i === 4 && versions.length === 5;
        expectEqual(`over version ${i}`, await store.write([write]), [isFirst]);
        if (isFirst) versions.push("won");
      }
      expectEqual("the value", await readBytes(store, [key("a")]), [Uint8Array.of(9, 4)]);
    },
  },
  {
    name: "write() lets exactly one of two guarded writers win, round after round",
    skip: skipWithoutGuard,
    run: (context) => race(context, { rounds: 50, writers: 2 }),
  },
  {
    name: "write() lets exactly one of many guarded writers win, round after round",
    skip: skipWithoutGuard,
    run: (context) => race(context, { rounds: 10, writers: 8 }),
  },
];

function skipWithoutGuard({ store }: CaseStores): string | null {
  return store.capabilities.compareAndSet ? null : "the store has no compare-and-set";
}

async function writeOverVersions({ store, key }: CaseContext): Promise<void> {
  const write = (value: number, expectedVersion: string) =>
    store.write([{ key: key("a"), bytes: Uint8Array.of(value), expectedVersion }]);
  expectEqual("over a version of a missing key", await write(0, "1"), [false]);
  await writeAll(store, [{ key: key("a"), bytes: Uint8Array.of(1) }]);
  const first = await versionOf(store, key("a"));
  expectEqual("over the first version", await write(2, first), [true]);
  const second = await versionOf(store, key("a"));
  expectDifferent("the second version", second, first);
  expectEqual("over the first version again", await write(3, first), [false]);
  expectEqual("over an empty version", await write(3, ""), [false]);
  await writeAll(store, [{ key: key("a"), bytes: Uint8Array.of(4) }]);
  expectEqual("over the second, since replaced", await write(5, second), [false]);
  expectEqual("the value", await readBytes(store, [key("a")]), [Uint8Array.of(4)]);
  expectEqual("over the last", await write(6, await versionOf(store, key("a"))), [true]);
}

async function deleteVersions({ store, key }: CaseContext): Promise<void> {
  const versions = new Set<string>();
  let last = "none";
  const writeOne = (bytes: Uint8Array | null, guard: Pick<StoreWrite, "expectedVersion"> = {}) =>
    store.write([{ key: key("a"), bytes, ...guard }]);
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 3; i++) {
      await writeOne(Uint8Array.of(round, i));
      const version = await versionOf(store, key("a"));
      expectTrue("a version is new", !versions.has(version));
      const overLast = await writeOne(null, { expectedVersion: last });
      expectEqual("a delete of the version before", overLast, [false]);
      const overNone = await writeOne(null, { expectedVersion: null });
      expectEqual("a delete of none, of a key that exists", overNone, [false]);
      versions.add(version);
      last = version;
    }
    expectEqual("a delete", await writeOne(null, { expectedVersion: last }), [true]);
    expectEqual("what was deleted", await store.readMany([key("a")]), [null]);
    const again = await writeOne(Uint8Array.of(9), { expectedVersion: last });
    expectEqual("a write over what was deleted", again, [false]);
  }
}

async function race(
  { store, key }: CaseContext,
  { rounds, writers }: { readonly rounds: number; readonly writers: number },
): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const expectedVersion = await versionOrNull(store, key("raced"));
    const raced = Array.from({ length: writers }, (_, writer) =>
      store.write([{ key: key("raced"), bytes: Uint8Array.of(round, writer), expectedVersion }]),
    );
    const applied = (await Promise.all(raced)).map(([answer]) => answer);
    const wins = applied.filter((answer) => answer === true).length;
    expectEqual(`winners of round ${round}`, wins, 1);
    const read = await readBytes(store, [key("raced")]);
    const winner = Uint8Array.of(round, applied.indexOf(true));
    expectEqual(`the value of round ${round}`, read, [winner]);
  }
}

async function versionOrNull(store: OnlineStore, key: string): Promise<string | null> {
  const [value] = await store.readMany([key]);
  return value?.version ?? null;
}
