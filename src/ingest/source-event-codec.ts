/** The body of a log row: an event's columns as flat scalars, in the order its source declares. */

import { ByteReader, ByteWriter } from "../core/bytes.ts";
import { readScalar, writeScalar } from "../core/scalar-codec.ts";
import type { Scalar } from "../core/value.ts";
import type { SourceDefinition, SourceEvent } from "../define/definition.ts";

/** For each column a byte, 0 for null or 1, and its value. */
export function writeSourceEvent(source: SourceDefinition, event: SourceEvent): Uint8Array {
  const writer = new ByteWriter(128);
  source.columns.forEach(({ type }, i) => {
    const value = event.values[i] ?? null;
    writer.byte(value === null ? 0 : 1);
    if (value !== null) writeScalar(writer, type, value);
  });
  return writer.finish();
}

export function readSourceEvent(
  source: SourceDefinition,
  row: { readonly timestampMs: number; readonly id: string; readonly body: Uint8Array },
): SourceEvent {
  const reader = new ByteReader(row.body);
  const values = source.columns.map(({ type }): Scalar | null =>
    reader.byte() === 0 ? null : readScalar(reader, type),
  );
  return { timestampMs: row.timestampMs, id: row.id, values };
}
