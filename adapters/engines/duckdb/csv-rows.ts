/**
 * CSV as RFC 4180 has it: commas, quotes that hold commas and line ends, the first line the header.
 * A cell that is empty and not quoted is null. Lines that are wholly empty are no rows.
 */

import { FeatureError } from "../../../src/core/errors.ts";
import type { RawRow } from "../../../src/define/definition.ts";

/** A row, or why its line is none. */
export interface ParsedRow {
  readonly row: RawRow;
  /** Null for a row; otherwise `row` is empty. Holds nothing of the line. */
  readonly problem: string | null;
}

/** Turns the text of one file, in pieces of any size, into rows. */
export interface RowParser {
  push(text: string): readonly ParsedRow[];
  /** The rows of what is left once the text is over. */
  end(): readonly ParsedRow[];
}

/** A quote that never ends would otherwise take the rest of the file into memory. */
const recordLengthMax = 4_000_000;

const quote = 34;
const comma = 44;
const lineFeed = 10;
const carriageReturn = 13;

interface Cell {
  readonly value: string | null;
  /** Of the comma or line end after it, or the end of the text. */
  readonly end: number;
  readonly wellFormed: boolean;
}

interface CsvRecord {
  readonly cells: readonly (string | null)[];
  /** Where the next one begins. */
  readonly next: number;
  readonly wellFormed: boolean;
}

export class CsvParser implements RowParser {
  readonly #file: string;
  #names: readonly string[] | null = null;
  #rest = "";

  constructor(file: string) {
    this.#file = file;
  }

  push(text: string): readonly ParsedRow[] {
    return this.#parse(this.#rest + text, false);
  }

  end(): readonly ParsedRow[] {
    return this.#parse(this.#rest, true);
  }

  #parse(text: string, final: boolean): readonly ParsedRow[] {
    const rows: ParsedRow[] = [];
    let start = 0;
    while (start < text.length) {
      const record = readRecord(text, start, final);
      if (record === null) break;
      start = record.next;
      const isEmpty = record.cells.length === 1 && record.cells[0] === null;
      if (isEmpty) continue;
      if (this.#names === null) this.#names = readHeader(this.#file, record);
      else rows.push(readRow(this.#names, record));
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > recordLengthMax) {
      throw new FeatureError(
        "INVALID_RECORD",
        `Cannot load "${this.#file}": one of its lines takes more than ${recordLengthMax} characters, expected a quote to close it`,
      );
    }
    return rows;
  }
}

function readHeader(file: string, { cells, wellFormed }: CsvRecord): readonly string[] {
  const names = cells.map((cell) => cell ?? "");
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined && wellFormed) return names;
  const state = twice === undefined ? "has a broken quote" : `names "${twice.slice(0, 64)}" twice`;
  throw new FeatureError(
    "INVALID_RECORD",
    `Cannot load "${file}": its header ${state}, expected each column once`,
  );
}

function readRow(names: readonly string[], { cells, wellFormed }: CsvRecord): ParsedRow {
  if (!wellFormed) return noRow("a quoted cell has text after its end, or no end");
  if (cells.length !== names.length) {
    return noRow("the line has another number of cells than the header");
  }
  const row: Record<string, string | null> = {};
  for (let i = 0; i < names.length; i++) row[names[i] as string] = cells[i] as string | null;
  return { row, problem: null };
}

export function noRow(problem: string): ParsedRow {
  return { row: {}, problem };
}

/** Null where the text ends before the record does. */
function readRecord(text: string, start: number, final: boolean): CsvRecord | null {
  const cells: (string | null)[] = [];
  let wellFormed = true;
  let position = start;
  for (;;) {
    const cell =
      text.charCodeAt(position) === quote
        ? readQuoted(text, position, final)
        : readPlain(text, position);
    if (cell === null) return null;
    cells.push(cell.value);
    wellFormed &&= cell.wellFormed;
    if (cell.end === text.length) {
      return final ? { cells, next: cell.end, wellFormed } : null;
    }
    if (text.charCodeAt(cell.end) === comma) {
      position = cell.end + 1;
      continue;
    }
    const isCarriageReturn = text.charCodeAt(cell.end) === carriageReturn;
    if (isCarriageReturn && cell.end + 1 === text.length && !final) return null;
    const isPair = isCarriageReturn && text.charCodeAt(cell.end + 1) === lineFeed;
    return { cells, next: cell.end + (isPair ? 2 : 1), wellFormed };
  }
}

function readPlain(text: string, start: number): Cell {
  const end = findEnd(text, start);
  return { value: end === start ? null : text.slice(start, end), end, wellFormed: true };
}

function readQuoted(text: string, start: number, final: boolean): Cell | null {
  let doubled = false;
  let close = text.indexOf('"', start + 1);
  while (close !== -1 && text.charCodeAt(close + 1) === quote) {
    doubled = true;
    close = text.indexOf('"', close + 2);
  }
  if (close === -1) return final ? { value: null, end: text.length, wellFormed: false } : null;
  const inside = text.slice(start + 1, close);
  const end = findEnd(text, close + 1);
  return {
    value: doubled ? inside.replaceAll('""', '"') : inside,
    end,
    wellFormed: end === close + 1,
  };
}

function findEnd(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === comma || code === lineFeed || code === carriageReturn) return i;
  }
  return text.length;
}
