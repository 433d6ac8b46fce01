/** Sources: where a view's events come from, and how a raw row becomes one. */

import type { Duration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ScalarType } from "../core/value.ts";
import { brandDefinition } from "./brand.ts";
import {
  checkCount,
  checkFields,
  checkFunction,
  checkName,
  checkObject,
  checkScalarType,
  readDuration,
  readText,
} from "./check.ts";
import type { Column, RawRow, RowPlace, SourceDefinition } from "./definition.ts";
import type { carriedTypes, ColumnTypes, Flat } from "./feature-types.ts";

/** A source, with its column types for the views over it. */
export interface Source<
  Name extends string = string,
  Columns extends ColumnTypes = ColumnTypes,
> extends SourceDefinition {
  readonly name: Name;
  /** Of `map` and `filter`: raise it when they change, since it changes what views hold. */
  readonly version: string | null;
  readonly [carriedTypes]?: { readonly columns: Columns };
}

export interface StreamSource<
  Name extends string = string,
  Columns extends ColumnTypes = ColumnTypes,
> extends Source<Name, Columns> {
  readonly kind: "streamSource";
}

export interface BatchSource<
  Name extends string = string,
  Columns extends ColumnTypes = ColumnTypes,
> extends Source<Name, Columns> {
  readonly kind: "batchSource";
}

export interface SourceConfig<Columns, Timestamp, Id> {
  /**
   * The column that orders the events. Where `columns` lists no column of type `timestamp` it is
   * implied; where it lists one, this must be one it lists.
   */
  readonly timestamp: Timestamp;
  /** The column that identifies an event; implied where `timestamp` is, else one `columns` lists. */
  readonly id?: Id;
  readonly columns: Columns;
  /** Runs before anything else sees a row. Must be pure. */
  readonly map?: (row: RawRow, place: RowPlace | null) => RawRow;
  /** Runs on the mapped row; false drops it, and so does a text that says why. Must be pure. */
  readonly filter?: (row: RawRow) => boolean | string;
  /** Of `map` and `filter`: raise it when they change. */
  readonly version?: string;
}

export interface StreamSourceConfig<Columns, Timestamp, Id> extends SourceConfig<
  Columns,
  Timestamp,
  Id
> {
  /** The event log it appends to; `main` where left out. */
  readonly log?: string;
  /** How long, in event time, an event id is remembered; `7d` where left out. */
  readonly redeliveryHorizon?: Duration;
}

type NamesOfType<Columns, Type extends ScalarType> = {
  [Name in keyof Columns & string]: Columns[Name] extends Type ? Name : never;
}[keyof Columns & string];

/** The names `timestamp` may take: any where it is implied, save a column of another type. */
export type TimestampRule<Columns, Timestamp> = string extends keyof Columns
  ? Timestamp
  : [NamesOfType<Columns, "timestamp">] extends [never]
    ? Exclude<Timestamp, keyof Columns>
    : NamesOfType<Columns, "timestamp">;

/** The names `id` may take: a listed string column, or any new one where `timestamp` is implied. */
export type IdRule<Columns, Id> = string extends keyof Columns
  ? Id
  : [NamesOfType<Columns, "timestamp">] extends [never]
    ? Exclude<Id, keyof Columns> | NamesOfType<Columns, "string">
    : NamesOfType<Columns, "string">;

/** All columns, the implied ones included. */
export type AllColumns<Columns extends ColumnTypes, Timestamp, Id> = Flat<
  Columns &
    Readonly<Record<Timestamp & string, "timestamp">> &
    Readonly<Record<Id & string, "string">>
>;

/** What is checked of a config beyond its shape: the names of its timestamp and its id. */
export interface SourceRules<Columns, Timestamp, Id> {
  readonly timestamp: TimestampRule<Columns, Timestamp>;
  readonly id?: IdRule<Columns, Id>;
}

/**
 * Declares a source whose events stream in through ingest.
 *
 * @throws DefinitionError when a name, a type or a duration is not allowed.
 * @example
 * const transactions = streamSource("transactions", {
 *   timestamp: "ts",
 *   id: "id",
 *   columns: { user_id: "string", amt: "float64" },
 * });
 */
export function streamSource<
  const Name extends string,
  const Columns extends ColumnTypes,
  const Timestamp extends string,
  const Id extends string = never,
>(
  name: Name,
  config: StreamSourceConfig<Columns, Timestamp, Id> & SourceRules<Columns, Timestamp, Id>,
): StreamSource<Name, AllColumns<Columns, Timestamp, Id>> {
  const prefix = `Cannot define source "${name}"`;
  checkObject(prefix, "its config", config);
  checkFields(prefix, config, [...sourceFields, "log", "redeliveryHorizon"]);
  const { log = "main", redeliveryHorizon = "7d" } = config;
  checkName(prefix, "log", log);
  const redeliveryHorizonMs = readDuration(prefix, "redeliveryHorizon", redeliveryHorizon);
  const fields = readFields(prefix, name, config);
  return brandDefinition<StreamSource<Name, AllColumns<Columns, Timestamp, Id>>>({
    kind: "streamSource",
    name,
    ...fields,
    log,
    redeliveryHorizonMs,
  });
}

/**
 * Declares a source whose events lie in files or tables that this system did not write.
 *
 * @throws DefinitionError when a name or a type is not allowed.
 * @example
 * const archive = batchSource("archive", {
 *   timestamp: "ts",
 *   columns: { ts: "timestamp", user_id: "string", amt: "float64" },
 * });
 */
export function batchSource<
  const Name extends string,
  const Columns extends ColumnTypes,
  const Timestamp extends string,
  const Id extends string = never,
>(
  name: Name,
  config: SourceConfig<Columns, Timestamp, Id> & SourceRules<Columns, Timestamp, Id>,
): BatchSource<Name, AllColumns<Columns, Timestamp, Id>> {
  const prefix = `Cannot define source "${name}"`;
  checkObject(prefix, "its config", config);
  checkFields(prefix, config, sourceFields);
  const fields = readFields(prefix, name, config);
  return brandDefinition<BatchSource<Name, AllColumns<Columns, Timestamp, Id>>>({
    kind: "batchSource",
    name,
    ...fields,
    // It has no log and forgets no ids: its rows are read anew each time.
    log: "main",
    redeliveryHorizonMs: limits.windowMsMax,
  });
}

const sourceFields = ["timestamp", "id", "columns", "map", "filter", "version"];

type SourceFields = Pick<Source, "timestamp" | "id" | "columns" | "map" | "filter" | "version">;

function readFields(
  prefix: string,
  name: string,
  config: SourceConfig<ColumnTypes, string, string>,
): SourceFields {
  checkName(prefix, "its name", name);
  checkFunction(prefix, "map", config.map);
  checkFunction(prefix, "filter", config.filter);
  return {
    timestamp: config.timestamp,
    id: config.id ?? null,
    columns: readColumns(prefix, config),
    map: config.map ?? null,
    filter: config.filter ?? null,
    version: readText(prefix, "version", config.version),
  };
}

/** The implied columns first, then the listed ones in their order. */
function readColumns(
  prefix: string,
  config: SourceConfig<ColumnTypes, string, string>,
): readonly Column[] {
  checkObject(prefix, "columns", config.columns);
  const listed = Object.entries(config.columns).map(([name, type]) => ({ name, type }));
  for (const column of listed) {
    checkName(prefix, "a column", column.name);
    checkScalarType(prefix, `column "${column.name}"`, column.type);
  }
  const implies = listed.every((column) => column.type !== "timestamp");
  const implied: Column[] = [];
  const special = [{ field: "timestamp", name: config.timestamp, type: "timestamp" as const }];
  const id =
    config.id === undefined ? [] : [{ field: "id", name: config.id, type: "string" as const }];
  for (const { field, name, type } of [...special, ...id]) {
    checkName(prefix, field, name);
    const found = [...listed, ...implied].find((column) => column.name === name);
    if (found === undefined && implies) {
      implied.push({ name, type });
    } else if (found?.type !== type) {
      const state = found === undefined ? "not in columns" : `of type "${found.type}"`;
      throw new DefinitionError(
        `${prefix}: ${field} names column "${name}", which is ${state}, expected a column of type "${type}"`,
      );
    }
  }
  const columns = [...implied, ...listed];
  checkCount(prefix, "columns", { count: columns.length, min: 1, max: limits.sourceColumnsMax });
  return columns;
}
