/** Turns a raw row into an event of a source, or says why it is not one. */

import { FeatureError } from "../core/errors.ts";
import type { Scalar } from "../core/value.ts";
import type { RawRow, RowPlace, SourceDefinition, SourceEvent } from "./definition.ts";
import { readId, ScalarError, scalarReader } from "./read-scalar.ts";
import type { ScalarReader } from "./read-scalar.ts";

export type ReadEventResult =
  | { readonly kind: "event"; readonly event: SourceEvent }
  /** The source's filter dropped the row, and may have said why. */
  | { readonly kind: "filtered"; readonly reason: string };

/**
 * Maps, filters and validates one row. A column that is missing is null, save the timestamp and the
 * id, which every event must have; join keys are the affair of each view.
 *
 * @throws FeatureError with code `INVALID_RECORD`, naming the column and what was expected.
 * @example
 * readEvent(transactions, { ts: "2024-01-01T00:00:00Z", id: "a", user_id: "u", amt: 1 }, null);
 */
export function readEvent(
  source: SourceDefinition,
  row: RawRow,
  place: RowPlace | null,
): ReadEventResult {
  const plan = planOf(source);
  const mapped = checkRow(source.map === null ? row : runMap(source.map, row, place), place);
  const kept = source.filter === null ? true : runFilter(source.filter, mapped, place);
  if (kept !== true) return { kind: "filtered", reason: kept === false ? "filtered" : kept };
  refuseUnknownColumns(mapped, { source, names: plan.names, place });
  const values = plan.columns.map((column) => readColumn(column, mapped, place));
  const event: SourceEvent = {
    timestampMs: values[plan.timestampIndex] as number,
    id: plan.idIndex === null ? "" : (values[plan.idIndex] as string),
    values,
  };
  return { kind: "event", event };
}

interface ColumnPlan {
  readonly name: string;
  readonly type: string;
  readonly read: ScalarReader;
  readonly required: boolean;
}

interface SourcePlan {
  readonly columns: readonly ColumnPlan[];
  readonly names: ReadonlySet<string>;
  readonly timestampIndex: number;
  readonly idIndex: number | null;
}

/** Worked out once a source; a definition never changes. */
const plans = new WeakMap<SourceDefinition, SourcePlan>();

function planOf(source: SourceDefinition): SourcePlan {
  const known = plans.get(source);
  if (known !== undefined) return known;
  const columns = source.columns.map(({ name, type }) => ({
    name,
    type,
    read: name === source.id ? readId : scalarReader(type),
    required: name === source.id || name === source.timestamp,
  }));
  const indexOf = (name: string) => columns.findIndex((column) => column.name === name);
  const plan: SourcePlan = {
    columns,
    names: new Set(columns.map(({ name }) => name)),
    timestampIndex: indexOf(source.timestamp),
    idIndex: source.id === null ? null : indexOf(source.id),
  };
  plans.set(source, plan);
  return plan;
}

function runMap(
  map: NonNullable<SourceDefinition["map"]>,
  row: RawRow,
  place: RowPlace | null,
): RawRow {
  try {
    return map(row, place);
  } catch (cause) {
    throw invalidRecord("the map of its source threw, expected a row", place, cause);
  }
}

function runFilter(
  filter: NonNullable<SourceDefinition["filter"]>,
  row: RawRow,
  place: RowPlace | null,
): boolean | string {
  let kept: unknown;
  try {
    kept = filter(row);
  } catch (cause) {
    throw invalidRecord(
      "the filter of its source threw, expected true, false or a reason",
      place,
      cause,
    );
  }
  if (typeof kept === "boolean" || typeof kept === "string") return kept;
  throw invalidRecord(
    `the filter of its source returned a value of type ${typeof kept}, expected true, false or a reason`,
    place,
  );
}

function checkRow(row: unknown, place: RowPlace | null): RawRow {
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return row as RawRow;
  const found = row === null ? "null" : Array.isArray(row) ? "an array" : `of type ${typeof row}`;
  throw invalidRecord(`the row is ${found}, expected an object`, place);
}

function refuseUnknownColumns(row: RawRow, scope: ColumnScope): void {
  const { source, names, place } = scope;
  for (const key of Object.keys(row)) {
    if (names.has(key)) continue;
    const mend = source.map === null ? "declare it, or drop it in a map" : "drop it in the map";
    throw invalidRecord(
      `column ${JSON.stringify(key.slice(0, 64))} is not in source "${source.name}", ${mend}`,
      place,
    );
  }
}

interface ColumnScope {
  readonly source: SourceDefinition;
  readonly names: ReadonlySet<string>;
  readonly place: RowPlace | null;
}

function readColumn(column: ColumnPlan, row: RawRow, place: RowPlace | null): Scalar | null {
  // A name such as "constructor" must not find what every object inherits.
  const value = Object.hasOwn(row, column.name) ? row[column.name] : undefined;
  if (value === undefined || value === null) {
    if (!column.required) return null;
    const state = value === null ? "null" : "missing";
    const expected = column.type === "timestamp" ? "a timestamp" : "an event id";
    throw invalidRecord(`column "${column.name}" is ${state}, expected ${expected}`, place);
  }
  try {
    return column.read(value);
  } catch (cause) {
    if (!(cause instanceof ScalarError)) throw cause;
    throw invalidRecord(`column "${column.name}" ${cause.reason}`, place);
  }
}

/** What `readEvent` found wrong with a row, without where it stood: the same for rows alike. */
export function refusalReason(error: FeatureError, place: RowPlace | null): string {
  const head = messageHead(place);
  return error.message.startsWith(head) ? error.message.slice(head.length) : error.message;
}

function invalidRecord(problem: string, place: RowPlace | null, cause?: unknown): FeatureError {
  return new FeatureError("INVALID_RECORD", `${messageHead(place)}${problem}`, { cause });
}

function messageHead(place: RowPlace | null): string {
  return `Cannot read record${place === null ? "" : ` at row ${place.row} of "${place.file}"`}: `;
}
