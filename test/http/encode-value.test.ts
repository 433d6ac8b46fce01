import { expect, test } from "vitest";
import { encodeDataType, encodeValue } from "../../src/http/encode-value.ts";
import type { DataType, Value } from "../../src/core/value.ts";

const point: DataType = { struct: { label: "string", x: "int64", y: "float64" } };

const cases: readonly [name: string, type: DataType, value: Value, json: unknown][] = [
  ["a safe int64", "int64", 7, "7"],
  ["the largest int64", "int64", 2n ** 63n - 1n, "9223372036854775807"],
  ["the smallest int64", "int64", -(2n ** 63n), "-9223372036854775808"],
  ["a float64", "float64", 0.1, 0.1],
  ["NaN", "float64", Number.NaN, "NaN"],
  ["infinity", "float64", Infinity, "Infinity"],
  ["minus infinity", "float64", -Infinity, "-Infinity"],
  ["a boolean", "boolean", false, false],
  ["a string", "string", "7", "7"],
  ["a timestamp with milliseconds", "timestamp", 1_686_626_446_563, "2023-06-13T03:20:46.563Z"],
  ["a timestamp on the second", "timestamp", 0, "1970-01-01T00:00:00Z"],
  ["a timestamp before 1970", "timestamp", -1, "1969-12-31T23:59:59.999Z"],
  ["null", "int64", null, null],
  ["an empty array", { array: "int64" }, [], []],
  ["int64s in an array", { array: "int64" }, [1, null, 2n ** 60n], ["1", null, String(2n ** 60n)]],
  ["a struct, by position", point, ["a", 1, Infinity], ["a", "1", "Infinity"]],
  ["a struct of nulls, which is not a null struct", point, [null, null, null], [null, null, null]],
  ["a null struct", point, null, null],
  ["a map", { map: "int64" }, { b: 2, a: null }, { b: "2", a: null }],
  [
    "structs in maps in arrays",
    { array: { map: point } },
    [{ k: ["a", 1, 2] }],
    [{ k: ["a", "1", 2] }],
  ],
];

for (const [name, type, value, json] of cases) {
  test(`encodeValue() writes ${name}`, () => {
    expect(encodeValue(type, value)).toEqual(json);
    expect(JSON.parse(JSON.stringify(encodeValue(type, value)))).toEqual(json);
  });
}

test('encodeValue() writes the map key "__proto__" as any other', () => {
  const value = JSON.parse('{"__proto__":1}') as Value;
  expect(JSON.stringify(encodeValue({ map: "int64" }, value))).toBe('{"__proto__":"1"}');
});

test("encodeValue() refuses a value of another type as a bug", () => {
  const wrong: readonly [DataType, Value][] = [
    ["int64", 1.5],
    ["int64", "1"],
    ["float64", "1"],
    ["timestamp", "1970"],
    ["string", 1],
    ["boolean", 0],
    [{ array: "int64" }, { a: 1 }],
    [{ map: "int64" }, [1]],
    [point, ["a", 1]],
  ];
  for (const [type, value] of wrong) {
    expect(() => encodeValue(type, value), JSON.stringify([type, value])).toThrow(
      "Assertion failed",
    );
  }
});

test("encodeDataType() nests as the wire does, with timestamps as strings", () => {
  expect(encodeDataType({ map: { array: { struct: { at: "timestamp", n: "int64" } } } })).toEqual({
    type: "map",
    keyType: { type: "string" },
    valueType: {
      type: "array",
      elementType: {
        type: "struct",
        fields: [
          { name: "at", dataType: { type: "string", format: "date-time" } },
          { name: "n", dataType: { type: "int64" } },
        ],
      },
    },
  });
});
