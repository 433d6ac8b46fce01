/** Files of rows: CSV, JSON lines and Parquet, told apart by their extensions. */

import { readdir, realpath, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { FeatureError } from "../../../src/core/errors.ts";
import { CsvParser } from "./csv-rows.ts";
import { DuckdbEngine } from "./duckdb-engine.ts";
import { JsonLinesParser } from "./json-rows.ts";
import { readParquetRows } from "./parquet-rows.ts";
import { readTextRows } from "./text-rows.ts";
import type { PlacedRow, RowPiece } from "./text-rows.ts";

type RowReader = (engine: DuckdbEngine, path: string) => AsyncGenerator<RowPiece, void, undefined>;

const readers: Readonly<Record<string, RowReader>> = {
  ".csv": (_engine, path) => readTextRows(path, new CsvParser(basename(path))),
  ".jsonl": (_engine, path) => readTextRows(path, new JsonLinesParser(basename(path))),
  ".ndjson": (_engine, path) => readTextRows(path, new JsonLinesParser(basename(path))),
  ".parquet": readParquetRows,
};

/**
 * The rows of files in pieces, without a store: a row with a problem is empty, so that every source
 * refuses it. Paths are as `listRowFiles` takes them.
 *
 * @throws FeatureError as `listRowFiles`, and INVALID_RECORD for a file that cannot be read on.
 * @example
 * for await (const rows of readRows(["events.csv"])) console.log(rows.length);
 */
export async function* readRows(
  files: readonly string[],
  options: { readonly memoryBytesMax?: number } = {},
): AsyncGenerator<readonly PlacedRow[], void, undefined> {
  const engine = await DuckdbEngine.open({
    memoryBytesMax: options.memoryBytesMax ?? 256_000_000,
    threads: 2,
    temporaryDirectory: tmpdir(),
  });
  try {
    for (const path of await listRowFiles(files)) {
      for await (const { rows } of readFileRows(engine, path)) yield rows;
    }
  } finally {
    await engine.close();
  }
}

/** The rows of one of the paths that `listRowFiles` found. */
export function readFileRows(
  engine: DuckdbEngine,
  path: string,
): AsyncGenerator<RowPiece, void, undefined> {
  return (readers[extname(path).toLowerCase()] as RowReader)(engine, path);
}

/**
 * The files behind paths, each once: a directory stands for the files of rows in it, by name.
 *
 * @throws FeatureError NOT_FOUND for a path without any.
 */
export async function listRowFiles(files: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const file of files) {
    const path = await findPath(file);
    const isDirectory = (await stat(path)).isDirectory();
    const names = isDirectory ? (await readdir(path)).sort() : [];
    const paths = isDirectory ? names.map((name) => join(path, name)) : [path];
    const readable = paths.filter((each) => extname(each).toLowerCase() in readers);
    if (readable.length === 0) {
      const state = isDirectory ? "holds no file to load" : "has another extension";
      const wanted = Object.keys(readers).join(", ");
      throw new FeatureError("NOT_FOUND", `Cannot load "${file}": it ${state}, expected ${wanted}`);
    }
    for (const each of readable) found.add(await realpath(each));
  }
  return [...found];
}

async function findPath(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    const message = `Cannot load "${file}": there is no such file, expected a file or a directory`;
    throw new FeatureError("NOT_FOUND", message, { cause });
  }
}
