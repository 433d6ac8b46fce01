/** Reads values of columns from the forms that JSON, CSV and Parquet give them. */

import { InstantError, parseInstant } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import { int64Max, int64Min, toInt64 } from "../core/value.ts";
import type { Int64, Scalar, ScalarType } from "../core/value.ts";

/**
 * Reads one value that is not null.
 *
 * @throws ScalarError when it is not of the type.
 */
export type ScalarReader = (value: unknown) => Scalar;

/** Why a value is not of its column's type; its reader adds which column. */
export class ScalarError extends Error {
  /** Follows the column's name: `is NaN, expected a finite float64`. */
  readonly reason: string;

  constructor(reason: string) {
    super(`Cannot read a value: it ${reason}`);
    this.name = "ScalarError";
    this.reason = reason;
  }
}

const readers: Readonly<Record<ScalarType, ScalarReader>> = {
  string: readString,
  int64: readInt64,
  float64: readFloat64,
  boolean: readBoolean,
  timestamp: readTimestamp,
};

/** The reader of a column type. */
export function scalarReader(type: ScalarType): ScalarReader {
  return readers[type];
}

/** Reads an event id: a string that is not empty and has no NUL, at which some databases cut text. */
export function readId(value: unknown): string {
  const id = readText(value, limits.idBytesMax);
  if (id === "") throw refused("empty", "an event id");
  if (id.includes("\u0000")) throw refused("text with a NUL", "an event id without one");
  return id;
}

const int64Pattern = /^-?\d{1,19}$/;
const float64Pattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const loneSurrogatePattern = /\p{Surrogate}/u;

function readString(value: unknown): string {
  return readText(value, limits.stringBytesMax);
}

/** Without lone surrogates, which UTF-8 cannot carry: two strings would become one. */
function readText(value: unknown, bytesMax: number): string {
  if (typeof value !== "string") throw refused(nameOf(value), "a string");
  // No UTF-16 unit takes more than three bytes, so most strings need no count.
  if (value.length * 3 > bytesMax) {
    const byteLength = utf8Length(value, bytesMax);
    if (byteLength > bytesMax) {
      throw refused(`more than ${bytesMax} bytes of UTF-8`, `at most ${bytesMax}`);
    }
  }
  if (loneSurrogatePattern.test(value)) {
    throw refused("text with half a surrogate pair", "well-formed Unicode");
  }
  return value;
}

/** Bytes of UTF-8, counted until they pass the maximum. A surrogate pair takes four. */
function utf8Length(text: string, bytesMax: number): number {
  let byteLength = 0;
  for (let i = 0; i < text.length && byteLength <= bytesMax; i++) {
    const unit = text.charCodeAt(i);
    byteLength += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return byteLength;
}

function readInt64(value: unknown): Int64 {
  if (typeof value === "number") return readInt64Number(value);
  if (typeof value === "string") {
    if (!int64Pattern.test(value)) {
      throw refused(textState(value, "an integer"), "an int64");
    }
    return readInt64Bigint(BigInt(value));
  }
  if (typeof value === "bigint") return readInt64Bigint(value);
  throw refused(nameOf(value), "an int64");
}

function readInt64Number(value: number): Int64 {
  if (Number.isSafeInteger(value)) return value + 0; // -0 becomes 0.
  if (Number.isInteger(value)) {
    throw refused(
      "an integer past 2^53, where JSON numbers lose digits",
      "an int64; send it as a decimal string",
    );
  }
  throw refused(Number.isFinite(value) ? "a fraction" : String(value), "an int64");
}

function readInt64Bigint(value: bigint): Int64 {
  if (value < int64Min || value > int64Max) {
    throw refused("an integer past 64 bits", "an int64");
  }
  return toInt64(value);
}

function readFloat64(value: unknown): number {
  if (typeof value === "number") return checkFinite(value, String(value));
  if (typeof value === "string") {
    if (!float64Pattern.test(value)) {
      throw refused(textState(value, "a decimal number"), "a finite float64");
    }
    return checkFinite(Number(value), "past the largest double");
  }
  if (typeof value === "bigint") return readFloat64Bigint(value);
  throw refused(nameOf(value), "a finite float64");
}

/** Parquet gives integer columns as bigints; only those that a double holds exactly pass. */
function readFloat64Bigint(value: bigint): number {
  const number = Number(value);
  if (!Number.isFinite(number) || BigInt(number) !== value) {
    throw refused("an integer that a double cannot hold", "a finite float64");
  }
  return number;
}

function checkFinite(value: number, state: string): number {
  if (!Number.isFinite(value)) throw refused(state, "a finite float64");
  return value + 0; // -0 becomes 0.
}

function readBoolean(value: unknown): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw refused(nameOf(value), "true or false");
}

function readTimestamp(value: unknown): number {
  try {
    return parseInstant(value);
  } catch (cause) {
    if (!(cause instanceof InstantError)) throw cause;
    throw new ScalarError(`is not a timestamp: ${cause.reason}`);
  }
}

/** What a value is, without the value: a message is no place for someone's data. */
function nameOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}

function textState(text: string, form: string): string {
  if (text === "") return "an empty string";
  return /^[+-]?(nan|inf(inity)?)$/i.test(text) ? `"${text}"` : `a string that is not ${form}`;
}

function refused(state: string, expected: string): ScalarError {
  return new ScalarError(`is ${state}, expected ${expected}`);
}
