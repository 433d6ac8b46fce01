/** Reads the rows of someone's Parquet file as plain values. */

import { stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  DuckDBArrayValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from "@duckdb/node-api";
import type { DuckDBValue } from "@duckdb/node-api";
import { toInt64 } from "../../../src/core/value.ts";
import { parquetFiles } from "./duckdb-engine.ts";
import type { DuckdbEngine } from "./duckdb-engine.ts";
import type { PlacedRow, RowPiece } from "./text-rows.ts";

/** Rows come in any order; each carries its place. */
export async function* readParquetRows(
  engine: DuckdbEngine,
  path: string,
): AsyncGenerator<RowPiece, void, undefined> {
  const file = basename(path);
  const { size } = await stat(path);
  const [counts] = await engine.rows(
    `SELECT CAST(count(*) AS DOUBLE) FROM ${parquetFiles([path])}`,
  );
  const rowCount = counts?.[0] as number;
  const relation = parquetFiles([path], ", file_row_number = true");
  let read = 0;
  yield* engine.stream(`SELECT * FROM ${relation}`, (chunk, result) => {
    const rows = readChunk(file, chunk.getRows(), result.columnNames());
    read += rows.length;
    return { rows, byteCount: Math.floor((size * read) / rowCount) };
  });
}

const numberColumn = "file_row_number";

function readChunk(
  file: string,
  chunk: readonly (readonly DuckDBValue[])[],
  names: readonly string[],
): readonly PlacedRow[] {
  // The file's own columns come first, so that one of this name does not hide the number.
  const numberIndex = names.lastIndexOf(numberColumn);
  return chunk.map((values) => {
    const row: Record<string, unknown> = {};
    names.forEach((name, i) => {
      if (i !== numberIndex) row[name] = toPlain(values[i] ?? null);
    });
    const place = { file, row: Number(values[numberIndex]) + 1 };
    return { row, problem: null, place };
  });
}

/** Instants become milliseconds, floored; integers int64s; other values that JSON has no form for become text. */
function toPlain(value: DuckDBValue): unknown {
  if (typeof value === "bigint") return toInt64(value);
  if (typeof value !== "object" || value === null) return value;
  const instantMs = instantOf(value);
  if (instantMs !== null) return instantMs;
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    return value.items.map(toPlain);
  }
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(
      Object.entries(value.entries).map(([name, entry]) => [name, toPlain(entry)]),
    );
  }
  if (value instanceof DuckDBMapValue) {
    return value.entries.map(({ key, value: entry }) => [toPlain(key), toPlain(entry)]);
  }
  return String(value);
}

/** Text for an instant that is infinite: no reader takes it for an instant. */
function instantOf(value: object): number | string | null {
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) {
    return value.isFinite ? floorToMs(value.micros, 1_000n) : String(value);
  }
  if (value instanceof DuckDBTimestampNanosecondsValue) {
    return value.isFinite ? floorToMs(value.nanos, 1_000_000n) : String(value);
  }
  if (value instanceof DuckDBTimestampMillisecondsValue) {
    return value.isFinite ? Number(value.millis) : String(value);
  }
  if (value instanceof DuckDBTimestampSecondsValue) {
    return value.isFinite ? Number(value.seconds) * 1_000 : String(value);
  }
  return null;
}

function floorToMs(value: bigint, unitsPerMs: bigint): number {
  const rest = ((value % unitsPerMs) + unitsPerMs) % unitsPerMs;
  return Number((value - rest) / unitsPerMs);
}
