/**
 * Values and types as JSON carries them: int64 as decimal strings at any depth, NaN and infinities
 * as strings, float32 by its own shortest decimal, structs as positional arrays, timestamps as
 * RFC 3339 in UTC.
 */

import { assert } from "../core/errors.ts";
import { shortestFloat32 } from "../core/float32.ts";
import { formatInstant } from "../core/instant.ts";
import type { ElementType, ScalarType, Value } from "../core/value.ts";

export type Json =
  string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * Encodes a value of a declared type.
 *
 * @example encodeValue({ array: "int64" }, [1, null]); // ["1", null]
 */
export function encodeValue(type: ElementType, value: Value): Json {
  if (value === null) return null;
  if (typeof type === "string") return encodeScalar(type, value);
  if ("map" in type) return encodeMap(type.map, value);
  assert(Array.isArray(value), "arrays and structs are arrays in memory");
  const elements: readonly Value[] = value;
  if ("array" in type) return elements.map((element) => encodeValue(type.array, element));
  const fields = Object.values(type.struct);
  assert(fields.length === elements.length, "a struct has a value for each of its fields");
  return fields.map((field, i) => encodeValue(field, elements[i] as Value));
}

function encodeScalar(type: ScalarType | "float32", value: Value): Json {
  switch (type) {
    case "int64":
      assert(typeof value === "bigint" || Number.isSafeInteger(value), "an int64 is an integer");
      return String(value);
    case "float64":
      assert(typeof value === "number", "a float64 is a number");
      return Number.isFinite(value) ? value : String(value);
    case "float32":
      assert(typeof value === "number", "a float32 is a number");
      return Number.isFinite(value) ? shortestFloat32(value) : String(value);
    case "timestamp":
      assert(typeof value === "number", "a timestamp is a number of milliseconds");
      return formatInstant(value);
    case "string":
      assert(typeof value === "string", "a string is a string");
      return value;
    case "boolean":
      assert(typeof value === "boolean", "a boolean is true or false");
      return value;
  }
}

/** `Object.fromEntries` defines its keys, so that one named "__proto__" is a key like any other. */
function encodeMap(type: ElementType, value: Value): Json {
  assert(
    typeof value === "object" && value !== null && !Array.isArray(value),
    "a map is an object",
  );
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [key, encodeValue(type, element as Value)]),
  );
}

/** A type as the wire has it: its name, and the types within. */
export interface WireDataType {
  readonly [key: string]: Json;
  readonly type: string;
}

/** The shape of a type on the wire. Timestamps are strings, which every client knows. */
export function encodeDataType(type: ElementType): WireDataType {
  if (type === "timestamp") return { type: "string", format: "date-time" };
  if (typeof type === "string") return { type };
  if ("array" in type) return { type: "array", elementType: encodeDataType(type.array) };
  if ("map" in type) {
    return { type: "map", keyType: { type: "string" }, valueType: encodeDataType(type.map) };
  }
  return {
    type: "struct",
    fields: Object.entries(type.struct).map(([name, field]) => ({
      name,
      dataType: encodeDataType(field),
    })),
  };
}
