/**
 * Entities as text: those of segments, those that a view ever published, those that are gone.
 * In SQL an entity is spelt as `entityKey` spells it.
 */

import { join } from "node:path";
import { limits } from "../../../src/core/limits.ts";
import type { Scalar } from "../../../src/core/value.ts";
import type { Column, ViewDefinition } from "../../../src/define/definition.ts";
import type { ScanRequest } from "../../../src/offline/offline-store.ts";
import { entityKey } from "../../../src/tile/keys.ts";
import { commitFile } from "./commit.ts";
import { literal, parquetFiles, parquetOptions } from "./duckdb-engine.ts";
import type { DuckdbEngine } from "./duckdb-engine.ts";
import { allTime, listDayFiles } from "./layout.ts";
import type { EpochRange, Layout } from "./layout.ts";
import { columnsReader } from "./read-columns.ts";
import { buildRowsQuery, selectSegmentKeys } from "./rows-query.ts";
import { emptyRelation } from "./stored-columns.ts";
import { textColumn } from "./text-columns.ts";

const entityColumn = textColumn(0);

/** What entities are read and published with. */
export interface EntityParts {
  readonly engine: DuckdbEngine;
  readonly layout: Layout;
}

/** The entities of segments of epochs in a range, each once. */
export async function* streamSegmentEntities(
  { engine, layout }: EntityParts,
  view: ViewDefinition,
  epochs: EpochRange,
): AsyncGenerator<readonly string[], void, undefined> {
  const segments = await layout.listSegments(view.source.name, epochs);
  const files = await listDayFiles(segments, allTime);
  if (files.length === 0) return;
  const keys = columnsReader(view.joinKeys.map(({ type }, i) => ({ name: `k${i}`, type })));
  const entities = selectSegmentKeys(view.joinKeys, files);
  yield* engine.stream(`SELECT ${keys.sql.join(", ")} FROM (${entities})`, (chunk) => {
    const columns = keys.read(chunk, 0) as readonly (readonly Scalar[])[];
    return Array.from({ length: chunk.rowCount }, (_, row) =>
      entityKey(columns.map((column) => column[row] as Scalar)),
    );
  });
}

/**
 * Remembers the entities that no earlier file holds: what was ever published is the union of them
 * all, so a file with all of each run's would repeat nearly all of the one before.
 */
export async function rememberPublished(
  { engine, layout }: EntityParts,
  request: ScanRequest,
): Promise<void> {
  const { view, cut } = request;
  const directory = layout.published(view);
  const earlier = selectPublished(await layout.listPublished(view));
  const present = await selectCovered(layout, request);
  const targetOf = (attempt: number) =>
    join(directory, attempt === 0 ? `${cut}.parquet` : `${cut}.${attempt}.parquet`);
  await commitFile(targetOf, (path) =>
    engine.run(
      `COPY (SELECT entity FROM (${present}) AS s ANTI JOIN (${earlier}) AS e USING (entity)
         WHERE strlen(entity) <= ${limits.entityKeyBytesMax})
       TO ${literal(path)} (${parquetOptions("zstd")})`,
    ),
  );
}

/** The entities that were ever published and that a scan does not bring. */
export async function* streamVanished(
  { engine, layout }: EntityParts,
  request: ScanRequest,
): AsyncGenerator<readonly string[], void, undefined> {
  const published = await layout.listPublished(request.view);
  if (published.length === 0) return;
  const present = await selectPresent(layout, request);
  yield* engine.stream(
    `SELECT entity FROM (SELECT DISTINCT entity FROM (${selectPublished(published)})) AS p
     ANTI JOIN (${present}) AS s USING (entity)`,
    (chunk) => entityColumn.read(chunk, 0) as readonly string[],
  );
}

/**
 * The entities that a run must publish: those of its scan, and for a view of streams every one in
 * the segments it covers. Events too old for any window, or corrected away, are in no scan, and yet
 * the stream partials that hold them are collected: without a batch record that would be a gap.
 */
async function selectCovered(layout: Layout, request: ScanRequest): Promise<string> {
  const { view, cut } = request;
  const present = await selectPresent(layout, request);
  if (view.kind === "batchView") return present;
  const epochs = { afterEpoch: -1, throughEpoch: cut };
  const segments = await layout.listSegments(view.source.name, epochs);
  const files = await listDayFiles(segments, allTime);
  if (files.length === 0) return present;
  const keys = selectSegmentKeys(view.joinKeys, files);
  return `${present} UNION SELECT ${entitySql(view.joinKeys)} AS entity FROM (${keys})`;
}

/** A scan's entities, each once. */
async function selectPresent(layout: Layout, request: ScanRequest): Promise<string> {
  const { sql } = await buildRowsQuery(layout, request);
  const { joinKeys } = request.view;
  const keys = joinKeys.map((_, i) => `k${i}`).join(", ");
  return `SELECT ${entitySql(joinKeys)} AS entity FROM (SELECT DISTINCT ${keys} FROM (${sql}))`;
}

/** `entityKey` of the columns k0, k1, ... of a rows query. */
export function entitySql(joinKeys: readonly Column[]): string {
  return joinKeys
    .map(({ type }, i) => (type === "string" ? escapeSql(`k${i}`) : `CAST(k${i} AS VARCHAR)`))
    .join(" || '|' || ");
}

const controls = [...Array.from({ length: 32 }, (_, code) => code), 127];

/** What is escaped in a key, "%" first, so that the escapes are not escaped again. */
const escapedCodes = ["%", "|", "/"].map((sign) => sign.charCodeAt(0)).concat(controls);

/** Few texts hold anything to escape, so that the replacements hardly ever run. */
function escapeSql(column: string): string {
  const replaced = escapedCodes.reduce(
    (text, code) => `replace(${text}, chr(${code}), '%${code.toString(16).padStart(2, "0")}')`,
    column,
  );
  return `CASE WHEN regexp_matches(${column}, '[%|/[:cntrl:]]') THEN ${replaced} ELSE ${column} END`;
}

function selectPublished(files: readonly string[]): string {
  return files.length === 0
    ? emptyRelation([{ name: "entity", type: "VARCHAR" }])
    : `SELECT entity FROM ${parquetFiles(files)}`;
}
