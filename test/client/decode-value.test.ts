import { expect, test } from "vitest";
import fc from "fast-check";
import { decodeValue } from "../../src/client/decode-value.ts";
import type { WireType } from "../../src/client/decode-value.ts";
import type { DataType, Value } from "../../src/core/value.ts";
import { encodeDataType, encodeValue } from "../../src/http/encode-value.ts";

interface Sample {
  readonly type: DataType;
  /** As the server holds it. */
  readonly value: Value;
  /** As the client has it. */
  readonly decoded: unknown;
}

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const leaf: fc.Arbitrary<Sample> = fc.oneof(
  int64.map((value) => ({ type: "int64" as const, value, decoded: value })),
  fc
    .double()
    .map((value) => ({ type: "float64" as const, value, decoded: value + 0 /* No -0. */ })),
  fc.string().map((value) => ({ type: "string" as const, value, decoded: value })),
  fc.boolean().map((value) => ({ type: "boolean" as const, value, decoded: value })),
);

/** Types of arrays, maps and structs to some depth, each with a value of it. */
const sample: fc.Arbitrary<Sample> = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 4, depthSize: "medium" },
    leaf,
    tie("sample").map(({ type, value, decoded }) => ({
      type: { array: type },
      value: [value, null, value],
      decoded: [decoded, null, decoded],
    })),
    fc.tuple(tie("sample"), fc.string()).map(([{ type, value, decoded }, key]) => ({
      type: { map: type },
      value: Object.fromEntries([[key, value]]),
      decoded: Object.fromEntries([[key, decoded]]),
    })),
    fc.tuple(tie("sample"), tie("sample")).map(([a, b]) => ({
      type: { struct: { left: a.type, right: b.type, none: "int64" as const } },
      value: [a.value, b.value, null],
      decoded: { left: a.decoded, right: b.decoded, none: null },
    })),
  ),
})).sample;

test("decodeValue() gives back what the server encodes, at any depth", () => {
  fc.assert(
    fc.property(sample, ({ type, value, decoded }) => {
      const wire = JSON.parse(JSON.stringify(encodeValue(type, value))) as unknown;
      expect(decodeValue(encodeDataType(type) as unknown as WireType, wire)).toEqual(decoded);
    }),
    { numRuns: 500 },
  );
});

test.each([
  [{ type: "string", format: "date-time" }, "2023-06-13T03:20:46.563Z", 1_686_626_446_563],
  [{ type: "string", format: "date-time" }, "-000001-01-01T00:00:00Z", -62_198_755_200_000],
  [{ type: "string" }, "2023-06-13T03:20:46.563Z", "2023-06-13T03:20:46.563Z"],
  [{ type: "int64" }, 12, 12n],
  [{ type: "int64" }, "9007199254740993", 9_007_199_254_740_993n],
  [{ type: "float32" }, 0.1, Math.fround(0.1)],
  [{ type: "uuid" }, null, null],
  [{ type: "map", valueType: { type: "int64" } }, JSON.parse('{"__proto__":"1"}'), undefined],
] as const)("decodeValue(%j, %j) is %s", (type, value, expected) => {
  const decoded = decodeValue(type, value);
  if (expected === undefined)
    expect(Object.entries(decoded as object)).toEqual([["__proto__", 1n]]);
  else expect(decoded).toEqual(expected);
});

test.each([
  ["int64", 2 ** 53],
  ["int64", true],
  ["int64", "1.0"],
  ["float64", "1"],
  ["float64", true],
  ["string", 1],
  ["boolean", "true"],
  ["array", {}],
  ["map", []],
  ["map", "a"],
  ["struct", ["a"]],
  ["struct", {}],
  ["decimal", "1"],
])("decodeValue() refuses a value of type %s that is %j", (type, value) => {
  expect(() => decodeValue({ type }, value)).toThrow(/Cannot|BigInt/);
});
