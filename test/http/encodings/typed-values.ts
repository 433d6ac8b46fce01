/** Random types and values of them, nulls at any depth. */

import * as fc from "fast-check";
import { instantMsMax } from "../../../src/core/instant.ts";
import { int64Max, int64Min, toInt64 } from "../../../src/core/value.ts";
import type { DataType, ElementType, Value } from "../../../src/core/value.ts";

export interface TypedColumn {
  readonly type: DataType;
  /** One a row. */
  readonly values: readonly Value[];
}

const depthMax = 3;
const fieldNames = ["a", "b", "price"];

const scalars = {
  string: fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constant("\u0000é😀")),
  boolean: fc.boolean(),
  int64: fc.oneof(
    fc.bigInt({ min: int64Min, max: int64Max }).map(toInt64),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.constantFrom(toInt64(int64Min), toInt64(int64Max), 2n ** 53n + 1n, 0xffff_ffff, 2 ** 32),
  ),
  float64: fc.oneof(fc.double().map(withoutMinusZero), fc.constantFrom(NaN, Infinity, 0, 3)),
  float32: fc.float().map(withoutMinusZero),
  timestamp: fc.integer({ min: -instantMsMax, max: instantMsMax }),
} as const;

/** In memory there is none. */
function withoutMinusZero(value: number): number {
  return value + 0;
}

export const dataTypes: fc.Arbitrary<DataType> = typesTo(depthMax);

function typesTo(depth: number): fc.Arbitrary<DataType> {
  const scalar = fc.constantFrom("string", "boolean", "int64", "float64", "timestamp");
  if (depth === 0) return scalar;
  const inner = fc.nat({ max: depth - 1 }).chain(typesTo);
  return fc.oneof(
    scalar,
    fc.record({ array: fc.oneof(inner, fc.constant("float32" as const)) }),
    fc.record({ map: inner }),
    fc.uniqueArray(fc.constantFrom(...fieldNames), { minLength: 1 }).chain((names) =>
      fc.record({
        struct: fc
          .tuple(...names.map(() => inner))
          .map((types) => Object.fromEntries(names.map((name, i) => [name, types[i] as DataType]))),
      }),
    ),
  );
}

/** @param rowCount - Values of each. */
export function columnsOf(rowCount: number): fc.Arbitrary<TypedColumn> {
  return dataTypes.chain((type) =>
    fc
      .array(valuesOf(type), { minLength: rowCount, maxLength: rowCount })
      .map((values) => ({ type, values })),
  );
}

export function valuesOf(type: ElementType): fc.Arbitrary<Value> {
  return fc.option(knownValuesOf(type), { freq: 4 });
}

function knownValuesOf(type: ElementType): fc.Arbitrary<Value> {
  if (typeof type === "string") return scalars[type];
  if ("array" in type) return fc.array(valuesOf(type.array), { maxLength: 4 });
  if ("map" in type) {
    // One reader renames a key of an object's prototype.
    const keys = fc.string({ maxLength: 40 }).filter((key) => key !== "__proto__");
    return fc
      .dictionary(keys, valuesOf(type.map), { maxKeys: 4, noNullPrototype: true })
      .map((entries) => entries as Value);
  }
  return fc.tuple(...Object.values(type.struct).map(valuesOf));
}
