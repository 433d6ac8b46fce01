/** The laws of the algebra, each for every function over every column type it takes. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { StateAlgebra } from "../../src/aggregate/aggregate.ts";
import { ByteReader } from "../../src/core/bytes.ts";
import { addEventInto } from "../../src/tile/partial.ts";
import { answer, bytesOf, eventsOf, fold, functionCases } from "./function-cases.ts";
import type { Event, FunctionCase } from "./function-cases.ts";

const options = { seed: 20_230_613, numRuns: 60 };

/** The algebras of a case, each with the states of three sets of events. */
function checkAlgebras(
  { bound, input }: FunctionCase,
  law: (algebra: StateAlgebra, parts: readonly Event[][]) => void,
): void {
  const parts = fc.tuple(eventsOf(input), eventsOf(input), eventsOf(input));
  fc.assert(
    fc.property(parts, (drawn) => bound.states.forEach((algebra) => law(algebra, drawn))),
    options,
  );
}

function foldOne(algebra: StateAlgebra, events: readonly Event[]): unknown {
  return fold([algebra], events)[0];
}

function merge(algebra: StateAlgebra, ...states: readonly unknown[]): unknown {
  const merged = algebra.empty();
  for (const state of states) algebra.mergeInto(merged, state);
  return merged;
}

function copy(algebra: StateAlgebra, state: unknown): unknown {
  const read = algebra.empty();
  algebra.readInto(read, new ByteReader(bytesOf(algebra, state)));
  return read;
}

const cases = functionCases.map((row) => [row.label, row] as const);

test.each(cases)("%s: empty is the unit of merge", (_, row) => {
  checkAlgebras(row, (algebra, [events = []]) => {
    const bytes = bytesOf(algebra, foldOne(algebra, events));
    const left = algebra.empty();
    algebra.mergeInto(left, foldOne(algebra, events));
    const right = foldOne(algebra, events);
    algebra.mergeInto(right, algebra.empty());
    expect(bytesOf(algebra, left)).toEqual(bytes);
    expect(bytesOf(algebra, right)).toEqual(bytes);
    expect(algebra.isEmpty(right)).toBe(events.length === 0);
    expect(algebra.isEmpty(copy(algebra, right))).toBe(events.length === 0);
  });
});

test.each(cases)("%s: merge is associative and commutative", (_, row) => {
  checkAlgebras(row, (algebra, parts) => {
    const [a, b, c] = parts.map((events) => foldOne(algebra, events));
    const expected = bytesOf(algebra, merge(algebra, a, merge(algebra, b, c)));
    expect(bytesOf(algebra, merge(algebra, merge(algebra, a, b), c))).toEqual(expected);
    expect(bytesOf(algebra, merge(algebra, c, b, a))).toEqual(expected);
    expect(bytesOf(algebra, merge(algebra, b, c, a))).toEqual(expected);
  });
});

interface Placed {
  readonly event: Event;
  /** The tile it falls into, and its turn to arrive. */
  readonly tile: number;
  readonly turn: number;
}

/** Folds each tile on its own, then merges the tiles in turn, odd ones by way of their bytes. */
function foldTiles(algebra: StateAlgebra, placed: readonly Placed[], tiles: number[]): unknown {
  const arrived = placed.toSorted((a, b) => a.turn - b.turn);
  const merged = algebra.empty();
  for (const tile of tiles) {
    const events = arrived.filter((each) => each.tile === tile).map(({ event }) => event);
    const state = foldOne(algebra, events);
    if (tile % 2 === 0) algebra.mergeInto(merged, state);
    else algebra.readInto(merged, new ByteReader(bytesOf(algebra, state)));
  }
  return merged;
}

test.each(cases)("%s: any split in any order has the same bytes and answer", (_, row) => {
  const placed = eventsOf(row.input, 40).chain((events) =>
    fc.tuple(
      ...events.map((event) =>
        fc.record({
          event: fc.constant(event),
          tile: fc.nat({ max: 4 }),
          turn: fc.nat({ max: 1_000 }),
        }),
      ),
    ),
  );
  const tiles = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 });
  fc.assert(
    fc.property(placed, tiles, (drawn: readonly Placed[], order) => {
      const { states } = row.bound;
      const expected = fold(
        states,
        drawn.map(({ event }) => event),
      );
      const merged = states.map((algebra) => foldTiles(algebra, drawn, order));
      states.forEach((algebra, i) =>
        expect(bytesOf(algebra, merged[i])).toEqual(bytesOf(algebra, expected[i])),
      );
      expect(answer(row.bound, merged)).toEqual(answer(row.bound, expected));
    }),
    options,
  );
});

test.each(cases)("%s: readInto() reads what write() wrote, and no byte more", (_, row) => {
  checkAlgebras(row, (algebra, [events = []]) => {
    const state = foldOne(algebra, events);
    const bytes = bytesOf(algebra, state);
    const reader = new ByteReader(new Uint8Array([0xff, ...bytes, 0xff, 0xff]));
    reader.skip(1);
    const read = algebra.empty();
    algebra.readInto(read, reader);
    expect(reader.position).toBe(bytes.length + 1);
    expect(bytesOf(algebra, read)).toEqual(bytes);
    expect(bytesOf(algebra, state)).toEqual(bytes);
  });
});

test.each(cases)("%s: readInto() of bytes cut short throws", (_, row) => {
  checkAlgebras(row, (algebra, [events = []]) => {
    const bytes = bytesOf(algebra, foldOne(algebra, events));
    const reader = new ByteReader(bytes.subarray(0, bytes.length - 1));
    expect(() => algebra.readInto(algebra.empty(), reader)).toThrow("Cannot read");
  });
});

test.each(cases)("%s: mergeInto() leaves no alias", (_, row) => {
  checkAlgebras(row, (algebra, [events = [], others = [], more = []]) => {
    const target = foldOne(algebra, events);
    const from = foldOne(algebra, others);
    const fromBytes = bytesOf(algebra, from);
    algebra.mergeInto(target, from);
    const targetBytes = bytesOf(algebra, target);
    expect(bytesOf(algebra, from)).toEqual(fromBytes);

    for (const { value, order } of more) algebra.addInto(from, value, order);
    expect(bytesOf(algebra, target)).toEqual(targetBytes);
    const fromBytesLater = bytesOf(algebra, from);
    for (const { value, order } of more) algebra.addInto(target, value, order);
    expect(bytesOf(algebra, from)).toEqual(fromBytesLater);
  });
});

test.each(cases)("%s: addInto() keeps no hold of the order it is given", (_, row) => {
  checkAlgebras(row, (algebra, [events = []]) => {
    const expected = bytesOf(algebra, foldOne(algebra, events));
    const state = algebra.empty();
    const order = { timestampMs: 0, tie: "" };
    for (const event of events)
      algebra.addInto(state, event.value, Object.assign(order, event.order));
    expect(bytesOf(algebra, state)).toEqual(expected);
  });
});

test.each(cases)("%s: no rows answer with the empty value", (_, row) => {
  const { bound } = row;
  expect(bound.finish(bound.states.map((algebra) => algebra.empty()))).toEqual(bound.emptyValue);
  bound.states.forEach((algebra) => expect(algebra.isEmpty(algebra.empty())).toBe(true));
});

test.each(cases)("%s: a null is no row", (_, { bound, input }) => {
  const layout = {
    fingerprint: "",
    valueColumns: [{ name: "value", type: input }],
    slots: bound.states.map((algebra) => ({ columnIndex: 0, algebra })),
    ordered: true,
  };
  const states = bound.states.map((algebra) => algebra.empty());
  addEventInto(states, { timestampMs: 0, tie: "a", values: [null] }, layout);
  expect(bound.states.every((algebra, i) => algebra.isEmpty(states[i]))).toBe(true);
});

test("states of one key are the same state", () => {
  fc.assert(
    fc.property(eventsOf("int64"), (events) => {
      const bytesByKey = new Map<string, Uint8Array>();
      for (const { bound } of functionCases.filter(({ input }) => input === "int64")) {
        for (const algebra of bound.states) {
          const bytes = bytesOf(algebra, foldOne(algebra, events));
          expect(bytes).toEqual(bytesByKey.get(algebra.key) ?? bytes);
          bytesByKey.set(algebra.key, bytes);
        }
      }
    }),
    options,
  );
});

test("only states that look at the tie are ordered", () => {
  const ordered = new Set<string>();
  const unordered = new Set<string>();
  for (const { bound } of functionCases) {
    for (const { key, ordered: isOrdered } of bound.states) {
      (isOrdered ? ordered : unordered).add(key.replace(/:[\d.]+$/, ""));
    }
  }
  expect([...ordered].sort()).toEqual(["first", "first_distinct", "last", "last_distinct"]);
  expect([...unordered].sort()).toEqual([
    "approx_count_distinct",
    "approx_percentile",
    "count",
    "max",
    "min",
    "sum",
    "sum_squares",
    "value_counts",
  ]);
});
