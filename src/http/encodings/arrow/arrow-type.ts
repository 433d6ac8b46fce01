/** Feature types as Arrow has them. */

import {
  Bool,
  Field,
  Float32,
  Float64,
  Int64,
  List,
  Map_,
  Struct,
  TimestampMillisecond,
  Utf8,
} from "apache-arrow";
import type { DataType as ArrowType } from "apache-arrow";
import type { ElementType, ScalarType } from "../../../core/value.ts";

/** Anything at any depth may be null, but the keys of a map. */
export function arrowType(type: ElementType): ArrowType {
  if (typeof type === "string") return scalarTypes[type]();
  if ("array" in type) return listType(type.array);
  return "map" in type ? mapType(type.map) : structType(type.struct);
}

export function listType(element: ElementType): List {
  return new List(new Field("item", arrowType(element), true));
}

export function structType(fields: Readonly<Record<string, ElementType>>): Struct {
  return new Struct(
    Object.entries(fields).map(([name, type]) => new Field(name, arrowType(type), true)),
  );
}

export function mapType(value: ElementType): Map_ {
  return new Map_(new Field("entries", entriesType(value), false));
}

export function entriesType(value: ElementType): Struct<{ key: Utf8; value: ArrowType }> {
  return new Struct([
    new Field("key", new Utf8(), false),
    new Field("value", arrowType(value), true),
  ] as [Field<Utf8>, Field]);
}

const scalarTypes: Readonly<Record<ScalarType | "float32", () => ArrowType>> = {
  int64: () => new Int64(),
  float64: () => new Float64(),
  float32: () => new Float32(),
  boolean: () => new Bool(),
  string: () => new Utf8(),
  timestamp: () => new TimestampMillisecond("UTC"),
};
