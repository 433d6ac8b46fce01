/**
 * Answers as Arrow IPC streams. An entry of its own, since it brings the Arrow library along: a host
 * gives the app a function that imports it, called when the first request asks for Arrow.
 */

import { Field, RecordBatch, Schema, Struct, Table, makeData, tableToIPC } from "apache-arrow";
import type { AnswerTable } from "../answer-table.ts";
import { arrowData } from "./arrow-data.ts";
import { arrowType } from "./arrow-type.ts";

/**
 * The table as an Arrow IPC stream of one record batch. Every column is nullable; facts are the
 * metadata of their field, or of the schema.
 *
 * @example
 * const bytes = encodeArrow({
 *   rowCount: 2,
 *   columns: [{ name: "spend.count", type: "int64", values: [3, null], facts: {} }],
 *   facts: {},
 * });
 */
export function encodeArrow({ rowCount, columns, facts }: AnswerTable): Uint8Array<ArrayBuffer> {
  const fields = columns.map(
    (column) => new Field(column.name, arrowType(column.type), true, metadataOf(column.facts)),
  );
  const schema = new Schema(fields, metadataOf(facts));
  const children = columns.map(({ type, values }) => arrowData(type, values));
  const data = makeData({ type: new Struct(fields), length: rowCount, nullCount: 0, children });
  const table = new Table(schema, new RecordBatch(schema, data));
  return tableToIPC(table, "stream") as Uint8Array<ArrayBuffer>;
}

function metadataOf(facts: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries(facts));
}
