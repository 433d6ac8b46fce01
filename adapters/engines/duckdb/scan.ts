/**
 * Scans: every event of a view's entities, entity by entity, in the order of time.
 *
 * A sort's memory grows with the number of runs that it merges. So what is much larger than the
 * memory is first cut by a hash of the entity into parts that a sort holds, one file each; they are
 * then sorted one after another, and no entity is in two of them.
 */

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Scalar } from "../../../src/core/value.ts";
import type { ScanChunk, ScanRequest } from "../../../src/offline/offline-store.ts";
import type { ViewDefinition } from "../../../src/define/definition.ts";
import type { Chunk, DuckdbEngine } from "./duckdb-engine.ts";
import { literal, parquetFiles, pathList } from "./duckdb-engine.ts";
import type { Layout } from "./layout.ts";
import { columnReader, readInstants } from "./read-columns.ts";
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
  const byteCount = await estimateBytes(engine, query);
  const plan = planColumns(request.view);
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
  readonly view: ViewDefinition;
  /** Aliases of the join keys in a rows query. */
  readonly keys: readonly string[];
  /** Every column to be read, in order. */
  readonly columns: readonly string[];
  readonly order: readonly string[];
  readonly read: (chunk: Chunk) => ScanChunk;
}

function planColumns(view: ViewDefinition): ScanPlan {
  const keys = view.joinKeys.map((_, i) => `k${i}`);
  const ids = view.source.id === null ? [] : ["id"];
  const values = view.valueColumns.map((_, i) => `v${i}`);
  const keyReaders = view.joinKeys.map(({ type }) => columnReader(type));
  const valueReaders = view.valueColumns.map(({ type }) => columnReader(type));
  const readId = columnReader("string");
  const idIndex = keys.length + 1;
  const valueIndex = idIndex + ids.length;
  return {
    view,
    keys,
    columns: [...keys, "ts", ...ids, ...values],
    order: [...keys, "ts", ...ids],
    read: (chunk) => ({
      rowCount: chunk.rowCount,
      joinKeys: keyReaders.map((read, i) => read(chunk, i) as readonly Scalar[]),
      timestampsMs: readInstants(chunk, keys.length),
      ids:
        ids.length > 0
          ? (readId(chunk, idIndex) as readonly string[])
          : new Array<string>(chunk.rowCount).fill(""),
      values: valueReaders.map((read, i) => read(chunk, valueIndex + i)),
    }),
  };
}

/** DuckDB's order of strings is that of their bytes. */
function streamSorted(
  engine: DuckdbEngine,
  plan: ScanPlan,
  rows: string,
): AsyncGenerator<ScanChunk, void, undefined> {
  const columns = plan.columns.map((name) => (name === "ts" ? "CAST(ts AS DOUBLE)" : name));
  return engine.stream(
    `SELECT ${columns.join(", ")} FROM (${rows}) AS r
     ORDER BY ${plan.order.map((name) => `r.${name}`).join(", ")}`,
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
     TO ${literal(directory)} (FORMAT parquet, COMPRESSION lz4, PARTITION_BY (part), OVERWRITE_OR_IGNORE)`,
  );
  const parts = await readdir(directory);
  return Promise.all(
    parts.map(async (part) => {
      const files = await readdir(join(directory, part));
      return files.map((file) => join(directory, part, file));
    }),
  );
}

/**
 * About what the rows take in memory. Parquet counts a text that repeats once, a row holds it every
 * time, so that each column counts as no less than its width in a row.
 */
async function estimateBytes(engine: DuckdbEngine, query: RowsQuery): Promise<number> {
  if (query.files.length === 0) return 0;
  const columns = [...new Set(query.columns)].map(literal).join(", ");
  const [sizes] = await engine.rows(
    `SELECT CAST(sum(greatest(total_uncompressed_size, num_values * ${rowWidthBytes})) AS DOUBLE)
     FROM parquet_metadata(${pathList(query.files)})
     WHERE path_in_schema IN (${columns})`,
  );
  return (sizes?.[0] as number | null) ?? 0;
}

const rowWidthBytes = 16;

async function countRows(engine: DuckdbEngine, files: readonly string[]): Promise<number> {
  if (files.length === 0) return 0;
  const [counts] = await engine.rows(
    `SELECT CAST(sum(num_rows) AS DOUBLE) FROM parquet_file_metadata(${pathList(files)})`,
  );
  return counts?.[0] as number;
}
