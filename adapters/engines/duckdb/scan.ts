/**
 * Scans: every event of a view's entities, entity by entity, in the order of time.
 *
 * What is larger than DuckDB sorts within its memory is first cut by a hash of the entity into files
 * that a sort holds, again and again if need be; they are then sorted one after another, and no
 * entity is in two of them.
 */

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Scalar, ScalarType } from "../../../src/core/value.ts";
import type { ScanChunk, ScanRequest } from "../../../src/offline/offline-store.ts";
import type { ViewDefinition } from "../../../src/define/definition.ts";
import type { Chunk, DuckdbEngine } from "./duckdb-engine.ts";
import { literal, parquetFiles, pathList } from "./duckdb-engine.ts";
import { columnsReader, readInstants } from "./read-columns.ts";
import type { ColumnsReader, NamedColumn } from "./read-columns.ts";
import { buildRowsQuery, readRows, scannedSource } from "./rows-query.ts";
import type { RowsQuery, StoredRows } from "./rows-query.ts";
import type { StoreParts } from "./store-parts.ts";

/** Parts differ in size: one of average size is so much smaller than the largest that is sorted. */
const partsPerSort = 2;

/** Files that are written at once: each takes memory of its own. */
const partCountMax = 32;

const hashBitsPerDepth = 16;

/** What is then too large still has few entities, and is left to the sort. */
const depthMax = 3;

export async function* scanRows(
  parts: StoreParts,
  request: ScanRequest,
): AsyncGenerator<ScanChunk, void, undefined> {
  const { engine } = parts;
  const query = await buildRowsQuery(parts, request);
  const survey = await surveyFiles(engine, query);
  const plan = planColumns(request.view, survey.lengths);
  yield* sortRows(engine, plan, { ...survey, sql: query.sql, depth: 0 });
}

/** Rows in the files that a scan reads, with those that it will drop, but for deleted entities'. */
export async function estimateRows(parts: StoreParts, request: ScanRequest): Promise<number> {
  return countRows(parts.engine, await buildRowsQuery(parts, request));
}

interface ScanPlan {
  /** Names of a rows query's columns: those that identify an entity, all, and the order of a scan. */
  readonly keys: readonly string[];
  readonly columns: readonly string[];
  readonly order: readonly string[];
  /** What `read` expects of a query. */
  readonly selected: readonly string[];
  readonly read: (chunk: Chunk) => ScanChunk;
}

function planColumns(view: ViewDefinition, lengths: ReadonlyMap<string, number>): ScanPlan {
  const column = (name: string, type: ScalarType): NamedColumn => ({
    name,
    type,
    lengthMax: lengths.get(name) ?? 0,
  });
  const keyColumns = view.joinKeys.map(({ type }, i) => column(`k${i}`, type));
  const valueColumns = view.valueColumns.map(({ type }, i) => column(`v${i}`, type));
  const idColumns = scannedSource(view).id === null ? [] : [column("id", "string")];
  const names = (columns: readonly NamedColumn[]) => columns.map(({ name }) => name);
  const [keys, ids, values] = [keyColumns, idColumns, valueColumns].map(columnsReader) as [
    ColumnsReader,
    ColumnsReader,
    ColumnsReader,
  ];
  const idIndex = keys.width + 1;
  return {
    keys: names(keyColumns),
    columns: [...names(keyColumns), "ts", ...names(idColumns), ...names(valueColumns)],
    order: [...names(keyColumns), "ts", ...names(idColumns)],
    selected: [...keys.sql, "CAST(ts AS DOUBLE)", ...ids.sql, ...values.sql],
    read: (chunk) => ({
      rowCount: chunk.rowCount,
      joinKeys: keys.read(chunk, 0) as readonly (readonly Scalar[])[],
      timestampsMs: readInstants(chunk, keys.width),
      ids:
        (ids.read(chunk, idIndex)[0] as readonly string[] | undefined) ??
        new Array<string>(chunk.rowCount).fill(""),
      values: values.read(chunk, idIndex + ids.width),
    }),
  };
}

interface UnsortedRows extends RowsSize {
  readonly sql: string;
  /** How often they have been cut. */
  readonly depth: number;
}

async function* sortRows(
  engine: DuckdbEngine,
  plan: ScanPlan,
  rows: UnsortedRows,
): AsyncGenerator<ScanChunk, void, undefined> {
  const { sortedBytesMax } = engine;
  if (rows.byteCount <= sortedBytesMax || rows.depth === depthMax) {
    yield* streamSorted(engine, plan, rows.sql);
    return;
  }
  const directory = engine.temporaryPath();
  await mkdir(directory, { recursive: true });
  try {
    const partCount = Math.ceil((rows.byteCount * partsPerSort) / sortedBytesMax);
    await writeParts(engine, plan, {
      ...rows,
      directory,
      partCount: Math.min(partCount, partCountMax),
    });
    for (const part of await readdir(directory)) {
      const path = join(directory, part);
      const files = (await readdir(path)).map((file) => join(path, file));
      const size = sumSizes(await surveyColumns(engine, files, plan.columns));
      const sql = `SELECT * FROM ${parquetFiles(files)}`;
      yield* sortRows(engine, plan, { ...size, sql, depth: rows.depth + 1 });
      await rm(path, { recursive: true });
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** DuckDB's order of strings is that of their bytes. */
function streamSorted(
  engine: DuckdbEngine,
  plan: ScanPlan,
  rows: string,
): AsyncGenerator<ScanChunk, void, undefined> {
  return engine.stream(
    `SELECT ${plan.selected.join(", ")}
     FROM (SELECT ${plan.columns.join(", ")} FROM (${rows}) ORDER BY ${plan.order.join(", ")})`,
    plan.read,
  );
}

/** By other bits of the hash at each depth: a part's rows share those that they were cut by. */
async function writeParts(
  engine: DuckdbEngine,
  plan: ScanPlan,
  parts: UnsortedRows & { readonly directory: string; readonly partCount: number },
): Promise<void> {
  const part = `(hash(${plan.keys.join(", ")}) >> ${parts.depth * hashBitsPerDepth}) % ${parts.partCount}`;
  await engine.use((connection) =>
    engine.copyParts(connection, {
      sql: `SELECT ${plan.columns.join(", ")}, ${part} AS part FROM (${parts.sql})`,
      by: "part",
      directory: parts.directory,
      rowBytes: parts.byteCount / parts.rowCount,
      compression: "lz4",
    }),
  );
}

interface RowsSize {
  readonly rowCount: number;
  /** About what they take in memory. */
  readonly byteCount: number;
}

interface Survey extends RowsSize {
  /** About how long the strings of a column are, by its name in the query. */
  readonly lengths: ReadonlyMap<string, number>;
}

async function surveyFiles(engine: DuckdbEngine, query: RowsQuery): Promise<Survey> {
  const stored = [...new Set(query.columns.map((column) => column.stored))];
  const columns = await surveyColumns(engine, query.files, stored);
  const lengths = new Map(columns.map(({ name, length }) => [name, length]));
  return {
    ...sumSizes(columns),
    lengths: new Map(query.columns.map((column) => [column.as, lengths.get(column.stored) ?? 0])),
  };
}

interface ColumnSurvey extends RowsSize {
  readonly name: string;
  /** About how long they are as text. */
  readonly length: number;
}

/**
 * What the files' own statistics say. A row group's least and greatest strings stand for all of its
 * strings: a dictionary holds one that repeats once, a row holds it every time.
 */
async function surveyColumns(
  engine: DuckdbEngine,
  files: readonly string[],
  names: readonly string[],
): Promise<readonly ColumnSurvey[]> {
  if (files.length === 0) return [];
  const rows = (await engine.rows(
    `WITH row_groups AS (
       SELECT path_in_schema AS name, num_values, total_uncompressed_size AS size,
         strlen(stats_min_value) AS least, strlen(stats_max_value) AS greatest,
         type = 'BYTE_ARRAY' AND contains(encodings, 'DICTIONARY') AS repeats
       FROM parquet_metadata(${pathList(files)})
       WHERE path_in_schema IN (${names.map(literal).join(", ")}))
     SELECT name, CAST(sum(num_values) AS DOUBLE),
       CAST(sum(${entryBytes} * num_values
         + CASE WHEN repeats THEN num_values * coalesce(least + greatest, 0) / 2 ELSE size END) AS DOUBLE),
       CAST(coalesce(max(greatest(least, greatest)), 0) AS DOUBLE)
     FROM row_groups GROUP BY name`,
  )) as readonly (readonly [string, number, number, number])[];
  return rows.map(([name, rowCount, byteCount, length]) => ({ name, rowCount, byteCount, length }));
}

/** What each value takes beside its bytes. */
const entryBytes = 8;

/** A file may lack a column; none has more values than rows. */
function sumSizes(columns: readonly RowsSize[]): RowsSize {
  return {
    rowCount: Math.max(0, ...columns.map(({ rowCount }) => rowCount)),
    byteCount: columns.reduce((sum, { byteCount }) => sum + byteCount, 0),
  };
}

async function countRows(engine: DuckdbEngine, rows: StoredRows): Promise<number> {
  const { files, deletions } = rows;
  if (files.length === 0) return 0;
  const [counts] = await engine.rows(
    deletions === null
      ? `SELECT CAST(sum(num_rows) AS DOUBLE) FROM parquet_file_metadata(${pathList(files)})`
      : `SELECT CAST(count(*) AS DOUBLE) FROM (${readRows(rows, [])})`,
  );
  return counts?.[0] as number;
}
