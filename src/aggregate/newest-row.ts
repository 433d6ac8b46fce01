/** The newest row of an entity, whole: what attributes are read from. */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import { readScalar, readStep, writeScalar, writeStep } from "../core/scalar-codec.ts";
import type { Scalar, ScalarType } from "../core/value.ts";
import type { Row, RowAlgebra } from "./aggregate.ts";
import { compareRows } from "./row.ts";

export interface NewestRowState {
  row: Row | null;
}

/**
 * The row that comes last by (timestamp, tie), all its columns with it: a value is never put
 * together from two rows. Without event ids the columns themselves break the tie.
 *
 *   0                                                   no row
 *   1 │ timestamp │ tie │ columns × (0, or 1 and value)
 */
export function createNewestRow(types: readonly ScalarType[]): RowAlgebra<NewestRowState> {
  return {
    key: "newest_row",
    ordered: true,
    empty: () => ({ row: null }),
    isEmpty: ({ row }) => row === null,
    addRowInto: keepNewest,
    mergeInto(state, { row }) {
      if (row !== null) keepNewest(state, row);
    },
    write: ({ row }, writer) => writeRow(writer, row, types),
    readInto(state, reader) {
      const row = readRow(reader, types);
      if (row !== null) keepNewest(state, row);
    },
  };
}

/** Rows never change, so that states may share them. */
function keepNewest(state: NewestRowState, row: Row): void {
  if (state.row === null || compareRows(row, state.row) > 0) state.row = row;
}

function writeRow(writer: ByteWriter, row: Row | null, types: readonly ScalarType[]): void {
  if (row === null) return writer.byte(0);
  writer.byte(1);
  writeStep(writer, 0, row.timestampMs);
  writer.string(row.tie);
  types.forEach((type, i) => {
    const value = row.values[i] ?? null;
    writer.byte(value === null ? 0 : 1);
    if (value !== null) writeScalar(writer, type, value);
  });
}

function readRow(reader: ByteReader, types: readonly ScalarType[]): Row | null {
  if (!readFlag(reader)) return null;
  const timestampMs = readStep(reader, 0);
  const tie = reader.string();
  const values = types.map((type): Scalar | null =>
    readFlag(reader) ? readScalar(reader, type) : null,
  );
  return { timestampMs, tie, values };
}

function readFlag(reader: ByteReader): boolean {
  const byte = reader.byte();
  if (byte > 1) throw new CorruptRecordError("Cannot read a row: a flag is neither 0 nor 1");
  return byte === 1;
}
