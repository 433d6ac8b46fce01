/** Cases of the store contract about what a read answers. */

import {
  everyByte,
  keysOfOneTrip,
  patternOf,
  readBytes,
  skipWithoutLimit,
  writeAll,
} from "./contract-case.ts";
import type { StoreCase } from "./contract-case.ts";
import { expectEqual, expectTrue } from "./expect.ts";

/** Names that a store's own grammar may take for something else. */
const oddNames = ["b", "a", "Z", "é", "日本", "a b|c%2f", "a:b", "{a}", "a}b{c", "%7ba%7d", "%2f"];

export const readCases: readonly StoreCase[] = [
  {
    name: "capabilities are numbers that a planner can count with",
    run({ store }) {
      const { name, keysPerTripMax, stalenessMsMax, keyBytesMax, valueBytesMax } =
        store.capabilities;
      expectTrue("the store has a name", name !== "");
      for (const count of [keysPerTripMax, keyBytesMax, valueBytesMax]) {
        expectTrue("a maximum is one or more", count >= 1 && !Number.isNaN(count));
      }
      expectTrue("staleness is no less than none", stalenessMsMax >= 0);
      return Promise.resolve();
    },
  },
  {
    name: "readMany() gives back every byte from 0x00 to 0xFF",
    async run({ store, key }) {
      const reversed = everyByte.toReversed();
      await writeAll(store, [
        { key: key("a"), bytes: everyByte },
        { key: key("b"), bytes: reversed },
      ]);
      const read = await readBytes(store, [key("a"), key("b")]);
      expectEqual("every byte, up and down", read, [everyByte, reversed]);
    },
  },
  {
    name: "readMany() tells a missing key from an empty value",
    async run({ store, key }) {
      await writeAll(store, [{ key: key("empty"), bytes: new Uint8Array() }]);
      const read = await readBytes(store, [key("missing"), key("empty")]);
      expectEqual("a missing and an empty one", read, [null, new Uint8Array()]);
    },
  },
  {
    name: "readMany() of no keys and write() of nothing answer with nothing",
    async run({ store }) {
      expectEqual("the read of no keys", await store.readMany([]), []);
      expectEqual("the write of nothing", await store.write([]), []);
    },
  },
  {
    name: "readMany() answers in the order asked, and each key as often as asked",
    async run({ store, key }) {
      const writes = oddNames.map((name, i) => ({ key: key(name), bytes: Uint8Array.of(i) }));
      await writeAll(store, writes);
      const asked = ["a", "none", "a", ...oddNames, "none", ...oddNames.toReversed()];
      const expected = asked.map((name) => {
        return oddNames.includes(name) ? Uint8Array.of(oddNames.indexOf(name)) : null;
      });
      expectEqual("values by key", await readBytes(store, asked.map(key)), expected);
    },
  },
  {
    name: "readMany() takes more keys than one trip, each as long as a key may be",
    async run({ store, key }) {
      const trip = keysOfOneTrip(store);
      const keyBytes = Math.min(store.capabilities.keyBytesMax, 400);
      const nameOf = (i: number) => key(`${i}-`).padEnd(keyBytes, "k");
      const written = [...new Set([0, 1, trip - 1, trip, trip + 49])];
      await writeAll(
        store,
        written.map((i) => ({ key: nameOf(i), bytes: Uint8Array.of(i % 251) })),
      );
      const asked = Array.from({ length: trip + 50 }, (_, i) => nameOf(i));
      const read = await readBytes(store, asked);
      const expected = asked.map((_, i) => (written.includes(i) ? Uint8Array.of(i % 251) : null));
      expectEqual("more keys than a trip takes", read, expected);
    },
  },
  {
    name: "readMany() reads several of the largest values at once",
    skip: skipWithoutLimit,
    async run({ store, key }) {
      const bytes = patternOf(store.capabilities.valueBytesMax);
      for (const name of ["a", "b"]) await writeAll(store, [{ key: key(name), bytes }]);
      const read = await readBytes(store, [key("a"), key("none"), key("b")]);
      expectEqual("the largest values", read, [bytes, null, bytes]);
    },
  },
  {
    name: "readMany() beside writes of its keys answers each value whole",
    async run({ store, key }) {
      const sizeBytes = Math.min(3_000_000, store.capabilities.valueBytesMax);
      const write = (round: number) =>
        writeAll(store, [{ key: key("a"), bytes: new Uint8Array(sizeBytes - round).fill(round) }]);
      await write(0);
      for (let round = 1; round < 8; round++) {
        const reads = Promise.all([1, 2, 3].map(() => readBytes(store, [key("a")])));
        const [values] = await Promise.all([reads, write(round)]);
        for (const value of values.flat()) {
          const first = value?.[0] ?? -1;
          expectTrue("a value that was written", round - 1 <= first && first <= round);
          expectEqual("a value", value, new Uint8Array(sizeBytes - first).fill(first));
        }
      }
    },
  },
];
