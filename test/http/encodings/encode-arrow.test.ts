/**
 * Arrow streams are read back by two readers that share nothing with the library that writes them:
 * the Rust implementation, which makes Parquet of them, and DuckDB, which reads that.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
} from "@duckdb/node-api";
import type { DuckDBConnection, DuckDBValue } from "@duckdb/node-api";
import { tableFromIPC } from "apache-arrow";
import * as fc from "fast-check";
import { Table, writeParquet } from "parquet-wasm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toInt64 } from "../../../src/core/value.ts";
import { encodeArrow } from "../../../src/http/encodings/arrow/encode-arrow.ts";
import { columnsOf } from "./typed-values.ts";
import type { TypedColumn } from "./typed-values.ts";

let folder: string;
let duckdb: DuckDBConnection;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tilemark-arrow-"));
  duckdb = await (await DuckDBInstance.create(":memory:", { threads: "1" })).connect();
});
afterAll(async () => {
  duckdb.closeSync();
  await rm(folder, { recursive: true });
});

async function readBack(columns: readonly TypedColumn[], rowCount: number) {
  const stream = encodeArrow({
    rowCount,
    columns: columns.map((column, i) => ({ ...column, name: `view.c${i}`, facts: {} })),
    facts: {},
  });
  const file = join(folder, "table.parquet");
  await writeFile(file, writeParquet(Table.fromIPCStream(stream)));
  const rows = await duckdb.runAndReadAll(`SELECT * FROM read_parquet('${file}')`);
  return { rows: rows.getRows().map((row) => row.map(asInMemory)), types: rows.columnTypes() };
}

test("DuckDB reads every value that encodeArrow() wrote", async () => {
  const tables = fc.nat({ max: 12 }).chain((rowCount) =>
    fc.record({
      rowCount: fc.constant(rowCount),
      columns: fc.array(columnsOf(rowCount), { minLength: 1, maxLength: 6 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(tables, async ({ rowCount, columns }) => {
      const { rows } = await readBack(columns, rowCount);
      const sent = Array.from({ length: rowCount }, (_, row) =>
        columns.map(({ values }) => values[row]),
      );
      expect(rows).toEqual(sent);
    }),
    { numRuns: 60 },
  );
});

test("encodeArrow() gives each type its own", async () => {
  const types = [
    ["int64", "BIGINT"],
    ["float64", "DOUBLE"],
    ["string", "VARCHAR"],
    ["boolean", "BOOLEAN"],
    ["timestamp", "TIMESTAMP WITH TIME ZONE"],
    [{ array: "float32" }, "FLOAT[]"],
    [{ map: { array: "int64" } }, "MAP(VARCHAR, BIGINT[])"],
    [
      { struct: { item: { struct: { price: "float64" } }, at: "timestamp" } },
      'STRUCT("item" STRUCT("price" DOUBLE), "at" TIMESTAMP WITH TIME ZONE)',
    ],
  ] as const;
  const columns = types.map(([type]) => ({ type, values: [null] }));
  const read = await readBack(columns, 1);
  expect(read.types.map(String)).toEqual(types.map(([, name]) => name));
});

test("encodeArrow() writes facts as metadata, and a table without rows with its columns", () => {
  const facts = { description: "Spent in an hour" };
  const columns = [{ name: "spend.sum", type: "float64", values: [], facts }] as const;
  const read = tableFromIPC(encodeArrow({ rowCount: 0, columns, facts: { sloInfo: "{}" } }));
  expect(read.numRows).toBe(0);
  expect(read.schema.metadata).toEqual(new Map([["sloInfo", "{}"]]));
  expect(read.schema.fields.map(({ name, metadata }) => [name, metadata])).toEqual([
    ["spend.sum", new Map([["description", "Spent in an hour"]])],
  ]);
});

/** A value that DuckDB gives, as it is in memory here: structs positional, maps as objects. */
function asInMemory(value: DuckDBValue): unknown {
  if (typeof value === "bigint") return toInt64(value);
  if (value instanceof DuckDBTimestampTZValue) return Number(value.micros / 1_000n);
  if (value instanceof DuckDBListValue) return value.items.map(asInMemory);
  if (value instanceof DuckDBStructValue) return Object.values(value.entries).map(asInMemory);
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(
      value.entries.map(({ key, value: each }) => [key as string, asInMemory(each)]),
    );
  }
  return value;
}
