/**
 * Loads of history: a file is put once, under a name derived from its own name and its bytes, since
 * the row's place in its file may be its identity. A load of several files is one load of each.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { FeatureError } from "../../../src/core/errors.ts";
import { readEvent, refusalReason } from "../../../src/define/read-event.ts";
import type { SourceDefinition } from "../../../src/define/definition.ts";
import type { LoadSummary } from "../../../src/offline/offline-store.ts";
import { commitDirectory } from "./commit.ts";
import { writeDayFiles } from "./day-files.ts";
import type { DuckdbEngine } from "./duckdb-engine.ts";
import { parquetFiles } from "./duckdb-engine.ts";
import { allTime, listDayFiles } from "./layout.ts";
import { listRowFiles, readFileRows } from "./read-rows.ts";
import type { StoreParts } from "./store-parts.ts";
import { loadEpoch, rowColumns } from "./stored-columns.ts";
import type { StoredRow } from "./stored-columns.ts";
import type { PlacedRow } from "./text-rows.ts";

export interface LoadProgress {
  readonly rows: number;
  readonly bytes: number;
  readonly bytesTotal: number;
}

export interface LoadOptions {
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** What is kept beside a load's rows. */
interface LoadReport {
  readonly read: number;
  readonly loaded: number;
  readonly skipped: readonly (readonly [reason: string, rowCount: number])[];
  /** Whether no two of its rows have the same event id; true where the source declares none. */
  readonly distinct: boolean;
}

interface FileLoad {
  readonly source: SourceDefinition;
  readonly path: string;
  readonly onRead: (rowCount: number, byteCount: number) => void;
}

const reportName = "load.json";

/** Reasons told apart in one summary; unknown columns could otherwise make any number of them. */
const reasonsMax = 100;

/**
 * Loads files of a source: CSV, JSON lines and Parquet by their extension; a directory stands for
 * all such files in it, by name. Rows that are no events are left out and counted by reason. Files
 * loaded before are counted under "already loaded", or make the summary `repeated` when all were.
 *
 * @throws FeatureError NOT_FOUND for a path without such a file, INVALID_RECORD for a broken file.
 */
export async function loadFiles(
  parts: StoreParts,
  request: { readonly source: SourceDefinition; readonly files: readonly string[] },
  options: LoadOptions = {},
): Promise<LoadSummary> {
  const paths = await listRowFiles(request.files);
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const bytesTotal = sizes.reduce((sum, size) => sum + size, 0);
  let rows = 0;
  let bytes = 0;
  const outcomes: FileOutcome[] = [];
  for (const [i, path] of paths.entries()) {
    const onRead = (rowCount: number, byteCount: number) =>
      options.onProgress?.({ rows: rows + rowCount, bytes: bytes + byteCount, bytesTotal });
    const outcome = await loadFile(parts, { source: request.source, path, onRead });
    outcomes.push(outcome);
    rows += outcome.report.read;
    bytes += sizes[i] ?? 0;
    options.onProgress?.({ rows, bytes, bytesTotal });
  }
  return summarize(outcomes);
}

/** Whether no two rows of a load have the same event id. */
export async function isDistinctLoad(directory: string): Promise<boolean> {
  return (await readReport(directory)).distinct;
}

interface FileOutcome {
  readonly report: LoadReport;
  readonly repeated: boolean;
}

async function loadFile({ engine, layout }: StoreParts, load: FileLoad): Promise<FileOutcome> {
  const name = await hashFile(load.path);
  const target = layout.load(load.source.name, name);
  const earlier = await findReport(target);
  if (earlier !== null) return { report: earlier, repeated: true };
  const counter = new RowCounter();
  const committed = await commitDirectory(target, async (directory) => {
    const rows = readRows(engine, { ...load, origin: originOf(name), counter });
    await writeDayFiles(engine, { directory, columns: rowColumns(load.source), rows });
    const distinct = load.source.id === null || (await hasDistinctIds(engine, directory));
    const report = counter.report(distinct);
    await writeFile(join(directory, reportName), JSON.stringify(report));
  });
  return { report: await readReport(target), repeated: !committed };
}

async function* readRows(
  engine: DuckdbEngine,
  load: FileLoad & { readonly origin: number; readonly counter: RowCounter },
): AsyncGenerator<readonly StoredRow[], void, undefined> {
  for await (const { rows, byteCount } of readFileRows(engine, load.path)) {
    const stored = rows.flatMap((row) => readRow(row, load) ?? []);
    load.onRead(load.counter.read, byteCount);
    if (stored.length > 0) yield stored;
  }
}

function readRow(
  { row, problem, place }: PlacedRow,
  scope: {
    readonly source: SourceDefinition;
    readonly origin: number;
    readonly counter: RowCounter;
  },
): StoredRow | null {
  const { source, origin, counter } = scope;
  counter.read++;
  if (problem !== null) return counter.skip(problem);
  try {
    const result = readEvent(source, row, place);
    if (result.kind === "filtered") return counter.skip(result.reason);
    counter.loaded++;
    return { ...result.event, epoch: loadEpoch, seq: place.row, arrivedAtMs: 0, origin };
  } catch (cause) {
    if (!(cause instanceof FeatureError) || cause.code !== "INVALID_RECORD") throw cause;
    return counter.skip(refusalReason(cause, place));
  }
}

class RowCounter {
  read = 0;
  loaded = 0;
  readonly #skipped = new Map<string, number>();

  skip(reason: string): null {
    const isNew = !this.#skipped.has(reason);
    const key = isNew && this.#skipped.size >= reasonsMax ? "other reasons" : reason;
    this.#skipped.set(key, (this.#skipped.get(key) ?? 0) + 1);
    return null;
  }

  report(distinct: boolean): LoadReport {
    const { read, loaded } = this;
    return { read, loaded, skipped: [...this.#skipped], distinct };
  }
}

/** The file's base name and content. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  // No file's name holds the separator.
  hash.update(`${basename(path)}\0`);
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer);
  return hash.digest("hex");
}

/** Orders loads as their names do, but for two in 2^52 of them. */
function originOf(name: string): number {
  return Number.parseInt(name.slice(0, 13), 16);
}

async function hasDistinctIds(engine: DuckdbEngine, directory: string): Promise<boolean> {
  const files = await listDayFiles([directory], allTime);
  if (files.length === 0) return true;
  const repeated = await engine.rows(
    `SELECT 1 FROM ${parquetFiles(files)} GROUP BY _id HAVING count(*) > 1 LIMIT 1`,
  );
  return repeated.length === 0;
}

async function findReport(directory: string): Promise<LoadReport | null> {
  try {
    return await readReport(directory);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}

async function readReport(directory: string): Promise<LoadReport> {
  return JSON.parse(await readFile(join(directory, reportName), "utf8")) as LoadReport;
}

function summarize(outcomes: readonly FileOutcome[]): LoadSummary {
  const repeated = outcomes.length > 0 && outcomes.every((outcome) => outcome.repeated);
  const skipped = new Map<string, number>();
  let read = 0;
  let loaded = 0;
  for (const { report, repeated: wasThere } of outcomes) {
    read += report.read;
    const isOld = wasThere && !repeated;
    if (!isOld) loaded += report.loaded;
    const reasons = isOld ? [["already loaded", report.read] as const] : report.skipped;
    for (const [reason, rowCount] of reasons) {
      skipped.set(reason, (skipped.get(reason) ?? 0) + rowCount);
    }
  }
  return { read, loaded, skipped, repeated };
}
