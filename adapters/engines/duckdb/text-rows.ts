/** Reads a file of text in pieces, as rows with their places. */

import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { FeatureError } from "../../../src/core/errors.ts";
import type { RowPlace } from "../../../src/define/definition.ts";
import type { ParsedRow, RowParser } from "./csv-rows.ts";

export interface PlacedRow extends ParsedRow {
  readonly place: RowPlace;
}

export interface RowPiece {
  readonly rows: readonly PlacedRow[];
  /** How much of the file has been read. */
  readonly byteCount: number;
}

const pieceBytes = 1 << 18;

/** @throws FeatureError INVALID_RECORD when the file is not UTF-8. */
export async function* readTextRows(
  path: string,
  parser: RowParser,
): AsyncGenerator<RowPiece, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  const file = basename(path);
  let rowCount = 0;
  let byteCount = 0;
  const piece = (parsed: readonly ParsedRow[]): RowPiece => ({
    rows: parsed.map((row) => ({ ...row, place: { file, row: ++rowCount } })),
    byteCount,
  });
  for await (const bytes of createReadStream(path, { highWaterMark: pieceBytes })) {
    byteCount += (bytes as Buffer).length;
    const text = decode(path, () => decoder.decode(bytes as Buffer, { stream: true }));
    yield piece(parser.push(text));
  }
  yield piece([...parser.push(decode(path, () => decoder.decode())), ...parser.end()]);
}

function decode(path: string, body: () => string): string {
  try {
    return body();
  } catch (cause) {
    throw new FeatureError(
      "INVALID_RECORD",
      `Cannot load "${basename(path)}": it holds bytes that are not UTF-8, expected UTF-8 text`,
      { cause },
    );
  }
}
