/** Checks that the builders share. Each throws a `DefinitionError` that starts with `prefix`. */

import { parseDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { DataType, ElementType, ScalarType } from "../core/value.ts";
import { describe } from "./brand.ts";

const namePattern = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;

const scalarTypes: ReadonlySet<unknown> = new Set<ScalarType>([
  "string",
  "int64",
  "float64",
  "boolean",
  "timestamp",
]);

const scalarTypeList = [...scalarTypes].map((type) => `"${String(type)}"`).join(", ");

/** Names are snake case with single underscores, so that feature names read one way only. */
export function checkName(prefix: string, field: string, name: unknown): void {
  if (typeof name !== "string") {
    throw new DefinitionError(`${prefix}: ${field} is ${describe(name)}, expected a string`);
  }
  if (!namePattern.test(name)) {
    throw new DefinitionError(
      `${prefix}: ${field} is "${name}", expected lower-case letters, digits and single underscores, starting with a letter`,
    );
  }
  if (name.length > limits.nameLengthMax) {
    throw new DefinitionError(
      `${prefix}: ${field} has ${name.length} characters, expected at most ${limits.nameLengthMax}`,
    );
  }
}

export function checkObject(prefix: string, field: string, value: unknown): void {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) {
    throw new DefinitionError(`${prefix}: ${field} is ${describe(value)}, expected an object`);
  }
}

/** Refuses fields that nobody reads: a misspelt option must not pass for its default. */
export function checkFields(prefix: string, value: object, fields: readonly string[]): void {
  for (const key of Object.keys(value)) {
    if (!fields.includes(key)) {
      throw new DefinitionError(
        `${prefix}: it has an unknown field "${key}", expected only ${fields.join(", ")}`,
      );
    }
  }
}

export function checkCount(prefix: string, field: string, range: CountRange): void {
  if (range.count < range.min) {
    throw new DefinitionError(
      `${prefix}: ${field} has ${range.count} entries, expected at least ${range.min}`,
    );
  }
  if (range.count > range.max) {
    throw new DefinitionError(
      `${prefix}: ${field} has ${range.count} entries, expected at most ${range.max}`,
    );
  }
}

export interface CountRange {
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

export function checkScalarType(prefix: string, field: string, type: unknown): void {
  if (!scalarTypes.has(type)) {
    const found = typeof type === "string" ? `"${type}"` : describe(type);
    throw new DefinitionError(
      `${prefix}: ${field} has type ${found}, expected one of ${scalarTypeList}`,
    );
  }
}

/** A scalar type, or `{ array }`, `{ map }` or `{ struct }` of such, to a bounded depth. */
export function checkDataType(prefix: string, field: string, type: unknown): DataType {
  checkDataTypeAt(prefix, field, { type, depth: 1 });
  return type as DataType;
}

function checkDataTypeAt(
  prefix: string,
  field: string,
  at: { readonly type: unknown; readonly depth: number },
): void {
  const { type, depth } = at;
  if (depth > limits.dataTypeDepthMax) {
    throw new DefinitionError(
      `${prefix}: ${field} nests deeper than ${limits.dataTypeDepthMax} levels, expected fewer`,
    );
  }
  if (typeof type !== "object" || type === null) return checkScalarType(prefix, field, type);
  const keys = Object.keys(type);
  const shape = keys[0];
  if (keys.length !== 1 || (shape !== "array" && shape !== "map" && shape !== "struct")) {
    throw new DefinitionError(
      `${prefix}: ${field} has a type with the fields ${keys.join(", ") || "none"}, expected exactly one of array, map, struct`,
    );
  }
  const inner = (type as Readonly<Record<string, unknown>>)[shape];
  // The one place of a float32: elsewhere a number is a float64.
  if (shape === "array" && inner === ("float32" satisfies ElementType)) return;
  if (shape !== "struct") {
    return checkDataTypeAt(prefix, `${field}.${shape}`, { type: inner, depth: depth + 1 });
  }
  checkObject(prefix, `${field}.struct`, inner);
  const entries = Object.entries(inner as Readonly<Record<string, unknown>>);
  checkCount(prefix, `${field}.struct`, {
    count: entries.length,
    min: 1,
    max: limits.sourceColumnsMax,
  });
  for (const [name, fieldType] of entries) {
    checkName(prefix, `a field of ${field}.struct`, name);
    checkDataTypeAt(prefix, `${field}.struct.${name}`, { type: fieldType, depth: depth + 1 });
  }
}

/** A positive duration, in milliseconds, of any form. */
export function readDuration(prefix: string, field: string, text: unknown): number {
  if (typeof text !== "string") {
    throw new DefinitionError(
      `${prefix}: ${field} is ${describe(text)}, expected a duration such as "5m" or "1d"`,
    );
  }
  const durationMs = parse(prefix, field, text);
  if (durationMs === 0 || durationMs > limits.windowMsMax) {
    throw new DefinitionError(
      `${prefix}: ${field} is "${text}", expected more than nothing and at most ${limits.windowMsMax / 86_400_000}d`,
    );
  }
  return durationMs;
}

function parse(prefix: string, field: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof RangeError)) throw cause;
    throw new DefinitionError(
      `${prefix}: ${field} is "${text}", expected a whole number and a unit, as in "90s", "5m" or "1d"`,
    );
  }
}

/** An optional string, such as a version or a description. */
export function readText(prefix: string, field: string, text: unknown): string | null {
  if (text === undefined || text === null) return null;
  if (typeof text !== "string") {
    throw new DefinitionError(`${prefix}: ${field} is ${describe(text)}, expected a string`);
  }
  return text;
}

/** An optional function. */
export function checkFunction(prefix: string, field: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") {
    throw new DefinitionError(`${prefix}: ${field} is ${describe(value)}, expected a function`);
  }
}

/** Texts by name, in a copy; none if left out. */
export function readTexts(
  prefix: string,
  field: string,
  texts: unknown,
): Readonly<Record<string, string>> {
  if (texts === undefined) return {};
  checkObject(prefix, field, texts);
  const entries = Object.entries(texts as Readonly<Record<string, unknown>>);
  for (const [name, text] of entries) {
    if (typeof text !== "string") {
      throw new DefinitionError(
        `${prefix}: ${field}.${name} is ${describe(text)}, expected a string`,
      );
    }
  }
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}

/** Tags of a view: free text by free name, bounded. */
export function readTags(prefix: string, tags: unknown): Readonly<Record<string, string>> {
  const read = readTexts(prefix, "tags", tags);
  const entries = Object.entries(read);
  checkCount(prefix, "tags", { count: entries.length, min: 0, max: limits.viewTagsMax });
  if (entries.flat().some(({ length }) => length > limits.tagLengthMax)) {
    throw new DefinitionError(
      `${prefix}: tags has a name or value of more than ${limits.tagLengthMax} characters, expected at most that many`,
    );
  }
  return read;
}
