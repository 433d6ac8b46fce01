/**
 * DuckDB's vectors as arrays of scalars, column by column: a scan brings millions of rows, so the
 * common cases read the vector's memory, and the rest asks it for one item at a time.
 */

import type { ScalarType, Scalar } from "../../../src/core/value.ts";
import { assert } from "../../../src/core/errors.ts";
import { toInt64 } from "../../../src/core/value.ts";
import type { Chunk } from "./duckdb-engine.ts";

export type ColumnReader = (chunk: Chunk, columnIndex: number) => readonly (Scalar | null)[];

/** The reader of a column type. What it returns does not refer to the chunk. */
export function columnReader(type: ScalarType): ColumnReader {
  return readers[type];
}

/** Instants, none null. */
export function readInstants(chunk: Chunk, columnIndex: number): Float64Array {
  const { items } = openVector<Float64Array>(chunk, columnIndex);
  return items.slice(0, chunk.rowCount);
}

const readers: Readonly<Record<ScalarType, ColumnReader>> = {
  string: readStrings,
  int64: readInt64s,
  float64: readFloat64s,
  boolean: readBooleans,
  timestamp: readInt64s,
};

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

/** The entries of a string vector: its length, then either its 12 bytes or a prefix and a pointer. */
interface StringVector {
  readonly dataView: DataView;
  readonly validity: { readonly data: BigUint64Array | null };
}

const entryBytes = 16;
const inlineBytesMax = 12;

/**
 * Short strings are read in place; one equal to the row above it, as in a sorted column, is that.
 */
function readStrings(chunk: Chunk, columnIndex: number): readonly (Scalar | null)[] {
  const vector = chunk.getColumnVector(columnIndex);
  const { dataView, validity } = vector as unknown as Partial<StringVector>;
  assert(dataView !== undefined, "a vector of strings has entries");
  assert(validity !== undefined, "a vector of strings has a validity");
  const entries = new StringEntries(dataView);
  const bits = validity.data === null ? null : wordsOf(validity.data);
  const values = new Array<string | null>(vector.itemCount);
  for (let i = 0; i < values.length; i++) {
    if (bits !== null && !isValid(bits, i)) values[i] = null;
    else values[i] = entries.read(i) ?? (vector.getItem(i) as string);
  }
  return values;
}

class StringEntries {
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  #previousIndex = -1;
  #previous = "";

  constructor({ buffer, byteOffset, byteLength }: DataView) {
    this.#bytes = new Uint8Array(buffer, byteOffset, byteLength);
    this.#words = new Int32Array(buffer, byteOffset, byteLength / 4);
  }

  /** Null for a string that is long or not ASCII. */
  read(index: number): string | null {
    const words = this.#words;
    const at = index * 4;
    const length = words[at] as number;
    if (length > inlineBytesMax) return null;
    const before = this.#previousIndex * 4;
    if (
      before >= 0 &&
      words[before] === length &&
      words[before + 1] === words[at + 1] &&
      words[before + 2] === words[at + 2] &&
      words[before + 3] === words[at + 3]
    ) {
      return this.#previous;
    }
    // The four words' bytes are ASCII when none has its high bit; unused bytes are zero.
    const signs = (words[at + 1] as number) | (words[at + 2] as number) | (words[at + 3] as number);
    if ((signs & 0x80808080) !== 0) return null;
    const start = index * entryBytes + 4;
    let text = "";
    for (let i = start; i < start + length; i++)
      text += String.fromCharCode(this.#bytes[i] as number);
    this.#previousIndex = index;
    this.#previous = text;
    return text;
  }
}

function withNulls(
  values: (Scalar | null)[],
  validity: BigUint64Array | null,
): readonly (Scalar | null)[] {
  if (validity === null) return values;
  const bits = wordsOf(validity);
  for (let i = 0; i < values.length; i++) if (!isValid(bits, i)) values[i] = null;
  return values;
}

function wordsOf({ buffer, byteOffset, length }: BigUint64Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length * 2);
}

function isValid(bits: Uint32Array, index: number): boolean {
  return (((bits[index >>> 5] as number) >>> (index & 31)) & 1) === 1;
}
