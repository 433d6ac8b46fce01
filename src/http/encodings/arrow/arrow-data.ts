/**
 * The buffers of a column. The library's own builders compile code, which Workers forbid, so offsets,
 * values and validity are laid out here: https://arrow.apache.org/docs/format/Columnar.html
 */

import { Bool, Float32, Float64, Int64, TimestampMillisecond, Utf8, makeData } from "apache-arrow";
import type { Data } from "apache-arrow";
import type { ElementType, Int64 as WholeNumber, ScalarType, Value } from "../../../core/value.ts";
import { entriesType, listType, mapType, structType } from "./arrow-type.ts";

/** A column of one type; structs are positional, as everywhere in memory. */
export function arrowData(type: ElementType, values: readonly Value[]): Data {
  if (typeof type === "string") return scalarData[type](values);
  if ("array" in type) return listData(type.array, values);
  return "map" in type ? mapData(type.map, values) : structData(type.struct, values);
}

const scalarData: Readonly<Record<ScalarType | "float32", (values: readonly Value[]) => Data>> = {
  int64: (values) =>
    makeData({ type: new Int64(), ...validityOf(values), data: wholeNumbers(values) }),
  timestamp: (values) =>
    makeData({
      type: new TimestampMillisecond("UTC"),
      ...validityOf(values),
      data: wholeNumbers(values),
    }),
  float64: (values) =>
    makeData({
      type: new Float64(),
      ...validityOf(values),
      data: Float64Array.from(values, (value) => (value ?? 0) as number),
    }),
  float32: (values) =>
    makeData({
      type: new Float32(),
      ...validityOf(values),
      data: Float32Array.from(values, (value) => (value ?? 0) as number),
    }),
  boolean: (values) =>
    makeData({
      type: new Bool(),
      ...validityOf(values),
      data: bitmapOf(values, (value) => value === true),
    }),
  string: stringData,
};

function stringData(values: readonly Value[]): Data {
  const texts = values.map((value) => utf8.encode(value === null ? "" : (value as string)));
  const valueOffsets = offsetsOf(texts);
  const data = new Uint8Array(valueOffsets[texts.length] as number);
  texts.forEach((text, i) => data.set(text, valueOffsets[i]));
  return makeData({ type: new Utf8(), ...validityOf(values), valueOffsets, data });
}

const utf8 = new TextEncoder();

function listData(element: ElementType, values: readonly Value[]): Data {
  const lists = values.map((value) => (value ?? []) as readonly Value[]);
  return makeData({
    type: listType(element),
    ...validityOf(values),
    valueOffsets: offsetsOf(lists),
    child: arrowData(element, lists.flat(1) as readonly Value[]),
  });
}

function structData(fields: Readonly<Record<string, ElementType>>, values: readonly Value[]): Data {
  const children = Object.values(fields).map((type, i) =>
    arrowData(
      type,
      values.map((value) => (value === null ? null : ((value as readonly Value[])[i] as Value))),
    ),
  );
  return makeData({ type: structType(fields), ...validityOf(values), children });
}

function mapData(valueType: ElementType, values: readonly Value[]): Data {
  const maps = values.map((value) => Object.entries(value ?? {}) as readonly [string, Value][]);
  const entries = maps.flat(1);
  const children = [
    arrowData(
      "string",
      entries.map(([key]) => key),
    ),
    arrowData(
      valueType,
      entries.map(([, value]) => value),
    ),
  ];
  const { length } = entries;
  return makeData({
    type: mapType(valueType),
    ...validityOf(values),
    valueOffsets: offsetsOf(maps),
    child: makeData({ type: entriesType(valueType), length, nullCount: 0, children }),
  });
}

/** Where each begins, and at last where the last one ends. */
function offsetsOf(parts: readonly { readonly length: number }[]): Int32Array<ArrayBuffer> {
  const offsets = new Int32Array(parts.length + 1);
  parts.forEach(({ length }, i) => {
    offsets[i + 1] = (offsets[i] as number) + length;
  });
  return offsets;
}

function wholeNumbers(values: readonly Value[]): BigInt64Array<ArrayBuffer> {
  return BigInt64Array.from(values, (value) => BigInt((value ?? 0) as WholeNumber));
}

function validityOf(values: readonly Value[]) {
  return {
    length: values.length,
    nullCount: values.reduce((count: number, value) => count + Number(value === null), 0),
    nullBitmap: bitmapOf(values, (value) => value !== null),
  };
}

/** The least significant bit of a byte is the first. */
function bitmapOf(
  values: readonly Value[],
  isSet: (value: Value) => boolean,
): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  values.forEach((value, i) => {
    if (isSet(value)) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  });
  return bits;
}
