/**
 * Strings out of DuckDB. An entry of its string vectors takes 16 bytes: a length, then the string
 * itself up to 12 bytes, else a pointer, which costs about a microsecond to follow from here. So
 * where strings are longer, but no longer than a UUID's 36 bytes of ASCII, a query cuts them into
 * pieces that fit into their entries, with a last column for what does not fit after all, whole:
 *
 *   "0189a7c2-5b7e-7000-8000"  →  "0189a7c2-5b7", "e-7000-8000", NULL
 */

import { assert } from "../../../src/core/errors.ts";
import type { Chunk } from "./duckdb-engine.ts";

/** How a query selects a column of strings, and what reads it. */
export interface TextColumn {
  /** Columns of the query. */
  readonly width: number;
  readonly sql: (column: string) => string;
  readonly read: (chunk: Chunk, columnIndex: number) => readonly (string | null)[];
}

const pieceBytes = 12;
const wordsPerEntry = 4;

/** For strings of up to `lengthMax` bytes of ASCII; it reads all others too, only slower. */
export function textColumn(lengthMax: number): TextColumn {
  const pieceCount = Math.ceil(lengthMax / pieceBytes);
  return textColumns[pieceCount] ?? plainText;
}

const plainText: TextColumn = {
  width: 1,
  sql: (column) => column,
  read: (chunk, columnIndex) => {
    const { words, isValid } = openEntries(chunk, columnIndex);
    const vector = chunk.getColumnVector(columnIndex);
    const pieces = new TextPieces([words]);
    return readRows(chunk.rowCount, isValid, (i) =>
      isShortAscii(words, i) ? pieces.read(i) : (vector.getItem(i) as string),
    );
  },
};

const textColumns: readonly TextColumn[] = [plainText, plainText, cutText(2), cutText(3)];

function cutText(pieceCount: number): TextColumn {
  return {
    width: pieceCount + 1,
    sql: (column) => {
      const pieces = Array.from(
        { length: pieceCount },
        (_, i) => `substring(${column}, ${i * pieceBytes + 1}, ${pieceBytes})`,
      );
      const isWhole = `strlen(${column}) > ${pieceCount * pieceBytes} OR strlen(${column}) <> length(${column})`;
      return `${pieces.join(", ")}, CASE WHEN ${isWhole} THEN ${column} END`;
    },
    read: (chunk, columnIndex) => {
      const { isValid } = openEntries(chunk, columnIndex);
      const isWhole = openEntries(chunk, columnIndex + pieceCount).isValid;
      const wholes = chunk.getColumnVector(columnIndex + pieceCount);
      const pieces = new TextPieces(
        Array.from({ length: pieceCount }, (_, i) => openEntries(chunk, columnIndex + i).words),
      );
      return readRows(chunk.rowCount, isValid, (i) =>
        isWhole(i) ? (wholes.getItem(i) as string) : pieces.read(i),
      );
    },
  };
}

function readRows(
  rowCount: number,
  isValid: (index: number) => boolean,
  read: (index: number) => string,
): readonly (string | null)[] {
  const texts = new Array<string | null>(rowCount);
  for (let i = 0; i < rowCount; i++) texts[i] = isValid(i) ? read(i) : null;
  return texts;
}

/** Bytes past a string's end are zero, and those of ASCII have no high bit. */
function isShortAscii(words: Int32Array, index: number): boolean {
  const at = index * wordsPerEntry;
  if ((words[at] as number) > pieceBytes) return false;
  const bits = (words[at + 1] as number) | (words[at + 2] as number) | (words[at + 3] as number);
  return (bits & 0x80808080) === 0;
}

/** Joins the pieces of a row. A row that equals the one read before, as in a sorted column, is it. */
class TextPieces {
  readonly #pieces: readonly Int32Array[];
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  #length = -1;
  #text = "";

  constructor(pieces: readonly Int32Array[]) {
    this.#pieces = pieces;
    this.#bytes = Buffer.alloc(pieces.length * pieceBytes);
    this.#words = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset, pieces.length * 3);
  }

  read(index: number): string {
    const at = index * wordsPerEntry;
    let length = 0;
    let changed = false;
    let into = 0;
    for (const words of this.#pieces) {
      for (let i = 1; i < wordsPerEntry; i++) {
        const word = words[at + i] as number;
        if (this.#words[into] !== word) {
          this.#words[into] = word;
          changed = true;
        }
        into++;
      }
      length += words[at] as number;
      if ((words[at] as number) < pieceBytes) break;
    }
    if (changed || length !== this.#length) {
      this.#length = length;
      this.#text = this.#bytes.toString("latin1", 0, length);
    }
    return this.#text;
  }
}

interface Entries {
  readonly words: Int32Array;
  readonly isValid: (index: number) => boolean;
}

function openEntries(chunk: Chunk, columnIndex: number): Entries {
  const vector = chunk.getColumnVector(columnIndex) as unknown as {
    readonly dataView?: DataView;
    readonly validity?: { readonly data: BigUint64Array | null };
  };
  assert(vector.dataView !== undefined, "a vector of strings has entries");
  assert(vector.validity !== undefined, "a vector of strings has a validity");
  const { buffer, byteOffset, byteLength } = vector.dataView;
  return {
    words: new Int32Array(buffer, byteOffset, byteLength / 4),
    isValid: validityTest(vector.validity.data),
  };
}

/** Whether the item of an index is there; null stands for a vector without nulls. */
export function validityTest(bits: BigUint64Array | null): (index: number) => boolean {
  if (bits === null) return () => true;
  const words = new Uint32Array(bits.buffer, bits.byteOffset, bits.length * 2);
  return (index) => (((words[index >>> 5] as number) >>> (index & 31)) & 1) === 1;
}
