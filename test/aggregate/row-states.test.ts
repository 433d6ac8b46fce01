import { expect, test } from "vitest";
import type { MergeAlgebra, Row, RowAlgebra } from "../../src/aggregate/aggregate.ts";
import { functionNamed } from "../../src/aggregate/functions.ts";
import { bindKeyed, bindKeys, createKeyedStates } from "../../src/aggregate/keyed-states.ts";
import type { ColumnSlot, KeyedState } from "../../src/aggregate/keyed-states.ts";
import { createNewestRow } from "../../src/aggregate/newest-row.ts";
import { compareRows } from "../../src/aggregate/row.ts";
import { ByteReader, ByteWriter } from "../../src/core/bytes.ts";
import { CorruptRecordError, OverflowError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { forSeeds } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

// Value columns: amt int64, shop string.
const sum = functionNamed("sum").bind("int64", null);
const lastTwo = functionNamed("last").bind("int64", 2);
const slots: readonly ColumnSlot[] = [...lastTwo.states, ...sum.states].map((algebra) => ({
  column: "amt",
  columnIndex: 0,
  algebra,
}));
const byShop = createKeyedStates({ keyIndex: 1, keyType: "string", slots });
const newestRow = createNewestRow(["int64", "string"]);

const algebras: readonly [string, RowAlgebra<never>][] = [
  ["keyed states", byShop as unknown as RowAlgebra<never>],
  ["the newest row", newestRow as unknown as RowAlgebra<never>],
];

function bytesOf(algebra: MergeAlgebra<never>, state: unknown): Uint8Array {
  const writer = new ByteWriter();
  algebra.write(state as never, writer);
  return writer.finish();
}

function fold(algebra: RowAlgebra<never>, rows: readonly Row[]): unknown {
  const state = algebra.empty();
  for (const row of rows) algebra.addRowInto(state, row);
  return state;
}

function randomRow(random: Random): Row {
  return {
    timestampMs: random.integer(-5, 5) * 1000,
    tie: random.pick(["", "a", "b", "é"]),
    values: [
      random.next() < 0.2 ? null : random.pick([random.integer(-99, 99), 2n ** 61n]),
      random.pick([null, "", "a", "b", "b9", "b10", "\u{1f600}", "\uffee"]),
    ],
  };
}

test.each(algebras)("%s are the same bytes for any split and order of the rows", (_, algebra) => {
  forSeeds(200, (random) => {
    const rows = Array.from({ length: random.integer(0, 40) }, () => randomRow(random));
    const more = randomRow(random);
    const expected = bytesOf(algebra, fold(algebra, rows));
    const merged = algebra.empty();
    const tiles = Array.from({ length: random.integer(1, 6) }, (): Row[] => []);
    for (const row of random.shuffled(rows)) random.pick(tiles).push(row);
    for (const tile of tiles) {
      const state = fold(algebra, tile);
      const before = bytesOf(algebra, state);
      if (random.next() < 0.5) algebra.mergeInto(merged, state as never);
      else algebra.readInto(merged, new ByteReader(before));
      // What is merged into does not share what it took.
      algebra.addRowInto(merged, more);
      expect(bytesOf(algebra, state)).toEqual(before);
    }
    const again = fold(algebra, [...rows, ...tiles.map(() => more)]);
    expect(bytesOf(algebra, merged)).toEqual(bytesOf(algebra, again));
    const read = algebra.empty();
    const reader = new ByteReader(expected);
    algebra.readInto(read, reader);
    expect(reader.remaining).toBe(0);
    expect(bytesOf(algebra, read)).toEqual(expected);
    expect(algebra.isEmpty(algebra.empty())).toBe(true);
  });
});

test("createNewestRow() keeps a row whole, by time, then tie, then its columns", () => {
  forSeeds(300, (random) => {
    const rows = Array.from({ length: random.integer(1, 20) }, () => randomRow(random));
    const { row } = fold(newestRow as unknown as RowAlgebra<never>, rows) as { row: Row };
    expect(rows).toContain(row);
    for (const each of rows) expect(compareRows(each, row)).toBeLessThanOrEqual(0);
  });
});

test("createKeyedStates() keeps a key whose column was always null, and no null key", () => {
  const rows = [row(1, null, "b"), row(2, 5, "a"), row(3, 7, null), row(4, 6, "a")];
  const state = fold(byShop as unknown as RowAlgebra<never>, rows);
  expect(bindKeys(byShop, "string").finish([state])).toEqual(["a", "b"]);
  expect(bindKeyed(byShop, sum, [1]).finish([state])).toEqual([11, null]);
  expect(bindKeyed(byShop, lastTwo, [0]).finish([state])).toEqual([[5, 6], []]);
});

function row(timestampMs: number, amt: number | null, shop: string | null): Row {
  return { timestampMs, tie: `e${timestampMs}`, values: [amt, shop] };
}

test("keyed states overflow by the set of their keys alone", () => {
  const algebra = byShop as unknown as RowAlgebra<never>;
  const max = limits.secondaryKeysMax;
  const keys = Array.from({ length: max }, (_, i) => row(i, 1, `k${i}`));
  const full = fold(algebra, keys);
  const one = row(max, 1, `k${max}`);
  expect(bindKeys(byShop, "string").finish([full])).toHaveLength(max);
  const overflown = bytesOf(algebra, fold(algebra, [one, ...keys]));
  expect(overflown).toEqual(new Uint8Array([0]));
  const halves = [0, 1].map((half) =>
    fold(
      algebra,
      keys.filter((_, i) => i % 2 === half),
    ),
  );
  const merged = fold(algebra, [one]);
  for (const half of halves) algebra.mergeInto(merged as never, half as never);
  expect(bytesOf(algebra, merged)).toEqual(overflown);
  // It absorbs, whichever side it is on, and what is read into it is stepped over.
  const small = fold(algebra, [one]);
  algebra.readInto(small as never, new ByteReader(overflown));
  algebra.addRowInto(small as never, one);
  const reader = new ByteReader(bytesOf(algebra, fold(algebra, [one])));
  algebra.readInto(small as never, reader);
  expect([bytesOf(algebra, small), reader.remaining]).toEqual([overflown, 0]);
  expect(() => bindKeyed(byShop, sum, [1]).finish([small])).toThrow(OverflowError);
  expect(() => bindKeyed(byShop, sum, [1]).finish([small])).toThrow("more than 10000 keys");
  expect(byShop.isEmpty(small as KeyedState)).toBe(false);
});

test.each<[string, RowAlgebra<never>, readonly number[]]>([
  ["more keys than there may be", algebras[0]?.[1] as RowAlgebra<never>, [0xff, 0xff, 0x7f]],
  ["keys that descend", algebras[0]?.[1] as RowAlgebra<never>, [3, 1, 0x62, 1, 0x61]],
  ["a key twice", algebras[0]?.[1] as RowAlgebra<never>, [3, 1, 0x61, 1, 0x61]],
  ["keys that end", algebras[0]?.[1] as RowAlgebra<never>, [3, 1, 0x61]],
  ["a flag that is none", algebras[1]?.[1] as RowAlgebra<never>, [2]],
  ["a row that ends", algebras[1]?.[1] as RowAlgebra<never>, [1, 1, 0, 1]],
])("readInto() refuses %s", (_, algebra, bytes) => {
  expect(() => {
    algebra.readInto(algebra.empty(), new ByteReader(new Uint8Array(bytes)));
  }).toThrow(CorruptRecordError);
});
