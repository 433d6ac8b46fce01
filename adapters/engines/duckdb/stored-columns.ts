/** The columns of the Parquet files: a source's own, and what the store knows about each row. */

import { BIGINT, BOOLEAN, DOUBLE, VARCHAR } from "@duckdb/node-api";
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api";
import type { Scalar, ScalarType } from "../../../src/core/value.ts";
import type { Column, SourceDefinition, SourceEvent } from "../../../src/define/definition.ts";
import type { OfflineEvent } from "../../../src/offline/offline-store.ts";

/** A row with the load or the shard it came from. */
export interface StoredRow extends OfflineEvent {
  /** Orders loads by name; tells shards apart. A safe integer from zero. */
  readonly origin: number;
}

export type StoredType = "VARCHAR" | "BIGINT" | "DOUBLE" | "BOOLEAN";

export interface StoredColumn<Row> {
  readonly name: string;
  readonly type: StoredType;
  /** Of one row, as DuckDB takes it. */
  readonly read: (row: Row) => DuckDBValue;
}

/** The epoch of rows that came by a load. */
export const loadEpoch = -1;

/** Instants are BIGINTs of milliseconds: DuckDB's TIMESTAMP does not reach as far. */
export function storedType(type: ScalarType): StoredType {
  return storedTypes[type];
}

/** The name of a source's column in the files. `day` names the partitions; no column ends in `_`. */
export function storedName(column: string): string {
  return column === "day" ? "day_" : column;
}

/** Every column of a source's segments and loads, in order. */
export function rowColumns(source: SourceDefinition): readonly StoredColumn<StoredRow>[] {
  return [...eventColumns<StoredRow>(source, (row) => row), ...placeColumns];
}

/** A source's own columns. Their names never start with `_`. */
export function eventColumns<Row>(
  source: SourceDefinition,
  eventOf: (row: Row) => Pick<SourceEvent, "values"> | null,
): readonly StoredColumn<Row>[] {
  return source.columns.map(({ name, type }, i) =>
    scalarColumn<Row>({ name: storedName(name), type }, (row) => eventOf(row)?.values[i] ?? null),
  );
}

export function scalarColumn<Row>(
  { name, type }: Column,
  valueOf: (row: Row) => Scalar | null,
): StoredColumn<Row> {
  const convert = toStored[type];
  return {
    name,
    type: storedType(type),
    read: (row) => {
      const value = valueOf(row);
      return value === null ? null : convert(value);
    },
  };
}

export function duckdbType(type: StoredType): DuckDBType {
  return duckdbTypes[type];
}

/** A relation without rows that has the columns, so that a query holds over no files at all. */
export function emptyRelation(
  columns: readonly Pick<StoredColumn<unknown>, "name" | "type">[],
): string {
  const list = columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS "${name}"`);
  return `SELECT ${list.join(", ")} LIMIT 0`;
}

const storedTypes: Readonly<Record<ScalarType, StoredType>> = {
  string: "VARCHAR",
  int64: "BIGINT",
  float64: "DOUBLE",
  boolean: "BOOLEAN",
  timestamp: "BIGINT",
};

const duckdbTypes: Readonly<Record<StoredType, DuckDBType>> = {
  VARCHAR,
  BIGINT,
  DOUBLE,
  BOOLEAN,
};

const toStored: Readonly<Record<ScalarType, (value: Scalar) => DuckDBValue>> = {
  string: (value) => value,
  int64: (value) => BigInt(value),
  float64: (value) => value,
  boolean: (value) => value,
  timestamp: (value) => BigInt(value),
};

const placeColumns: readonly StoredColumn<StoredRow>[] = [
  { name: "_ts", type: "BIGINT", read: (row) => BigInt(row.timestampMs) },
  { name: "_id", type: "VARCHAR", read: (row) => row.id },
  { name: "_epoch", type: "BIGINT", read: (row) => BigInt(row.epoch) },
  { name: "_seq", type: "BIGINT", read: (row) => BigInt(row.seq) },
  { name: "_origin", type: "BIGINT", read: (row) => BigInt(row.origin) },
  { name: "_arrived_at", type: "BIGINT", read: (row) => BigInt(row.arrivedAtMs) },
];
