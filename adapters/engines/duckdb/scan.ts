/**
 * Scans: every event of a view's entities, entity by entity, in the order of time.
 *
 * A sort's memory grows with the number of runs that it merges. So what is much larger than the
 * memory is first cut by a hash of the entity into parts that a sort holds, one file each; they are
 * then sorted one after another, and no entity is in two of them.
 */

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Scalar, ScalarType } from "../../../src/core/value.ts";
import type { ScanChunk, ScanRequest } from "../../../src/offline/offline-store.ts";
import type { ViewDefinition } from "../../../src/define/definition.ts";
import type { Chunk, DuckdbEngine } from "./duckdb-engine.ts";
import { literal, parquetFiles, pathList } from "./duckdb-engine.ts";
import type { Layout } from "./layout.ts";
import { columnsReader, readInstants } from "./read-columns.ts";
import type { ColumnsReader, NamedColumn } from "./read-columns.ts";
import { buildRowsQuery } from "./rows-query.ts";
import type { RowsQuery } from "./rows-query.ts";

/** How much larger than the memory a single sort may be. */
const sortedMemoryRatioMax = 2;

/** How much of the memory a part takes. */
const partMemoryRatio = 0.5;

const partCountMax = 4_096;

export async function* scanRows(
  engine: DuckdbEngine,
  layout: Layout,
  request: ScanRequest,
): AsyncGenerator<ScanChunk, void, undefined> {
  const query = await buildRowsQuery(layout, request);
  const { byteCount, lengths } = await surveyFiles(engine, query);
  const plan = planColumns(request.view, lengths);
  if (byteCount <= engine.memoryBytesMax * sortedMemoryRatioMax) {
    yield* streamSorted(engine, plan, query.sql);
    return;
  }
  const directory = engine.temporaryPath();
  await mkdir(directory, { recursive: true });
  try {
    const partCount = Math.ceil(byteCount / (engine.memoryBytesMax * partMemoryRatio));
    for (const part of await writeParts(engine, {
      sql: query.sql,
      plan,
      directory,
      partCount: Math.min(partCount, partCountMax),
    })) {
      yield* streamSorted(engine, plan, `SELECT * FROM ${parquetFiles(part)}`);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Rows in the files that a scan reads, with those that it will drop. */
export async function estimateRows(
  engine: DuckdbEngine,
  layout: Layout,
  request: ScanRequest,
): Promise<number> {
  const { files } = await buildRowsQuery(layout, request);
  return countRows(engine, files);
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
  const idColumns = view.source.id === null ? [] : [column("id", "string")];
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

interface Parts {
  readonly sql: string;
  readonly plan: ScanPlan;
  readonly directory: string;
  readonly partCount: number;
}

/** Returns the files of each part. */
async function writeParts(
  engine: DuckdbEngine,
  { sql, plan, directory, partCount }: Parts,
): Promise<readonly (readonly string[])[]> {
  await engine.run(
    `COPY (SELECT ${plan.columns.join(", ")}, hash(${plan.keys.join(", ")}) % ${partCount} AS part
       FROM (${sql}))
     TO ${literal(directory)} (${engine.parquetOptions("lz4")}, PARTITION_BY (part), OVERWRITE_OR_IGNORE)`,
  );
  const parts = await readdir(directory);
  return Promise.all(
    parts.map(async (part) => {
      const files = await readdir(join(directory, part));
      return files.map((file) => join(directory, part, file));
    }),
  );
}

interface Survey {
  /** About what the rows take in memory. */
  readonly byteCount: number;
  /** About how long the strings of a column are, by its name in the query. */
  readonly lengths: ReadonlyMap<string, number>;
}

/**
 * What the files' own statistics say. Parquet counts a text that repeats once, a row holds it every
 * time, so that each column counts as no less than its width in a row. The least and the greatest
 * strings of the row groups stand for all of them.
 */
async function surveyFiles(engine: DuckdbEngine, query: RowsQuery): Promise<Survey> {
  if (query.files.length === 0) return { byteCount: 0, lengths: new Map() };
  const stored = [...new Set(query.columns.map((column) => column.stored))];
  const rows = (await engine.rows(
    `SELECT path_in_schema,
       CAST(sum(greatest(total_uncompressed_size, num_values * ${rowWidthBytes})) AS DOUBLE),
       CAST(coalesce(max(greatest(strlen(stats_min_value), strlen(stats_max_value))), 0) AS DOUBLE)
     FROM parquet_metadata(${pathList(query.files)})
     WHERE path_in_schema IN (${stored.map(literal).join(", ")}) GROUP BY path_in_schema`,
  )) as readonly (readonly [column: string, byteCount: number, length: number])[];
  const lengths = new Map(rows.map(([column, , length]) => [column, length]));
  return {
    byteCount: rows.reduce((sum, [, byteCount]) => sum + byteCount, 0),
    lengths: new Map(query.columns.map((column) => [column.as, lengths.get(column.stored) ?? 0])),
  };
}

const rowWidthBytes = 16;

async function countRows(engine: DuckdbEngine, files: readonly string[]): Promise<number> {
  if (files.length === 0) return 0;
  const [counts] = await engine.rows(
    `SELECT CAST(sum(num_rows) AS DOUBLE) FROM parquet_file_metadata(${pathList(files)})`,
  );
  return counts?.[0] as number;
}
