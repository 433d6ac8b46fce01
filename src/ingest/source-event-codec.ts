/**
 * The body of a log row: an event's columns by name, so that a source may gain, lose or reorder
 * columns while rows of the definition before wait in the log.
 *
 *   n │ n × (name, type, value)       columns that are null are left out
 */

import { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import { readScalar, writeScalar } from "../core/scalar-codec.ts";
import type { Scalar, ScalarType } from "../core/value.ts";
import type { SourceDefinition, SourceEvent } from "../define/definition.ts";

/** The place of a type here is its byte; new ones go at the end. */
const types: readonly ScalarType[] = ["string", "int64", "float64", "boolean", "timestamp"];

const writer = new ByteWriter(1024);

export function writeSourceEvent(source: SourceDefinition, event: SourceEvent): Uint8Array {
  writer.reset();
  writer.varint(event.values.filter((value) => value !== null).length);
  source.columns.forEach(({ name, type }, i) => {
    const value = event.values[i] ?? null;
    if (value === null) return;
    writer.string(name);
    writer.byte(types.indexOf(type));
    writeScalar(writer, type, value);
  });
  return writer.finish();
}

/**
 * A column that the source does not have any more, or has with another type, is left out.
 * @throws CorruptRecordError for bytes that `writeSourceEvent` did not write.
 */
export function readSourceEvent(
  source: SourceDefinition,
  row: { readonly timestampMs: number; readonly id: string; readonly body: Uint8Array },
): SourceEvent {
  const reader = new ByteReader(row.body);
  const found = new Map<string, Scalar>();
  for (let rest = reader.varint(); rest > 0; rest--) {
    const name = reader.string();
    const type = types[reader.byte()];
    if (type === undefined) {
      throw new CorruptRecordError("Cannot read a log row: a column has an unknown type");
    }
    found.set(`${name} ${type}`, readScalar(reader, type));
  }
  const values = source.columns.map(({ name, type }) => found.get(`${name} ${type}`) ?? null);
  return { timestampMs: row.timestampMs, id: row.id, values };
}
