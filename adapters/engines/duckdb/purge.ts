/**
 * Takes the rows of deleted entities out of every file, one file after another: each is replaced
 * whole, and who dies in between leaves files that the next purge finds.
 */

import { dirname } from "node:path";
import type { SourceDefinition, ViewDefinition } from "../../../src/define/definition.ts";
import { markClean, readPutTimes, selectUnclean } from "./clean-rows.ts";
import { replaceFile } from "./commit.ts";
import { deletionsOfSource, findDeletions } from "./deletions.ts";
import type { RowDeletions } from "./deletions.ts";
import { literal, parquetFiles, parquetOptions } from "./duckdb-engine.ts";
import { entitySql } from "./entity-sql.ts";
import { allTime, listDayFiles } from "./layout.ts";
import type { Layout } from "./layout.ts";
import { removeLeftOvers } from "./left-overs.ts";
import { rememberPurged } from "./published.ts";
import { ReplacedError } from "./reread.ts";
import { emptyRows, scannedSource } from "./rows-query.ts";
import type { SelectedColumn } from "./rows-query.ts";
import type { StoreParts } from "./store-parts.ts";
import { storedName, storedType } from "./stored-columns.ts";

/** Files that one query looks at: DuckDB holds something of each. */
const filesPerQuery = 1_000;

export async function purgeSources(
  parts: StoreParts,
  views: readonly ViewDefinition[],
): Promise<void> {
  if ((await findDeletions(parts)) === null) return;
  const sources = views.flatMap((view) => [view.source, scannedSource(view)]);
  for (const source of new Map(sources.map((each) => [each.name, each])).values()) {
    await purgeSource(parts, source, viewsOf(views, source));
  }
  await removeLeftOvers(parts.layout.root, { deep: true });
  await parts.engine.removeLeftOvers();
}

/** Those that scan a source, and those whose stream it is. */
function viewsOf(
  views: readonly ViewDefinition[],
  { name }: SourceDefinition,
): readonly ViewDefinition[] {
  return views.filter((view) => view.source.name === name || view.history?.name === name);
}

async function purgeSource(
  parts: StoreParts,
  source: SourceDefinition,
  views: readonly ViewDefinition[],
): Promise<void> {
  const { layout } = parts;
  const all = await findDeletions(parts);
  const deletions = all === null ? null : deletionsOfSource(all, source);
  if (deletions === null) return;
  const putTimes = await readPutTimes(await listPaths(layout, source));
  const unclean = await selectUnclean(layout, source, { deletions, putTimes });
  if (unclean.length === 0) return;
  const covered = await findCovered(parts, deletions, await listFiles(layout, source, unclean));
  for (const view of covered.length === 0 ? [] : views) {
    await rememberPurged(parts, view, selectEntities(view, { files: covered, deletions }));
  }
  const clean = new Map(putTimes);
  for (const file of covered) {
    const isCorrection = clean.delete(file);
    const next = await purgeFile(parts, { file, deletions, isCorrection });
    for (const put of isCorrection ? await readPutTimes([next]) : []) clean.set(...put);
  }
  await markClean(layout, source, { deletions, putTimes: clean });
}

/** Directories of segments and loads, and files of corrections. */
async function listPaths(layout: Layout, { name }: SourceDefinition): Promise<readonly string[]> {
  const lists = await Promise.all([
    layout.listSegments(name, { afterEpoch: -Infinity, throughEpoch: Infinity }),
    layout.listLoads(name),
    layout.listCorrections(name),
  ]);
  return lists.flat();
}

async function listFiles(
  layout: Layout,
  { name }: SourceDefinition,
  paths: readonly string[],
): Promise<readonly string[]> {
  const isCorrection = (path: string) => dirname(path) === layout.corrections(name);
  const directories = paths.filter((path) => !isCorrection(path));
  return [...(await listDayFiles(directories, allTime)), ...paths.filter(isCorrection)];
}

/** Those of the files that hold a row of a deleted entity. */
async function findCovered(
  { engine }: StoreParts,
  deletions: RowDeletions,
  files: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let i = 0; i < files.length; i += filesPerQuery) {
    const rows = selectStored({ files: files.slice(i, i + filesPerQuery), deletions });
    const names = await engine.rows(`SELECT DISTINCT filename FROM (${deletions.covered(rows)})`);
    found.push(...names.map(([name]) => name as string));
  }
  return found;
}

interface UnpurgedFiles {
  readonly files: readonly string[];
  readonly deletions: RowDeletions;
}

function selectStored(
  { files, deletions }: UnpurgedFiles,
  columns: readonly Pick<SelectedColumn, "stored" | "type">[] = [],
): string {
  return `(${emptyRows([...columns, ...deletions.columns])})
    UNION ALL BY NAME SELECT * FROM ${parquetFiles(files, ", filename = true")}`;
}

/** Whom a view has in the rows of deleted entities, with their epochs. */
function selectEntities({ joinKeys }: ViewDefinition, unpurged: UnpurgedFiles): string {
  const columns = joinKeys.map(({ name, type }) => ({
    stored: storedName(name),
    type: storedType(type),
  }));
  const keys = joinKeys.map(({ type }, i) => {
    const { stored, type: as } = columns[i] as (typeof columns)[number];
    return { type, sql: `TRY_CAST("${stored}" AS ${as})` };
  });
  const rows = selectStored(unpurged, [...columns, { stored: "_epoch", type: "BIGINT" }]);
  return `SELECT ${entitySql(keys)} AS entity, _epoch AS epoch
    FROM (${unpurged.deletions.covered(rows)})`;
}

interface UnpurgedFile {
  readonly file: string;
  readonly deletions: RowDeletions;
  readonly isCorrection: boolean;
}

/** Resolves with the file that is in its place. @throws ReplacedError when somebody else was faster. */
async function purgeFile(
  { engine }: StoreParts,
  { file, deletions, isCorrection }: UnpurgedFile,
): Promise<string> {
  const rows = `(${emptyRows(deletions.columns)}) UNION ALL BY NAME SELECT * FROM ${parquetFiles([file])}`;
  // An event that was corrected into one of a deleted entity is gone, and does not come back as what
  // it was before.
  const removals = `SELECT DISTINCT _id, _number, true AS _removed FROM (${deletions.covered(rows)})`;
  const kept = deletions.without(rows);
  const sql = isCorrection ? `(${kept}) UNION ALL BY NAME ${removals}` : kept;
  const next = await replaceFile(file, (path) =>
    engine.run(`COPY (${sql}) TO ${literal(path)} (${parquetOptions("zstd")})`),
  );
  if (next === null) throw new ReplacedError(file);
  return next;
}
