/** Checks what a transform returned against the type that was declared, and copies it. */

import { roundToFloat32 } from "../core/float32.ts";
import { instantMsMax } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import { int64Max, int64Min, toInt64 } from "../core/value.ts";
import type { ElementType, ScalarType, Value } from "../core/value.ts";

const encoder = new TextEncoder();

/** An output that is not of its type; the text holds no value. */
export class OutputError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "OutputError";
  }
}

/**
 * A value of the type. Undefined is null, and null is a value of every type, at any depth; -0 is 0.
 * The depth is that of the type, so an object that holds itself has an end too.
 *
 * @param path - What the value is called in an error.
 * @throws OutputError when it is of another type, when an object has a field that was not declared,
 * or when it comes to more than `limits.outputBytesMax` bytes. What getters and proxies throw comes through.
 */
export function readOutput(type: ElementType, value: unknown, path: string): Value {
  return new OutputReader().read(type, value, path);
}

/** Counts what it copies as it goes, so that what is too large is not copied whole first. */
class OutputReader {
  #bytesLeft: number = limits.outputBytesMax;

  read(type: ElementType, value: unknown, path: string): Value {
    if (value === undefined || value === null) {
      this.#count(1);
      return null;
    }
    if (typeof type === "string") return this.#readScalar(type, value, path);
    if ("array" in type) return this.#readArray(type.array, value, path);
    if (!isPlainObject(value)) throw wrongType(path, value, "an object");
    return "struct" in type
      ? this.#readStruct(type.struct, value, path)
      : this.#readMap(type.map, value, path);
  }

  /** By index: iterators are the user's own code, and `map` passes over holes. */
  #readArray(type: ElementType, value: unknown, path: string): Value {
    if (!Array.isArray(value)) throw wrongType(path, value, "an array");
    const elements: readonly unknown[] = value;
    const { length } = elements;
    // No element takes less than a byte. A proxy's length may be anything.
    if (!(length <= this.#bytesLeft)) throw tooLarge();
    const read: Value[] = [];
    for (let i = 0; i < length; i++) read.push(this.read(type, elements[i], `${path}[${i}]`));
    return read;
  }

  /** Positional, in the order of its fields. */
  #readStruct(
    fields: Readonly<Record<string, ElementType>>,
    value: Readonly<Record<string, unknown>>,
    path: string,
  ): Value {
    for (const name of Object.keys(value)) {
      if (!Object.hasOwn(fields, name)) {
        const shown = JSON.stringify(name.slice(0, limits.nameLengthMax));
        throw new OutputError(`${path} has a field ${shown} that is not declared`);
      }
    }
    return Object.entries(fields).map(([name, type]) => {
      const each = Object.hasOwn(value, name) ? value[name] : null;
      return this.read(type, each, `${path}.${name}`);
    });
  }

  #readMap(type: ElementType, value: Readonly<Record<string, unknown>>, path: string): Value {
    return Object.fromEntries(
      Object.keys(value).map((key) => {
        this.#count(utf8Length(key, this.#bytesLeft));
        return [key, this.read(type, value[key], `${path}[key]`)];
      }),
    );
  }

  #readScalar(type: ScalarType | "float32", value: unknown, path: string): Value {
    switch (type) {
      case "string":
        if (typeof value !== "string") throw wrongType(path, value, "a string");
        this.#count(utf8Length(value, this.#bytesLeft));
        return value;
      case "boolean":
        if (typeof value !== "boolean") throw wrongType(path, value, "a boolean");
        this.#count(1);
        return value;
      case "float32":
        this.#count(4);
        return readFloat32(value, path);
      case "float64":
        this.#count(8);
        if (typeof value !== "number") throw wrongType(path, value, "a number");
        return value + 0;
      case "int64":
        this.#count(8);
        return readInt64(value, path);
      case "timestamp":
        this.#count(8);
        return readTimestamp(value, path);
    }
  }

  #count(byteCount: number): void {
    this.#bytesLeft -= byteCount;
    if (this.#bytesLeft < 0) throw tooLarge();
  }
}

function readFloat32(value: unknown, path: string): number {
  if (typeof value !== "number") throw wrongType(path, value, "a number");
  const rounded = roundToFloat32(value);
  if (rounded !== null) return rounded;
  throw new OutputError(`${path} is past the largest float32, expected a float32`);
}

function readTimestamp(value: unknown, path: string): number {
  if (typeof value !== "number") throw wrongType(path, value, "a number of milliseconds");
  if (!Number.isInteger(value) || Math.abs(value) > instantMsMax) {
    throw new OutputError(`${path} is no instant, expected an integer of milliseconds`);
  }
  return value + 0;
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

/** Bytes of UTF-8; past the maximum, some number past it. */
function utf8Length(text: string, bytesMax: number): number {
  return text.length > bytesMax ? text.length : encoder.encode(text).length;
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

function tooLarge(): OutputError {
  return new OutputError(
    `it comes to more than ${limits.outputBytesMax} bytes, expected at most that many`,
  );
}
