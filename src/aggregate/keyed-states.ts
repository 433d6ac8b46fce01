/**
 * States by secondary key: one state of whole rows holds, for each key, all that the view keeps of
 * its columns, so that a key is stored once a tile however many features there are.
 */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError, OverflowError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { readScalar, writeScalar } from "../core/scalar-codec.ts";
import { compareScalars } from "../core/value.ts";
import type { Scalar, ScalarType } from "../core/value.ts";
import type { BoundFunction, Row, RowAlgebra, StateAlgebra } from "./aggregate.ts";

export interface KeyedState {
  /** By key one state a column slot; null past the most keys there may be. */
  byKey: Map<Scalar, unknown[]> | null;
  /** The keys in order, once someone asked for it; null since a key was added. */
  sorted: readonly Scalar[] | null;
}

export type KeyedAlgebra = RowAlgebra<KeyedState>;

export interface KeyedLayout {
  /** Where rows have the key; its type is `string` or `int64`. */
  readonly keyIndex: number;
  readonly keyType: ScalarType;
  /** What is kept of each key. */
  readonly slots: readonly ColumnSlot[];
}

/** One state of one column. */
export interface ColumnSlot {
  readonly column: string;
  /** Index of `column` in the value columns of the view. */
  readonly columnIndex: number;
  readonly algebra: StateAlgebra;
}

/**
 * Whether there are too many keys depends on the set of keys alone, so neither order nor split
 * decides it. A tile that has too many lies wholly inside or outside a window, as all tiles do.
 *
 *   0                                              too many keys
 *   count + 1 │ keys, ascending │ slots × states
 */
export function createKeyedStates(layout: KeyedLayout): KeyedAlgebra {
  const { keyIndex, slots } = layout;
  return {
    key: `keyed:${slots.map(({ column, algebra }) => `${column}/${algebra.key}`).join(",")}`,
    ordered: slots.some(({ algebra }) => algebra.ordered),
    empty: () => ({ byKey: new Map(), sorted: null }),
    isEmpty: ({ byKey }) => byKey?.size === 0,
    addRowInto(state, row) {
      const key = row.values[keyIndex] ?? null;
      const states = key === null ? null : statesOf(state, key, slots);
      if (states !== null) addRow(states, row, slots);
    },
    mergeInto(state, from) {
      if (from.byKey === null) return giveUp(state);
      for (const [key, states] of from.byKey) {
        const into = statesOf(state, key, slots);
        if (into === null) return;
        slots.forEach(({ algebra }, i) => algebra.mergeInto(into[i], states[i]));
      }
    },
    write: (state, writer) => writeKeyed(writer, state, layout),
    readInto: (state, reader) => readKeyedInto(state, reader, layout),
  };
}

/** A function's answers for each key, in the order of the keys. */
export function bindKeyed(
  algebra: KeyedAlgebra,
  bound: BoundFunction,
  slotIndexes: readonly number[],
): BoundFunction<KeyedAlgebra> {
  return {
    states: [algebra],
    output: { array: bound.output },
    emptyValue: [],
    finish([keyed]) {
      const state = keyed as KeyedState;
      const keys = sortedKeys(state);
      return keys.map((key) => {
        const states = state.byKey?.get(key) as readonly unknown[];
        return bound.finish(slotIndexes.map((slot) => states[slot]));
      });
    },
  };
}

/** The keys themselves, ascending. */
export function bindKeys(algebra: KeyedAlgebra, keyType: ScalarType): BoundFunction<KeyedAlgebra> {
  return {
    states: [algebra],
    output: { array: keyType },
    emptyValue: [],
    finish: ([state]) => sortedKeys(state as KeyedState),
  };
}

/** @throws OverflowError where there are too many. */
function sortedKeys(state: KeyedState): readonly Scalar[] {
  if (state.byKey === null) {
    throw new OverflowError(
      `Cannot finish a window by key: it has more than ${limits.secondaryKeysMax} keys, expected that many or fewer`,
    );
  }
  return (state.sorted ??= [...state.byKey.keys()].sort(compareScalars));
}

/** The states of a key, empty ones where it is new; null where there are too many keys. */
function statesOf(state: KeyedState, key: Scalar, slots: readonly ColumnSlot[]): unknown[] | null {
  if (state.byKey === null) return null;
  const known = state.byKey.get(key);
  if (known !== undefined) return known;
  if (state.byKey.size === limits.secondaryKeysMax) {
    giveUp(state);
    return null;
  }
  const states = slots.map(({ algebra }) => algebra.empty());
  state.byKey.set(key, states);
  state.sorted = null;
  return states;
}

function giveUp(state: KeyedState): void {
  state.byKey = null;
  state.sorted = null;
}

function addRow(states: readonly unknown[], row: Row, slots: readonly ColumnSlot[]): void {
  slots.forEach(({ columnIndex, algebra }, i) => {
    const value = row.values[columnIndex] ?? null;
    if (value !== null) algebra.addInto(states[i], value, row);
  });
}

function writeKeyed(writer: ByteWriter, state: KeyedState, layout: KeyedLayout): void {
  if (state.byKey === null) return writer.varint(0);
  const keys = sortedKeys(state);
  writer.varint(keys.length + 1);
  for (const key of keys) writeScalar(writer, layout.keyType, key);
  const states = keys.map((key) => state.byKey?.get(key) as readonly unknown[]);
  layout.slots.forEach(({ algebra }, i) => {
    for (const each of states) algebra.write(each[i], writer);
  });
}

function readKeyedInto(state: KeyedState, reader: ByteReader, layout: KeyedLayout): void {
  const { slots } = layout;
  const count = reader.varint() - 1;
  if (count < 0) return giveUp(state);
  const targets = readKeys(reader, count, layout).map((key) => statesOf(state, key, slots));
  slots.forEach(({ algebra }, i) => {
    // What is read into too many keys is stepped over.
    for (const states of targets) algebra.readInto(states?.[i] ?? algebra.empty(), reader);
  });
}

function readKeys(reader: ByteReader, count: number, { keyType }: KeyedLayout): Scalar[] {
  if (count > limits.secondaryKeysMax) {
    throw new CorruptRecordError(
      `Cannot read states by key: they have ${count} keys, expected ${limits.secondaryKeysMax} or fewer`,
    );
  }
  const keys: Scalar[] = [];
  for (let i = 0; i < count; i++) {
    const key = readScalar(reader, keyType);
    if (i > 0 && compareScalars(keys[i - 1] as Scalar, key) >= 0) {
      throw new CorruptRecordError("Cannot read states by key: its keys are not ascending");
    }
    keys.push(key);
  }
  return keys;
}
