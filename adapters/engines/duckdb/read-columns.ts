/**
 * DuckDB's vectors as arrays of scalars, column by column: a scan brings millions of rows, so the
 * common cases read the vector's memory, and the rest asks it for one item at a time.
 */

import { assert } from "../../../src/core/errors.ts";
import { toInt64 } from "../../../src/core/value.ts";
import type { Scalar, ScalarType } from "../../../src/core/value.ts";
import type { Chunk } from "./duckdb-engine.ts";
import { textColumn, validityTest } from "./text-columns.ts";

export interface ColumnReader {
  /** How many columns of a query it reads. */
  readonly width: number;
  /** Selects them. */
  readonly sql: (column: string) => string;
  /** Reads them, from `columnIndex` on. What it returns does not refer to the chunk. */
  readonly read: (chunk: Chunk, columnIndex: number) => readonly (Scalar | null)[];
}

/** Readers of columns that follow one another, and what they select. */
export interface ColumnsReader {
  readonly width: number;
  readonly sql: readonly string[];
  readonly read: (chunk: Chunk, columnIndex: number) => readonly (readonly (Scalar | null)[])[];
}

/** Decided once a query: reading a chunk asks no types. */
export function columnsReader(columns: readonly NamedColumn[]): ColumnsReader {
  const placed: { readonly reader: ColumnReader; readonly offset: number }[] = [];
  let width = 0;
  for (const { type, lengthMax } of columns) {
    const reader = type === "string" ? textColumn(lengthMax ?? 0) : readers[type];
    placed.push({ reader, offset: width });
    width += reader.width;
  }
  return {
    width,
    sql: columns.map(({ name }, i) => (placed[i]?.reader as ColumnReader).sql(name)),
    read: (chunk, columnIndex) =>
      placed.map(({ reader, offset }) => reader.read(chunk, columnIndex + offset)),
  };
}

export interface NamedColumn {
  /** In the query. */
  readonly name: string;
  readonly type: ScalarType;
  /** Bytes of most of its strings; what is longer is read more slowly. */
  readonly lengthMax?: number;
}

/** Instants, none null. */
export function readInstants(chunk: Chunk, columnIndex: number): Float64Array {
  const { items } = openVector<Float64Array>(chunk, columnIndex);
  return items.slice(0, chunk.rowCount);
}

const readers: Readonly<Record<Exclude<ScalarType, "string">, ColumnReader>> = {
  int64: { width: 1, sql: sameColumn, read: readInt64s },
  float64: { width: 1, sql: sameColumn, read: readFloat64s },
  boolean: { width: 1, sql: sameColumn, read: readBooleans },
  timestamp: { width: 1, sql: sameColumn, read: readInt64s },
};

function sameColumn(column: string): string {
  return column;
}

/** A vector of fixed-width items, with the bits of those that are not null. */
interface NumberVector<Items> {
  readonly items: Items;
  /** Null where every item is valid. */
  readonly validity: { readonly data: BigUint64Array | null };
}

function openVector<Items>(chunk: Chunk, columnIndex: number): NumberVector<Items> {
  const vector = chunk.getColumnVector(columnIndex) as unknown as Partial<NumberVector<Items>>;
  assert(vector.items !== undefined, "a vector of numbers has items");
  assert(vector.validity !== undefined, "a vector of numbers has a validity");
  return vector as NumberVector<Items>;
}

function readFloat64s(chunk: Chunk, columnIndex: number): readonly (Scalar | null)[] {
  const { items, validity } = openVector<Float64Array>(chunk, columnIndex);
  const values = new Array<Scalar | null>(items.length);
  // Adding 0 makes -0 a 0.
  for (let i = 0; i < items.length; i++) values[i] = (items[i] as number) + 0;
  return withNulls(values, validity.data);
}

const twoTo32 = 2 ** 32;
const safeHighMax = 2 ** 21;

/** By halves of 32 bits, little end first as every platform of DuckDB's has it. */
function readInt64s(chunk: Chunk, columnIndex: number): readonly (Scalar | null)[] {
  const { items, validity } = openVector<BigInt64Array>(chunk, columnIndex);
  const halves = new Int32Array(items.buffer, items.byteOffset, items.length * 2);
  const values = new Array<Scalar | null>(items.length);
  for (let i = 0; i < items.length; i++) {
    const high = halves[2 * i + 1] as number;
    values[i] =
      high > -safeHighMax && high < safeHighMax
        ? high * twoTo32 + ((halves[2 * i] as number) >>> 0)
        : toInt64(items[i] as bigint);
  }
  return withNulls(values, validity.data);
}

function readBooleans(chunk: Chunk, columnIndex: number): readonly (Scalar | null)[] {
  return chunk.getColumnValues(columnIndex) as (boolean | null)[];
}

function withNulls(
  values: (Scalar | null)[],
  validity: BigUint64Array | null,
): readonly (Scalar | null)[] {
  if (validity === null) return values;
  const isValid = validityTest(validity);
  for (let i = 0; i < values.length; i++) if (!isValid(i)) values[i] = null;
  return values;
}
