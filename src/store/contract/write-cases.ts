/** Cases of the store contract about what a write keeps, replaces and refuses. */

import { everyByte, patternOf, readBytes, skipWithoutLimit, writeAll } from "./contract-case.ts";
import type { StoreCase } from "./contract-case.ts";
import { expectEqual, expectError } from "./expect.ts";

/** Around the sizes at which stores are known to part a value. */
const partedSizes = [1, 65_536, 65_537, 400_001, 1_499_999, 1_500_000, 1_500_001, 3_000_001];

export const writeCases: readonly StoreCase[] = [
  {
    name: "write() of null deletes a key, whatever its size, and a missing one as well",
    async run({ store, key }) {
      const large = patternOf(Math.min(4_000_000, store.capabilities.valueBytesMax));
      await writeAll(store, [
        { key: key("gone"), bytes: large },
        { key: key("stays"), bytes: everyByte },
      ]);
      const keys = [key("gone"), key("never"), key("stays")];
      for (let round = 0; round < 2; round++) {
        await writeAll(store, [
          { key: key("gone"), bytes: null },
          { key: key("never"), bytes: null },
        ]);
        expectEqual("after a delete", await readBytes(store, keys), [null, null, everyByte]);
      }
      await writeAll(store, [{ key: key("gone"), bytes: Uint8Array.of(1) }]);
      const read = await readBytes(store, keys);
      expectEqual("written again", read, [Uint8Array.of(1), null, everyByte]);
    },
  },
  {
    name: "write() keeps a value under the longest key",
    async run({ store, key }) {
      const longest = key("").padEnd(store.capabilities.keyBytesMax, "k");
      const shorter = longest.slice(0, -1);
      await writeAll(store, [{ key: longest, bytes: everyByte }]);
      const read = await readBytes(store, [longest, shorter]);
      expectEqual("the longest key and a shorter one", read, [everyByte, null]);
    },
  },
  {
    name: "write() keeps values of many sizes, each after the other",
    async run({ store, key }) {
      const { valueBytesMax } = store.capabilities;
      // The largest are read by a case of their own.
      const sizes = partedSizes.filter((size) => size < valueBytesMax);
      for (const size of [...sizes, 7, 0]) {
        const bytes = patternOf(size);
        await writeAll(store, [{ key: key("sized"), bytes }]);
        const read = await readBytes(store, [key("sized")]);
        expectEqual(`a value of ${size} bytes`, read, [bytes]);
      }
    },
  },
  {
    name: "write() refuses a value past the limit, and writes nothing of its call",
    skip: skipWithoutLimit,
    async run({ store, key }) {
      await writeAll(store, [{ key: key("old"), bytes: everyByte }]);
      const bytes = patternOf(store.capabilities.valueBytesMax + 1);
      const write = () =>
        store.write([
          { key: key("before"), bytes: everyByte },
          { key: key("old"), bytes },
          { key: key("after"), bytes: everyByte },
        ]);
      const error = { code: "TOO_LARGE", retryable: false, secrets: [key("")] } as const;
      await expectError("a value that is too large", write, error);
      const read = await readBytes(store, [key("before"), key("old"), key("after")]);
      expectEqual("after a refused call", read, [null, everyByte, null]);
    },
  },
  {
    name: "write() keeps what was written, whatever becomes of the arrays",
    async run({ store, key }) {
      const bytes = everyByte.slice();
      await writeAll(store, [{ key: key("a"), bytes }]);
      bytes.fill(9);
      const [first] = await readBytes(store, [key("a")]);
      // The slice of a Buffer would be the same memory.
      first?.slice().fill(9);
      expectEqual("the value after its array and a copy changed", first, everyByte);
      first?.fill(9);
      const second = await readBytes(store, [key("a")]);
      expectEqual("the value after what was read changed", second, [everyByte]);
    },
  },
  {
    name: "write() refuses two writes of one key, and writes neither",
    async run({ store, key }) {
      const twice = ["a", "b", "a"].map((name) => ({ key: key(name), bytes: everyByte }));
      await expectError("a key twice", async () => store.write(twice), { secrets: [key("")] });
      const read = await readBytes(store, [key("a"), key("b")]);
      expectEqual("after a refused call", read, [null, null]);
    },
  },
  {
    name: "write() of many keys in one call keeps them all",
    async run({ store, key }) {
      const writes = Array.from({ length: 300 }, (_, i) => {
        return { key: key(`${i}`), bytes: patternOf(i * 7) };
      });
      await writeAll(store, writes);
      const read = await readBytes(
        store,
        writes.map((write) => write.key),
      );
      expectEqual(
        "many keys of one call",
        read,
        writes.map(({ bytes }) => bytes),
      );
    },
  },
];
