import { expect, test } from "vitest";
import { RecordCache } from "../../src/store/resilient/record-cache.ts";
import type { StoredValue } from "../../src/store/online-store.ts";

const ageMsMax = 1_000;

function valueOf(...bytes: number[]): StoredValue {
  return { bytes: Uint8Array.from(bytes), version: `v${bytes.join()}` };
}

/** Room for three entries of a one-letter key and 98 bytes: 300 each. */
function createSmallCache(): RecordCache {
  return new RecordCache({ bytesMax: 900, ageMsMax });
}

const wide = valueOf(...Array.from({ length: 98 }, (_, i) => i));

test("RecordCache answers only where it has all keys: what it does not know is not missing", () => {
  const cache = createSmallCache();
  cache.keep("a", valueOf(1), 10);
  cache.keep("b", null, 20);
  expect(cache.readAll(["a", "b", "c"], 30)).toBeNull();
  expect(cache.readAll(["b", "a", "b"], 30)).toEqual({
    values: [null, valueOf(1), null],
    asOfMs: 10,
  });
  expect(cache.readAll([], 30)).toEqual({ values: [], asOfMs: 30 });
});

test("RecordCache uses an entry up to its age, and not past it", () => {
  const cache = createSmallCache();
  cache.keep("a", valueOf(1), 10);
  expect(cache.readAll(["a"], 10 + ageMsMax)?.asOfMs).toBe(10);
  expect(cache.readAll(["a"], 11 + ageMsMax)).toBeNull();
});

test("RecordCache keeps the newer of two reads, in whatever order they end", () => {
  const cache = createSmallCache();
  cache.keep("a", valueOf(2), 20);
  cache.keep("a", valueOf(1), 10);
  expect(cache.readAll(["a"], 30)).toEqual({ values: [valueOf(2)], asOfMs: 20 });
  cache.keep("a", null, 30);
  expect(cache.readAll(["a"], 30)).toEqual({ values: [null], asOfMs: 30 });
});

test("RecordCache knows what was not written since: it is current as of the newer read", () => {
  const cache = createSmallCache();
  cache.keep("a", valueOf(1), 10);
  cache.keep("b", null, 10);
  const { sizeBytes } = cache;
  cache.keep("a", valueOf(1), 30);
  cache.keep("b", null, 30);
  expect(cache.sizeBytes).toBe(sizeBytes);
  expect(cache.readAll(["a", "b"], 40)).toEqual({ values: [valueOf(1), null], asOfMs: 30 });
  // A store without versions does not tell.
  const unversioned = (byte: number) => ({ bytes: Uint8Array.of(byte), version: null });
  cache.keep("c", unversioned(1), 10);
  cache.keep("c", unversioned(2), 20);
  expect(cache.readAll(["c"], 40)?.values).toEqual([unversioned(2)]);
});

test("RecordCache lets the least recently used go when it is full", () => {
  const cache = createSmallCache();
  for (const key of ["a", "b", "c"]) cache.keep(key, wide, 0);
  expect(cache.sizeBytes).toBe(900);
  expect(cache.readAll(["a"], 0)).not.toBeNull();
  cache.keep("d", wide, 0);
  expect(cache.readAll(["b"], 0)).toBeNull();
  expect(cache.readAll(["a", "c", "d"], 0)).not.toBeNull();
  expect(cache.sizeBytes).toBe(900);
});

test("RecordCache keeps no value that is larger than itself, nor the one it replaces", () => {
  const cache = createSmallCache();
  cache.keep("a", valueOf(1), 0);
  cache.keep("b", valueOf(2), 0);
  cache.keep("a", { bytes: new Uint8Array(699), version: null }, 1);
  expect(cache.readAll(["a"], 1)).toBeNull();
  expect(cache.readAll(["b"], 1)).not.toBeNull();
  cache.keep("c", { bytes: new Uint8Array(698), version: null }, 1);
  expect(cache.readAll(["c"], 1)).not.toBeNull();
  expect(cache.sizeBytes).toBe(900);
});

test("RecordCache shares no bytes with those who put in or take out", () => {
  const cache = createSmallCache();
  const view = Buffer.from([9, 1, 9]).subarray(1, 2);
  cache.keep("a", { bytes: view, version: null }, 0);
  view[0] = 7;
  const [taken] = cache.readAll(["a"], 0)?.values ?? [];
  expect(taken?.bytes).toEqual(Uint8Array.of(1));
  expect(taken?.bytes.buffer.byteLength).toBe(1);
  (taken as StoredValue).bytes[0] = 8;
  expect(cache.readAll(["a"], 0)?.values).toEqual([{ bytes: Uint8Array.of(1), version: null }]);
});
