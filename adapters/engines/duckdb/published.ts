/** The entities that a view ever published: those that are gone, and those that are deleted. */

import { basename, join } from "node:path";
import { limits } from "../../../src/core/limits.ts";
import type { ViewDefinition } from "../../../src/define/definition.ts";
import type { ScanRequest } from "../../../src/offline/offline-store.ts";
import { deletionsIn } from "./clean-rows.ts";
import { commitFile, replaceFile } from "./commit.ts";
import { findDeletions, selectDeleted, withoutDeleted } from "./deletions.ts";
import { literal, parquetFiles, parquetOptions } from "./duckdb-engine.ts";
import { entitySql } from "./entity-sql.ts";
import { allTime, listDayFiles } from "./layout.ts";
import type { EpochRange } from "./layout.ts";
import { removeLeftOvers } from "./left-overs.ts";
import { ReplacedError } from "./reread.ts";
import { buildRowsQuery, selectSegmentKeys } from "./rows-query.ts";
import { inOneBatch, stageRows } from "./staged-rows.ts";
import type { StoreParts } from "./store-parts.ts";
import { emptyRelation, loadEpoch } from "./stored-columns.ts";
import type { StoredColumn } from "./stored-columns.ts";
import { textColumn } from "./text-columns.ts";

const entityText = textColumn(0);

/** Begins the names of files that purges have written. */
const purgedName = "purged";

/** No record has a longer name. */
const isNameable = `strlen(entity) <= ${limits.entityKeyBytesMax}`;

const entityColumns: readonly StoredColumn<string>[] = [
  { name: "entity", type: "VARCHAR", read: (entity) => entity },
];

/**
 * Under the cut's name; a second run of the same cut adds what it brings anew. Only entities that no
 * earlier file holds: what was ever published is the union of them all, so a file with all of each
 * run's would repeat nearly all of the one before.
 */
export async function rememberCovered(parts: StoreParts, request: ScanRequest): Promise<void> {
  const { view, cut } = request;
  const earlier = selectPublished(await parts.layout.listPublished(view));
  await writePublished(parts, view, {
    name: String(cut),
    rows: `SELECT entity FROM (${await selectCovered(parts, request)}) AS s
      ANTI JOIN (${earlier}) AS e USING (entity)`,
  });
}

/**
 * Remembers whose rows a purge is about to take, with the epochs of the stream partials that hold
 * them. `rows` has the columns `entity` and `epoch`.
 */
export async function rememberPurged(
  parts: StoreParts,
  view: ViewDefinition,
  rows: string,
): Promise<void> {
  await writePublished(parts, view, {
    name: purgedName,
    rows: `SELECT DISTINCT entity, epoch FROM (${rows})`,
  });
}

async function writePublished(
  { engine, layout }: StoreParts,
  view: ViewDefinition,
  { name, rows }: { readonly name: string; readonly rows: string },
): Promise<void> {
  const directory = layout.published(view);
  const targetOf = (attempt: number) =>
    join(directory, attempt === 0 ? `${name}.parquet` : `${name}.${attempt}.parquet`);
  await commitFile(targetOf, (path) =>
    engine.run(
      `COPY (SELECT * FROM (${rows}) WHERE ${isNameable})
       TO ${literal(path)} (${parquetOptions("zstd")})`,
    ),
  );
}

/**
 * The entities with events in the segments of epochs in a range, also in rows that a purge has taken
 * out of them, but for deleted entities; each once.
 */
export async function* streamSegmentEntities(
  parts: StoreParts,
  view: ViewDefinition,
  epochs: EpochRange,
): AsyncGenerator<readonly string[], void, undefined> {
  const { afterEpoch, throughEpoch } = epochs;
  const published = await parts.layout.listPublished(view);
  const purged = published.filter((file) => basename(file).startsWith(purgedName));
  const taken = `SELECT entity FROM (${readPublished(purged)})
    WHERE epoch > ${Math.max(afterEpoch, loadEpoch)}
      AND epoch <= ${Math.min(throughEpoch, Number.MAX_SAFE_INTEGER)}`;
  const left = withoutDeleted(await findDeletions(parts), view, taken);
  const held = await selectSegments(parts, view, epochs);
  yield* streamEntities(parts, `SELECT entity FROM (${held} UNION (${left})) WHERE ${isNameable}`);
}

/** The entities that were ever published, that are not deleted and that a scan does not bring. */
export async function* streamVanished(
  parts: StoreParts,
  request: ScanRequest,
): AsyncGenerator<readonly string[], void, undefined> {
  const { view } = request;
  const files = await parts.layout.listPublished(view);
  if (files.length === 0) return;
  const published = `SELECT DISTINCT entity FROM (${selectPublished(files)})`;
  const left = withoutDeleted(await findDeletions(parts), view, published);
  const present = await selectPresent(parts, request);
  yield* streamEntities(
    parts,
    `SELECT entity FROM (${left}) AS p ANTI JOIN (${present}) AS s USING (entity)`,
  );
}

/** The entities that were ever published and that are deleted. */
export async function* streamDeleted(
  parts: StoreParts,
  view: ViewDefinition,
): AsyncGenerator<readonly string[], void, undefined> {
  const deletions = await findDeletions(parts);
  const files = await parts.layout.listPublished(view);
  if (deletions === null || files.length === 0) return;
  const deleted = selectDeleted(deletions, view, selectPublished(files));
  yield* streamEntities(parts, `SELECT DISTINCT entity FROM (${deleted})`);
}

/** Writes every file that names one of the entities anew, so that nothing tells of them. */
export async function forgetEntities(
  { engine, layout }: StoreParts,
  view: ViewDefinition,
  entities: readonly string[],
): Promise<void> {
  const staging = { columns: entityColumns, rows: inOneBatch(entities) };
  await stageRows(engine, staging, async (connection, { relation }) => {
    const files = await layout.listPublished(view);
    if (files.length === 0) return;
    const named = await connection.runAndReadAll(
      `SELECT DISTINCT filename FROM ${parquetFiles(files, ", filename = true")}
       SEMI JOIN ${relation} AS f USING (entity)`,
    );
    for (const [file] of named.getRows() as [string][]) {
      const next = await replaceFile(file, async (path) => {
        await connection.run(
          `COPY (SELECT * FROM ${parquetFiles([file])} ANTI JOIN ${relation} AS f USING (entity))
           TO ${literal(path)} (${parquetOptions("zstd")})`,
        );
      });
      if (next === null) throw new ReplacedError(file);
    }
  });
  await removeLeftOvers(layout.published(view), { deep: true });
}

/**
 * The entities that a run must publish: those of its scan, and for a view of streams every one in
 * the segments it covers. Events too old for any window, or corrected away, are in no scan, and yet
 * the stream partials that hold them are collected: without a batch record that would be a gap.
 */
async function selectCovered(parts: StoreParts, request: ScanRequest): Promise<string> {
  const { view, cut } = request;
  const present = await selectPresent(parts, request);
  if (view.kind === "batchView") return present;
  const epochs = { afterEpoch: -1, throughEpoch: cut };
  return `${present} UNION ${await selectSegments(parts, view, epochs)}`;
}

/** The entities of the segments of epochs in a range. */
async function selectSegments(
  parts: StoreParts,
  view: ViewDefinition,
  epochs: EpochRange,
): Promise<string> {
  const segments = await parts.layout.listSegments(view.source.name, epochs);
  const files = await listDayFiles(segments, allTime);
  const deletions = await deletionsIn(parts, view.source, segments);
  const keys = selectSegmentKeys(view.joinKeys, { files, deletions });
  return `SELECT ${entityOfKeys(view)} AS entity FROM (${keys})`;
}

/** A scan's entities, each once. */
async function selectPresent(parts: StoreParts, request: ScanRequest): Promise<string> {
  const { sql } = await buildRowsQuery(parts, request);
  const { view } = request;
  const keys = view.joinKeys.map((_, i) => `k${i}`).join(", ");
  return `SELECT ${entityOfKeys(view)} AS entity FROM (SELECT DISTINCT ${keys} FROM (${sql}))`;
}

/** Of the columns k0, k1, ... of a rows query. */
function entityOfKeys({ joinKeys }: ViewDefinition): string {
  return entitySql(joinKeys.map(({ type }, i) => ({ type, sql: `k${i}` })));
}

function selectPublished(files: readonly string[]): string {
  return `SELECT entity FROM (${readPublished(files)})`;
}

/** With `epoch`, which only those that a purge has remembered have. */
function readPublished(files: readonly string[]): string {
  const none = emptyRelation([
    { name: "entity", type: "VARCHAR" },
    { name: "epoch", type: "BIGINT" },
  ]);
  return files.length === 0
    ? none
    : `(${none}) UNION ALL BY NAME SELECT * FROM ${parquetFiles(files)}`;
}

function streamEntities(
  { engine }: StoreParts,
  sql: string,
): AsyncGenerator<readonly string[], void, undefined> {
  return engine.stream(sql, (chunk) => entityText.read(chunk, 0) as readonly string[]);
}
