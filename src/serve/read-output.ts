/** Checks what a transform returned against the type that was declared, and copies it. */

import { instantMsMax } from "../core/instant.ts";
import { int64Max, int64Min, toInt64 } from "../core/value.ts";
import type { DataType, ScalarType, Value } from "../core/value.ts";

/** An output that is not of its type; the text holds no value. */
export class OutputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "OutputError";
  }
}

/**
 * A value of the type. Undefined is null, and null is a value of every type, at any depth; -0 is 0.
 *
 * @param path - What the value is called in an error.
 * @throws OutputError when it is of another type, or an object has a field that was not declared.
 */
export function readOutput(type: DataType, value: unknown, path: string): Value {
  if (value === undefined || value === null) return null;
  if (typeof type === "string") return readScalar(type, value, path);
  if ("array" in type) {
    if (!Array.isArray(value)) throw wrongType(path, value, "an array");
    // Not map(), which passes over the holes of a sparse array.
    return Array.from(value as readonly unknown[], (each, i) =>
      readOutput(type.array, each, `${path}[${i}]`),
    );
  }
  if (!isPlainObject(value)) throw wrongType(path, value, "an object");
  if ("struct" in type) return readStruct(type.struct, value, path);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, readOutput(type.map, each, `${path}[key]`)]),
  );
}

/** Positional, in the order of its fields. */
function readStruct(
  fields: Readonly<Record<string, DataType>>,
  value: Readonly<Record<string, unknown>>,
  path: string,
): Value {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(fields, name)) {
      throw new OutputError(`${path} has a field ${JSON.stringify(name)} that is not declared`);
    }
  }
  return Object.entries(fields).map(([name, type]) => {
    const each = Object.hasOwn(value, name) ? value[name] : null;
    return readOutput(type, each, `${path}.${name}`);
  });
}

function readScalar(type: ScalarType, value: unknown, path: string): Value {
  switch (type) {
    case "float64":
      if (typeof value !== "number") throw wrongType(path, value, "a number");
      return value + 0;
    case "int64":
      return readInt64(value, path);
    case "timestamp":
      if (typeof value !== "number") throw wrongType(path, value, "a number of milliseconds");
      if (!Number.isInteger(value) || Math.abs(value) > instantMsMax) {
        throw new OutputError(`${path} is no instant, expected an integer of milliseconds`);
      }
      return value + 0;
    case "string":
    case "boolean":
      if (typeof value !== type) throw wrongType(path, value, `a ${type}`);
      return value as string | boolean;
  }
}

/** Bigints; whole numbers too, while they are safe. */
function readInt64(value: unknown, path: string): Value {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return value + 0;
    throw new OutputError(`${path} is a number that is no safe integer, expected a bigint`);
  }
  if (typeof value !== "bigint") throw wrongType(path, value, "a bigint");
  if (value < int64Min || value > int64Max) {
    throw new OutputError(`${path} is past 64 bits, expected an int64`);
  }
  return toInt64(value);
}

/** Dates, Maps and other objects with a life of their own have no fields to read. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function wrongType(path: string, value: unknown, expected: string): OutputError {
  const found = Array.isArray(value)
    ? "an array"
    : typeof value === "object"
      ? "an object of another kind"
      : `a ${typeof value}`;
  return new OutputError(`${path} is ${found}, expected ${expected}`);
}
