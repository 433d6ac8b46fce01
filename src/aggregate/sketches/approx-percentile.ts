/** `approx_percentile(p)`: the value of a rank, within a relative accuracy, from a DDSketch. */

import type { ByteReader, ByteWriter } from "../../core/bytes.ts";
import { CorruptRecordError } from "../../core/errors.ts";
import { readInteger, writeInteger } from "../../core/scalar-codec.ts";
import type { BoundFunction, StateAlgebra } from "../aggregate.ts";
import { addCountInto, readCount, writeCount } from "../counts.ts";
import type { Counts } from "../counts.ts";
import { createNumberedFunction, numericTypes } from "../create-function.ts";
import { createLogMapping } from "./log-mapping.ts";
import type { LogMapping } from "./log-mapping.ts";

/** Counts by bin. Nothing is collapsed: that would make the answer depend on the order. */
export type PercentileState = Counts<number>;

export const approxPercentile = createNumberedFunction({
  name: "approx_percentile",
  inputs: numericTypes,
  n: { name: "percentile", min: 0, max: 1, isInteger: false, isRequired: true },
  option: { name: "accuracy", min: 0.001, max: 0.1, isInteger: false, default: 0.01 },
  bind(_, p, accuracy): BoundFunction {
    const mapping = createLogMapping(accuracy);
    return {
      states: [createSketchAlgebra(mapping, accuracy)],
      output: "float64",
      emptyValue: null,
      finish: ([state]) => finishPercentile(state as PercentileState, p as number, mapping),
    };
  },
});

/**
 * The value of rank `floor(p * (n - 1))`, counted from 0, of n values in order: the lower quantile of
 * the paper, which is the median of an odd number of values and the lower middle of an even one.
 */
function finishPercentile(state: PercentileState, p: number, mapping: LogMapping): number | null {
  if (state.size === 0) return null;
  let count = 0;
  for (const each of state.values()) count += each;
  let rest = Math.floor(p * (count - 1));
  const bins = sortBins(state);
  let i = 0;
  for (; i < bins.length - 1; i++) {
    rest -= state.get(bins[i] as number) as number;
    if (rest < 0) break;
  }
  return mapping.valueOf(bins[i] as number);
}

/**
 * The range of doubles bounds the bins: 78,676 a sign with an accuracy of 0.01 and 786,751 with
 * 0.001, of which values within a factor of a million take some 750 and 7,500. An int64 past 2^53 is
 * rounded to a double, a part of 1e-16, which the mapping has room for.
 *
 * Bytes: varint count of bins │ the first bin, then varint steps │ a varint count each
 */
function createSketchAlgebra(mapping: LogMapping, accuracy: number): StateAlgebra<PercentileState> {
  return {
    key: `approx_percentile:${accuracy}`,
    ordered: false,
    empty: () => new Map(),
    isEmpty: (state) => state.size === 0,
    addInto: (state, value) => addCountInto(state, mapping.binOf(Number(value)), 1),
    mergeInto(state, from) {
      for (const [bin, count] of from) addCountInto(state, bin, count);
    },
    write(state, writer: ByteWriter) {
      writer.varint(state.size);
      if (state.size === 0) return;
      const bins = sortBins(state);
      let previous = bins[0] as number;
      writeInteger(writer, previous);
      for (const bin of bins.subarray(1)) {
        writer.varint(bin - previous);
        previous = bin;
      }
      for (const bin of bins) writeCount(writer, state.get(bin) as number);
    },
    readInto(state, reader: ByteReader) {
      for (const bin of readBins(reader, mapping)) {
        addCountInto(state, bin, readCount(reader));
      }
    },
  };
}

/** In the order of the values in them. */
function sortBins(state: PercentileState): Float64Array {
  const bins = new Float64Array(state.size);
  let i = 0;
  for (const bin of state.keys()) bins[i++] = bin;
  return bins.sort();
}

function readBins(reader: ByteReader, { binMax }: LogMapping): Float64Array {
  const length = reader.varint();
  // Each takes a byte at least, so that a broken length cannot ask for memory.
  if (length > reader.remaining) throw corrupt("it has more bins than bytes");
  const bins = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const bin = i === 0 ? Number(readInteger(reader)) : stepFrom(bins[i - 1] as number, reader);
    if (Math.abs(bin) > binMax) throw corrupt("it has a bin past the range of doubles");
    bins[i] = bin;
  }
  return bins;
}

function stepFrom(bin: number, reader: ByteReader): number {
  const step = reader.varint();
  if (step === 0) throw corrupt("it has a bin twice");
  return bin + step;
}

function corrupt(why: string): CorruptRecordError {
  return new CorruptRecordError(`Cannot read a percentile: ${why}`);
}
