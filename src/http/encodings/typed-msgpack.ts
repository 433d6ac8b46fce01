/** Values of declared types as MessagePack: a general packer would guess a number's type from its value. */

import { assert } from "../../core/errors.ts";
import { formatInstant } from "../../core/instant.ts";
import type { MsgpackWriter } from "../../core/msgpack/msgpack-writer.ts";
import type { ElementType, Int64, ScalarType, Value } from "../../core/value.ts";

/** Structs as arrays in the order of their fields, timestamps as RFC 3339. */
export function writeTyped(writer: MsgpackWriter, type: ElementType, value: Value): void {
  if (value === null) {
    writer.nil();
  } else if (typeof type === "string") {
    writeScalar(writer, type, value);
  } else if ("map" in type) {
    const entries = Object.entries(value);
    writer.map(entries.length);
    for (const [key, each] of entries) {
      writer.string(key);
      writeTyped(writer, type.map, each as Value);
    }
  } else {
    assert(Array.isArray(value), "arrays and structs are arrays in memory");
    const elements: readonly Value[] = value;
    writer.array(elements.length);
    const fields = "array" in type ? null : Object.values(type.struct);
    elements.forEach((each, i) => {
      writeTyped(
        writer,
        fields === null ? (type as { array: ElementType }).array : (fields[i] as ElementType),
        each,
      );
    });
  }
}

function writeScalar(writer: MsgpackWriter, type: ScalarType | "float32", value: Value): void {
  switch (type) {
    case "int64":
      return writer.integer(value as Int64);
    case "float64":
      return writer.float64(value as number);
    case "float32":
      return writer.float32(value as number);
    case "boolean":
      return writer.boolean(value as boolean);
    case "timestamp":
      return writer.string(formatInstant(value as number));
    case "string":
      return writer.string(value as string);
  }
}
