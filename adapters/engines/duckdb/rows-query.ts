/**
 * The events of a scan as an SQL query: rows of segments, rows of loads that nothing else has,
 * corrections applied. Rows of deleted entities are not there from the start, so that they take the
 * place of no other; an event that is corrected into one is gone.
 *
 * The log has said which of its rows are new events, so none of them is dropped: an id that returns
 * past its redelivery horizon is another event. A row of a load yields to the log and to earlier
 * loads. An id's rows may lie on different days, so who wins is decided over all days, and only the
 * winners' columns are read from the days that the scan asks for.
 */

import type { Column, SourceDefinition, ViewDefinition } from "../../../src/define/definition.ts";
import type { ScanRequest } from "../../../src/offline/offline-store.ts";
import { deletionsIn } from "./clean-rows.ts";
import type { RowDeletions } from "./deletions.ts";
import { parquetFiles } from "./duckdb-engine.ts";
import { allTime, listDayFiles } from "./layout.ts";
import type { TimeRange } from "./layout.ts";
import { isDistinctLoad } from "./loads.ts";
import { listVisibleLoads } from "./registered-loads.ts";
import type { StoreParts } from "./store-parts.ts";
import { emptyRelation, storedName, storedType } from "./stored-columns.ts";
import type { StoredType } from "./stored-columns.ts";

export interface RowsQuery {
  /** Columns k0, k1, ... (join keys, none null), ts, id, v0, v1, ... (values). */
  readonly sql: string;
  /** The files that its rows come from; empty where there are none. */
  readonly files: readonly string[];
  /** The columns as the files have them, in the same order. */
  readonly columns: readonly SelectedColumn[];
  /** Null where none of the files holds a row of a deleted entity. */
  readonly deletions: RowDeletions | null;
}

export interface SelectedColumn {
  readonly stored: string;
  readonly type: StoredType;
  /** Its name in the query. */
  readonly as: string;
}

/** Where the events of a view's scans are. */
export function scannedSource({ history, source }: ViewDefinition): SourceDefinition {
  return history ?? source;
}

export async function buildRowsQuery(parts: StoreParts, request: ScanRequest): Promise<RowsQuery> {
  const { layout } = parts;
  const { joinKeys, valueColumns } = request.view;
  const source = scannedSource(request.view);
  const [segments, loads, corrections] = await Promise.all([
    layout.listSegments(source.name, { afterEpoch: loadEpochs, throughEpoch: request.cut }),
    listVisibleLoads(layout, source, request.cut),
    layout.listCorrections(source.name),
  ]);
  const directories = [...segments, ...loads];
  const deletions = await deletionsIn(parts, source, [...directories, ...corrections]);
  const files = await listDayFiles(directories, request);
  const deduplicates = source.id !== null && (await mayRepeat(segments, loads));
  const corrects = source.id !== null && corrections.length > 0;
  const ids = deduplicates || corrects ? await listDayFiles(directories, allTime) : [];
  const columns = selectColumns(joinKeys, valueColumns);
  const relations = [`events AS (${selectEvents({ files, deletions }, columns, deduplicates)})`];
  let events = "events";
  if (deduplicates) {
    relations.push(...deduplicate(events, { files: ids, deletions }));
    events = "distinct_events";
  }
  if (corrects) {
    relations.push(...correct(events, { ids: { files: ids, deletions }, corrections, columns }));
    events = "corrected_events";
  }
  return {
    sql: `WITH ${relations.join(",\n")}
      SELECT ${names(columns)} FROM ${events} WHERE ${conditions(joinKeys, request)}`,
    files,
    columns,
    deletions,
  };
}

/** The join keys of segments alone, as they came: not deduplicated, not corrected. */
export function selectSegmentKeys(joinKeys: readonly Column[], rows: StoredRows): string {
  const columns = selectColumns(joinKeys, []).filter(({ as }) => as.startsWith("k"));
  const present = joinKeys.map((_, i) => `k${i} IS NOT NULL`).join(" AND ");
  return `SELECT DISTINCT ${names(columns)} FROM (${selectEvents(rows, columns, false)}) WHERE ${present}`;
}

/** Rows of segments and loads, without those of deleted entities. */
export interface StoredRows {
  readonly files: readonly string[];
  readonly deletions: RowDeletions | null;
}

/** Every epoch comes after it. */
const loadEpochs = -Infinity;

/** Only rows of loads are dropped, and most loads have distinct ids among themselves. */
async function mayRepeat(segments: readonly string[], loads: readonly string[]): Promise<boolean> {
  const [load, ...others] = loads;
  if (load === undefined) return false;
  return segments.length > 0 || others.length > 0 || !(await isDistinctLoad(load));
}

export function selectColumns(
  joinKeys: readonly Column[],
  valueColumns: readonly Column[],
): readonly SelectedColumn[] {
  const select = (columns: readonly Column[], prefix: string) =>
    columns.map(({ name, type }, i) => ({
      stored: storedName(name),
      type: storedType(type),
      as: `${prefix}${i}`,
    }));
  return [
    ...select(joinKeys, "k"),
    { stored: "_ts", type: "BIGINT", as: "ts" },
    { stored: "_id", type: "VARCHAR", as: "id" },
    ...select(valueColumns, "v"),
  ];
}

export function selectEvents(
  rows: StoredRows,
  columns: readonly SelectedColumn[],
  ranked: boolean,
): string {
  const rank = ranked ? `, ${rankSql} AS place` : "";
  return `SELECT ${casts(columns)}${rank} FROM (${readRows(rows, columns)})`;
}

/** Files that lack a column, as those from before it was declared, hold nulls in it. */
export function readRows(
  { files, deletions }: StoredRows,
  columns: readonly Pick<SelectedColumn, "stored" | "type">[],
): string {
  const places = placeNames.map((stored) => ({ stored, type: "BIGINT" as const }));
  const none = emptyRows([...columns, ...places, ...(deletions?.columns ?? [])]);
  if (files.length === 0) return none;
  const rows = `(${none}) UNION ALL BY NAME SELECT * FROM ${parquetFiles(files)}`;
  return deletions === null ? rows : deletions.without(rows);
}

/** Each column once. */
export function emptyRows(columns: readonly Pick<SelectedColumn, "stored" | "type">[]): string {
  const wanted = new Map<string, StoredType>(columns.map(({ stored, type }) => [stored, type]));
  return emptyRelation([...wanted].map(([name, type]) => ({ name, type })));
}

const placeNames = ["_epoch", "_seq", "_origin"];

/**
 * A row's place in the order of precedence: one and the first for all of the log, then loads by name
 * and row, another for every row. A load's number has 52 bits, a row's 53.
 */
const rankSql = `CASE WHEN _epoch < 0
  THEN _origin::HUGEINT * ${2n ** 53n}::HUGEINT + _seq ELSE -1::HUGEINT END`;

/** Few ids repeat, so that what is joined is small; the grouping of all ids spills. */
function deduplicate(events: string, rows: StoredRows): readonly string[] {
  return [
    `repeated AS MATERIALIZED (SELECT _id, min(place) AS place
       FROM (SELECT _id, ${rankSql} AS place FROM (${readRows(rows, [idColumn])}))
       GROUP BY _id HAVING count(*) > 1)`,
    `distinct_events AS (SELECT e.* FROM ${events} AS e LEFT JOIN repeated AS r ON e.id = r._id
       WHERE r.place IS NULL OR r.place = e.place)`,
  ];
}

const idColumn: SelectedColumn = { stored: "_id", type: "VARCHAR", as: "id" };

interface Corrected {
  readonly ids: StoredRows;
  readonly corrections: readonly string[];
  readonly columns: readonly SelectedColumn[];
}

/** A correction of an event that the scan's epochs do not hold has nothing to correct yet. */
function correct(events: string, { ids, corrections, columns }: Corrected): readonly string[] {
  const { deletions } = ids;
  const relation = parquetFiles(corrections, ", filename = true");
  const none = emptyRows([...columns, ...(deletions?.columns ?? [])]);
  const number = `regexp_extract(filename, '(\\d+)(~\\d+)?\\.parquet$', 1)`;
  const version = `CAST(${number} AS HUGEINT) * ${2n ** 53n}::HUGEINT + _number`;
  const kept =
    deletions === null ? "corrections" : `(${deletions.without("SELECT * FROM corrections")})`;
  return [
    `corrections AS (SELECT *, ${version} AS version
       FROM ((${none}) UNION ALL BY NAME SELECT * FROM ${relation}))`,
    `newest AS MATERIALIZED (SELECT _id, max(version) AS version FROM corrections GROUP BY _id)`,
    `corrected_events AS (
       SELECT ${names(columns)} FROM ${events} AS e ANTI JOIN newest AS n ON e.id = n._id
       UNION ALL
       SELECT ${casts(columns)} FROM ${kept} AS c
       WHERE NOT _removed AND version IN (SELECT version FROM newest)
         AND _id IN (SELECT _id FROM (${readRows(ids, [idColumn])})))`,
  ];
}

function conditions(joinKeys: readonly Column[], { fromMs, untilMs }: TimeRange): string {
  const present = joinKeys.map((_, i) => `k${i} IS NOT NULL`);
  const bounds = [
    ...(Number.isFinite(fromMs) ? [`ts >= ${Math.ceil(fromMs)}`] : []),
    ...(Number.isFinite(untilMs) ? [`ts < ${Math.ceil(untilMs)}`] : []),
    ...(fromMs === Infinity || untilMs === -Infinity ? ["false"] : []),
  ];
  return [...present, ...bounds].join(" AND ");
}

function casts(columns: readonly SelectedColumn[]): string {
  return columns.map(({ stored, type, as }) => `CAST("${stored}" AS ${type}) AS ${as}`).join(", ");
}

function names(columns: readonly SelectedColumn[]): string {
  return columns.map(({ as }) => as).join(", ");
}
