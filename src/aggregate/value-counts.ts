/** `top_k(k)` and `histogram`: values with their exact counts, up to a declared number of values. */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError, OverflowError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { readScalar, writeScalar } from "../core/scalar-codec.ts";
import { compareScalars } from "../core/value.ts";
import type { DataType, Scalar, ScalarType } from "../core/value.ts";
import type { BoundFunction, StateAlgebra } from "./aggregate.ts";
import { allTypes, createNumberedFunction } from "./create-function.ts";
import { addCountInto, readCount, writeCount } from "./counts.ts";
import type { Counts } from "./counts.ts";

export interface ValueCountsState {
  /** Null for too many distinct values. */
  counts: Counts<Scalar> | null;
}

type CountedScalar = readonly [value: Scalar, count: number];

/** Floats are not told apart by equality. */
const countedTypes = allTypes.filter((type) => type !== "float64");

const distinctMax = {
  name: "distinctMax",
  min: 1,
  max: limits.distinctValuesMax,
  isInteger: true,
  default: 1000,
} as const;

export const topK = createNumberedFunction({
  name: "top_k",
  inputs: countedTypes,
  n: { name: "k", min: 1, max: limits.lastCountMax, isInteger: true, isRequired: true },
  option: distinctMax,
  bind: (input, k, most): BoundFunction => ({
    ...describeStates(input, most),
    finish: ([state]) =>
      countsOf(state, "top_k", most)
        .sort(compareByCount)
        .slice(0, k as number),
  }),
});

export const histogram = createNumberedFunction({
  name: "histogram",
  inputs: countedTypes,
  n: null,
  option: distinctMax,
  bind: (input, _, most): BoundFunction => ({
    ...describeStates(input, most),
    finish: ([state]) => countsOf(state, "histogram", most).sort(compareByValue),
  }),
});

function describeStates(
  input: ScalarType,
  most: number,
): Pick<BoundFunction, "states" | "output" | "emptyValue"> {
  const output: DataType = { array: { struct: { value: input, count: "int64" } } };
  return { states: [createValueCountsAlgebra(input, most)], output, emptyValue: [] };
}

/** @throws OverflowError when there were too many distinct values. */
function countsOf(state: unknown, name: string, most: number): CountedScalar[] {
  const { counts } = state as ValueCountsState;
  if (counts !== null) return [...counts];
  throw new OverflowError(
    `Cannot finish "${name}": it has more distinct values than its distinctMax, expected ${most} or fewer`,
  );
}

function compareByValue([a]: CountedScalar, [b]: CountedScalar): number {
  return compareScalars(a, b);
}

function compareByCount(a: CountedScalar, b: CountedScalar): number {
  return b[1] - a[1] || compareByValue(a, b);
}

/**
 * Why an overflow cannot depend on order or tiling. A state overflows exactly when its distinct
 * values are more than `most`: adding and merging only ever unite sets of values, so one that is past
 * it stays past it, and what was forgotten then is not missed. No edge of a window falls inside a
 * tile, so each tile of a window has values of that window alone, and the window overflows exactly
 * when its own distinct values are too many.
 *
 * Bytes: varint count of values, `most + 1` for too many │ the values in order │ a varint count each
 */
function createValueCountsAlgebra(input: ScalarType, most: number): StateAlgebra<ValueCountsState> {
  return {
    key: `value_counts:${most}`,
    ordered: false,
    empty: () => ({ counts: new Map() }),
    isEmpty: (state) => state.counts?.size === 0,
    addInto: (state, value) => keepInto(state, value, 1),
    mergeInto(state, from) {
      if (from.counts === null) state.counts = null;
      else for (const [value, count] of from.counts) keepInto(state, value, count);
    },
    write(state, writer: ByteWriter) {
      if (state.counts === null) return writer.varint(most + 1);
      const sorted = [...state.counts].sort(compareByValue);
      writer.varint(sorted.length);
      for (const [value] of sorted) writeScalar(writer, input, value);
      for (const [, count] of sorted) writeCount(writer, count);
    },
    readInto(state, reader: ByteReader) {
      const length = reader.varint();
      if (length > most + 1) {
        throw new CorruptRecordError(
          `Cannot read a state: it has ${length} values, expected ${most} or fewer`,
        );
      }
      if (length === most + 1) state.counts = null;
      else
        for (const value of readValues(reader, length)) keepInto(state, value, readCount(reader));
    },
  };

  function keepInto(state: ValueCountsState, value: Scalar, count: number): void {
    if (state.counts === null) return;
    addCountInto(state.counts, value, count);
    if (state.counts.size > most) state.counts = null;
  }

  function readValues(reader: ByteReader, length: number): Scalar[] {
    const values: Scalar[] = [];
    for (let i = 0; i < length; i++) {
      const value = readScalar(reader, input);
      if (i > 0 && compareScalars(values[i - 1] as Scalar, value) >= 0) {
        throw new CorruptRecordError("Cannot read a state: its values are not sorted");
      }
      values.push(value);
    }
    return values;
  }
}
