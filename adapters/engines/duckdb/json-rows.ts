/** JSON lines: one value a line. Wholly empty lines are no rows. */

import { FeatureError } from "../../../src/core/errors.ts";
import type { RawRow } from "../../../src/define/definition.ts";
import { noRow } from "./csv-rows.ts";
import type { ParsedRow, RowParser } from "./csv-rows.ts";

const lineLengthMax = 4_000_000;

export class JsonLinesParser implements RowParser {
  readonly #file: string;
  #rest = "";

  constructor(file: string) {
    this.#file = file;
  }

  push(text: string): readonly ParsedRow[] {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > lineLengthMax) {
      throw new FeatureError(
        "INVALID_RECORD",
        `Cannot load "${this.#file}": one of its lines takes more than ${lineLengthMax} characters, expected one JSON object a line`,
      );
    }
    return parseLines(lines);
  }

  end(): readonly ParsedRow[] {
    return parseLines([this.#rest]);
  }
}

function parseLines(lines: readonly string[]): readonly ParsedRow[] {
  return lines.filter((line) => line.trim() !== "").map(parseLine);
}

/** What is JSON and no object is left to the reader of events to refuse. */
function parseLine(line: string): ParsedRow {
  try {
    return { row: JSON.parse(line) as RawRow, problem: null };
  } catch (cause) {
    if (cause instanceof SyntaxError) return noRow("the line is not JSON");
    throw cause;
  }
}
