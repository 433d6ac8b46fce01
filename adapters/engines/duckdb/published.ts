/** The entities that a view ever published: those that are gone, and those that are deleted. */

import { join } from "node:path";
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
import { emptyRelation } from "./stored-columns.ts";
import type { StoredColumn } from "./stored-columns.ts";
import { textColumn } from "./text-columns.ts";

const entityText = textColumn(0);

const entityColumns: readonly StoredColumn<string>[] = [
  { name: "entity", type: "VARCHAR", read: (entity) => entity },
];

/** Under the cut's name; a second run of the same cut adds what it brings anew. */
export async function rememberCovered(parts: StoreParts, request: ScanRequest): Promise<void> {
  await rememberEntities(parts, request.view, {
    name: String(request.cut),
    entities: await selectCovered(parts, request),
  });
}

/**
 * Remembers the entities that no earlier file holds: what was ever published is the union of them
 * all, so a file with all of each run's would repeat nearly all of the one before.
 */
export async function rememberEntities(
  { engine, layout }: StoreParts,
  view: ViewDefinition,
  { name, entities }: { readonly name: string; readonly entities: string },
): Promise<void> {
  const directory = layout.published(view);
  const earlier = selectPublished(await layout.listPublished(view));
  const targetOf = (attempt: number) =>
    join(directory, attempt === 0 ? `${name}.parquet` : `${name}.${attempt}.parquet`);
  await commitFile(targetOf, (path) =>
    engine.run(
      `COPY (SELECT entity FROM (${entities}) AS s ANTI JOIN (${earlier}) AS e USING (entity)
         WHERE strlen(entity) <= ${limits.entityKeyBytesMax})
       TO ${literal(path)} (${parquetOptions("zstd")})`,
    ),
  );
}

/**
 * Remembers whose rows a purge took out of the segments of an epoch, other than those it was for:
 * their stream records hold partials of it until they are collected.
 */
export async function rememberPurged(
  { engine, layout }: StoreParts,
  view: ViewDefinition,
  { epoch, entities }: { readonly epoch: number; readonly entities: string },
): Promise<void> {
  const directory = layout.purged(view);
  const targetOf = (attempt: number) =>
    join(directory, attempt === 0 ? `${epoch}.parquet` : `${epoch}.${attempt}.parquet`);
  await commitFile(targetOf, (path) =>
    engine.run(
      `COPY (SELECT DISTINCT entity FROM (${entities}) WHERE strlen(entity) <= ${limits.entityKeyBytesMax})
       TO ${literal(path)} (${parquetOptions("zstd")})`,
    ),
  );
}

/** Those of epochs in a range. */
export async function* streamPurged(
  parts: StoreParts,
  view: ViewDefinition,
  epochs: EpochRange,
): AsyncGenerator<readonly string[], void, undefined> {
  const files = await parts.layout.listPurged(view, epochs);
  if (files.length === 0) return;
  const entities = `SELECT DISTINCT entity FROM (${selectPublished(files)})`;
  yield* streamEntities(parts, withoutDeleted(await findDeletions(parts), view, entities));
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
    const all = { afterEpoch: -Infinity, throughEpoch: Infinity };
    const files = [...(await layout.listPublished(view)), ...(await layout.listPurged(view, all))];
    if (files.length === 0) return;
    const named = await connection.runAndReadAll(
      `SELECT DISTINCT filename FROM ${parquetFiles(files, ", filename = true")}
       SEMI JOIN ${relation} AS f USING (entity)`,
    );
    for (const [file] of named.getRows() as [string][]) {
      const next = await replaceFile(file, async (path) => {
        await connection.run(
          `COPY (SELECT entity FROM ${parquetFiles([file])} ANTI JOIN ${relation} AS f USING (entity))
           TO ${literal(path)} (${parquetOptions("zstd")})`,
        );
      });
      if (next === null) throw new ReplacedError(file);
    }
  });
  for (const directory of [layout.published(view), layout.purged(view)]) {
    await removeLeftOvers(directory, { deep: true });
  }
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
  const segments = await parts.layout.listSegments(view.source.name, epochs);
  const files = await listDayFiles(segments, allTime);
  if (files.length === 0) return present;
  const deletions = await deletionsIn(parts, view.source, segments);
  const keys = selectSegmentKeys(view.joinKeys, { files, deletions });
  return `${present} UNION SELECT ${entityOfKeys(view)} AS entity FROM (${keys})`;
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
  return files.length === 0
    ? emptyRelation([{ name: "entity", type: "VARCHAR" }])
    : `SELECT entity FROM ${parquetFiles(files)}`;
}

function streamEntities(
  { engine }: StoreParts,
  sql: string,
): AsyncGenerator<readonly string[], void, undefined> {
  return engine.stream(sql, (chunk) => entityText.read(chunk, 0) as readonly string[]);
}
