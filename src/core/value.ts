/** The values that columns and features hold, and the types that describe them. */

/** Column types. A `timestamp` is an integer count of milliseconds since 1970-01-01 UTC. */
export type ScalarType = "string" | "int64" | "float64" | "boolean" | "timestamp";

/** Feature types: scalars, and arrays, structs and maps of them at any depth. */
export type DataType =
  | ScalarType
  | { readonly array: ElementType }
  | { readonly map: DataType }
  | { readonly struct: Readonly<Record<string, DataType>> };

/** Elements of arrays may also be of single precision: a number that a float32 holds. */
export type ElementType = DataType | "float32";

/** An int64 in memory: a number while it is safe (|v| < 2^53), else a bigint; so `===` compares values. */
export type Int64 = number | bigint;

/** A value of a column; never null, NaN, infinite or -0. */
export type Scalar = string | boolean | Int64;

/** A value of a feature. Structs are positional arrays in the order of their fields. */
export type Value = Scalar | null | readonly Value[] | { readonly [key: string]: Value };

export const int64Min = -(2n ** 63n);
export const int64Max = 2n ** 63n - 1n;

/** The canonical form of an int64: a number while it is safe, else a bigint. */
export function toInt64(value: bigint): Int64 {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The sign of `a - b` for two values of one type: numbers by value, strings by UTF-8 bytes. */
export function compareScalars(a: Scalar, b: Scalar): number {
  if (typeof a === "string" && typeof b === "string") return compareUtf8(a, b);
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The order of two strings' UTF-8 bytes, which is the order of their code points.
 * UTF-16 code units order the same but for surrogates, which sort above U+E000..U+FFFF here.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
