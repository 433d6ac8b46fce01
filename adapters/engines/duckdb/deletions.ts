/**
 * Deletions: one file with a row for each deleted entity, which names its definition and holds a hash
 * of its join keys, so that nothing in the store tells who was deleted. Rows are told by the same
 * hash.
 */

import { FeatureError } from "../../../src/core/errors.ts";
import { groupBy } from "../../../src/core/group-by.ts";
import type {
  Column,
  EntityDefinition,
  SourceDefinition,
  ViewDefinition,
} from "../../../src/define/definition.ts";
import type { Deletion } from "../../../src/offline/offline-store.ts";
import { commitNewFile, replaceFile } from "./commit.ts";
import { literal, parquetFiles, parquetOptions } from "./duckdb-engine.ts";
import { entityPartSql, entitySql } from "./entity-sql.ts";
import { inOneBatch, stageRows } from "./staged-rows.ts";
import type { StoreParts } from "./store-parts.ts";
import { scalarColumn, storedName, storedType } from "./stored-columns.ts";
import type { StoredColumn, StoredType } from "./stored-columns.ts";

/** Every deletion there is, for as long as there is its file. */
export interface Deletions {
  readonly file: string;
  readonly entities: readonly EntityDefinition[];
}

/** What tells the rows of a source that deletions cover. Relations must have its columns. */
export interface RowDeletions {
  readonly file: string;
  readonly entities: readonly EntityDefinition[];
  readonly columns: readonly { readonly stored: string; readonly type: StoredType }[];
  /** A relation's rows of entities that are not deleted. */
  readonly without: (relation: string) => string;
  /** The others; a row of two deleted entities comes twice. */
  readonly covered: (relation: string) => string;
}

interface DeletedEntity {
  readonly entity: string;
  readonly hash: string;
}

const deletedColumns: readonly StoredColumn<DeletedEntity>[] = [
  { name: "entity", type: "VARCHAR", read: ({ entity }) => entity },
  { name: "hash", type: "VARCHAR", read: ({ hash }) => hash },
];

/** Each attempt but the last meets another putter that was faster. */
const attemptsMax = 100;

/** @throws FeatureError INVALID_REQUEST where join keys are not those of their entity. */
export async function writeDeletions(
  parts: StoreParts,
  deletions: readonly Deletion[],
): Promise<void> {
  const rows: DeletedEntity[] = [];
  for (const [definition, group] of groupBy(deletions, ({ entity }) => definitionOf(entity))) {
    const hashes = await hashDeletions(parts, group);
    rows.push(...hashes.map((hash) => ({ entity: definition, hash })));
  }
  if (rows.length === 0) return;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (await addDeleted(parts, rows)) return;
  }
  throw new FeatureError(
    "STORE_UNAVAILABLE",
    "Cannot put deletions: others keep putting theirs, expected fewer at once",
    { retryable: true },
  );
}

/** Null before the first deletion. */
export async function findDeletions({ engine, layout }: StoreParts): Promise<Deletions | null> {
  const file = await layout.findDeletions();
  if (file === null) return null;
  const rows = await engine.rows(`SELECT DISTINCT entity FROM ${parquetFiles([file])} ORDER BY 1`);
  return { file, entities: rows.map(([definition]) => entityOf(definition as string)) };
}

/** Null where no deletion can cover a row of the source. */
export function deletionsOfSource(
  { file, entities }: Deletions,
  source: SourceDefinition,
): RowDeletions | null {
  const own = entities.filter(({ joinKeys }) => joinKeys.every((key) => isColumn(source, key)));
  if (own.length === 0) return null;
  const keys = new Map(own.flatMap(({ joinKeys }) => joinKeys.map((key) => [key.name, key.type])));
  const hashes = own.map((entity) => hashSql(entity, entitySql(entity.joinKeys.map(storedKey))));
  const joined = (kind: string, hash: string, i: number) =>
    `${kind} JOIN ${parquetFiles([file])} AS d${i} ON ${hash} = d${i}.hash`;
  return {
    file,
    entities: own,
    columns: [...keys].map(([name, type]) => ({
      stored: storedName(name),
      type: storedType(type),
    })),
    without: (relation) =>
      `SELECT r.* FROM (${relation}) AS r ${hashes.map((hash, i) => joined("ANTI", hash, i)).join(" ")}`,
    covered: (relation) =>
      hashes
        .map((hash, i) => `SELECT r.* FROM (${relation}) AS r ${joined("SEMI", hash, i)}`)
        .join(" UNION ALL "),
  };
}

/** The entities of a view's records that are deleted, out of a relation of them. */
export function selectDeleted(
  deletions: Deletions,
  view: ViewDefinition,
  entities: string,
): string {
  const deleted = hashesOfView(deletions, view).map(
    (hash) =>
      `SELECT r.* FROM (${entities}) AS r SEMI JOIN ${parquetFiles([deletions.file])} AS d ON ${hash} = d.hash`,
  );
  return deleted.length === 0 ? `SELECT * FROM (${entities}) LIMIT 0` : deleted.join(" UNION ");
}

/** Those that are not. */
export function withoutDeleted(
  deletions: Deletions | null,
  view: ViewDefinition,
  entities: string,
): string {
  if (deletions === null) return entities;
  return hashesOfView(deletions, view).reduce(
    (relation, hash) =>
      `SELECT r.* FROM (${relation}) AS r ANTI JOIN ${parquetFiles([deletions.file])} AS d ON ${hash} = d.hash`,
    entities,
  );
}

/** For each entity of a view that has deletions the hash of its part of a column `entity`. */
function hashesOfView({ entities }: Deletions, view: ViewDefinition): readonly string[] {
  const deleted = new Set(entities.map(definitionOf));
  let index = 0;
  return view.entities.flatMap((entity) => {
    const part = entityPartSql("r.entity", { index, count: entity.joinKeys.length });
    index += entity.joinKeys.length;
    return deleted.has(definitionOf(entity)) ? [hashSql(entity, part)] : [];
  });
}

/** @returns false when somebody else has put deletions meanwhile. */
async function addDeleted(
  { engine, layout }: StoreParts,
  rows: readonly DeletedEntity[],
): Promise<boolean> {
  const file = await layout.findDeletions();
  let isDone = true;
  const staging = { columns: deletedColumns, rows: inOneBatch(rows) };
  await stageRows(engine, staging, async (connection, { relation }) => {
    const known = file === null ? null : parquetFiles([file]);
    const added =
      known === null
        ? `SELECT DISTINCT * FROM ${relation}`
        : `SELECT DISTINCT s.* FROM ${relation} AS s ANTI JOIN ${known} AS k USING (hash)`;
    const [count] = (await connection.runAndReadAll(`SELECT count(*) FROM (${added})`)).getRows();
    if (count?.[0] === 0n) return;
    const all = known === null ? added : `SELECT entity, hash FROM ${known} UNION ALL ${added}`;
    const write = async (path: string) => {
      await connection.run(`COPY (${all}) TO ${literal(path)} (${parquetOptions("zstd")})`);
    };
    isDone =
      file === null
        ? await commitNewFile(layout.deletions(), write)
        : (await replaceFile(file, write)) !== null;
  });
  return isDone;
}

async function hashDeletions(
  { engine }: StoreParts,
  deletions: readonly Deletion[],
): Promise<readonly string[]> {
  const { entity } = deletions[0] as Deletion;
  for (const { joinKeys } of deletions) checkJoinKeys(entity, joinKeys.length);
  const columns = entity.joinKeys.map(({ type }, i) =>
    scalarColumn<Deletion>({ name: `k${i}`, type }, ({ joinKeys }) => joinKeys[i] ?? null),
  );
  const keys = entity.joinKeys.map(({ type }, i) => ({ type, sql: `k${i}` }));
  const hashes: string[] = [];
  await stageRows(engine, { columns, rows: inOneBatch(deletions) }, async (connection, staged) => {
    const sql = `SELECT ${hashSql(entity, entitySql(keys))} FROM ${staged.relation}`;
    const rows = (await connection.runAndReadAll(sql)).getRows();
    hashes.push(...rows.map(([hash]) => hash as string));
  });
  return hashes;
}

function checkJoinKeys(entity: EntityDefinition, count: number): void {
  if (count === entity.joinKeys.length) return;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot delete an entity "${entity.name}": it is named by ${count} values, expected one for each of its ${entity.joinKeys.length} join keys`,
  );
}

/** Of the text of an entity. No two definitions give the same. */
function hashSql(entity: EntityDefinition, text: string): string {
  return `sha256(${literal(definitionOf(entity))} || ${text})`;
}

/** Its name and its join keys, in order. */
export function definitionOf({ name, joinKeys }: EntityDefinition): string {
  return JSON.stringify([name, ...joinKeys.map((key) => [key.name, key.type])]);
}

function entityOf(definition: string): EntityDefinition {
  const [name, ...keys] = JSON.parse(definition) as [string, ...[string, Column["type"]][]];
  return {
    kind: "entity",
    name,
    joinKeys: keys.map(([column, type]) => ({ name: column, type })),
  };
}

function isColumn(source: SourceDefinition, key: Column): boolean {
  return source.columns.some(({ name, type }) => name === key.name && type === key.type);
}

/** A file of a definition before may hold something else in the column, which is no key then. */
function storedKey({ name, type }: Column): {
  readonly type: Column["type"];
  readonly sql: string;
} {
  return { type, sql: `TRY_CAST(r."${storedName(name)}" AS ${storedType(type)})` };
}
