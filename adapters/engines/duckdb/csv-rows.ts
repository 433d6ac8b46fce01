/**
 * CSV as RFC 4180 has it: commas, quotes that hold commas and line ends, the first line the header.
 * A cell that is empty and not quoted is null. Lines that are wholly empty are no rows.
 */

import { parse } from "csv-parse";
import type { Parser } from "csv-parse";
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

type Line = readonly (string | null)[];

/** A quote that never ends would otherwise take the rest of the file into memory. */
const recordLengthMax = 4_000_000;

export class CsvParser implements RowParser {
  readonly #file: string;
  readonly #parser: Parser;
  #names: readonly string[] | null = null;
  #rows: ParsedRow[] = [];
  #failure: Error | null = null;

  constructor(file: string) {
    this.#file = file;
    this.#parser = parse({
      bom: true,
      // A wrong number of cells, and text beside a quote, are for the reader of rows to judge.
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      max_record_size: recordLengthMax,
      cast: (value, { quoting }) => (value === "" && !quoting ? null : value),
      // Lines are taken as they are parsed, so that good and bad ones keep their order.
      on_record: (line: Line) => {
        this.#take(line);
        return null;
      },
      on_skip: (error) => {
        if (error?.code === "CSV_MAX_RECORD_SIZE") this.#failure = error;
        else this.#rows.push(noRow("a quoted cell has no end"));
        return undefined;
      },
    });
    this.#parser.on("error", (error) => {
      this.#failure = error;
    });
  }

  push(text: string): readonly ParsedRow[] {
    this.#parser.write(text);
    return this.#taken();
  }

  end(): readonly ParsedRow[] {
    this.#parser.end();
    return this.#taken();
  }

  #take(line: Line): void {
    if (this.#names === null) this.#names = readHeader(this.#file, line);
    else this.#rows.push(readRow(this.#names, line));
  }

  #taken(): readonly ParsedRow[] {
    if (this.#failure instanceof FeatureError) throw this.#failure;
    if (this.#failure !== null) {
      throw new FeatureError(
        "INVALID_RECORD",
        `Cannot load "${this.#file}": one of its lines takes more than ${recordLengthMax} characters, expected a quote to close it`,
        { cause: this.#failure },
      );
    }
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
}

function readHeader(file: string, line: Line): readonly string[] {
  const names = line.map((cell) => cell ?? "");
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw new FeatureError(
    "INVALID_RECORD",
    `Cannot load "${file}": its header names "${twice.slice(0, 64)}" twice, expected each column once`,
  );
}

function readRow(names: readonly string[], line: Line): ParsedRow {
  if (line.length !== names.length) {
    return noRow("the line has another number of cells than the header");
  }
  return { row: Object.fromEntries(names.map((name, i) => [name, line[i]])), problem: null };
}

export function noRow(problem: string): ParsedRow {
  return { row: {}, problem };
}
