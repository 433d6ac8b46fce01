import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../src/core/bytes.ts";
import { readScalar, writeInteger, writeScalar } from "../../src/core/scalar-codec.ts";
import { toInt64 } from "../../src/core/value.ts";
import type { Scalar, ScalarType } from "../../src/core/value.ts";

function write(type: ScalarType, value: Scalar): Uint8Array {
  const writer = new ByteWriter(1);
  writeScalar(writer, type, value);
  return writer.finish();
}

const values: Readonly<Record<ScalarType, fc.Arbitrary<Scalar>>> = {
  string: fc.string({ unit: "grapheme" }),
  boolean: fc.boolean(),
  float64: fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(toInt64),
  timestamp: fc.integer({ min: -8.64e15, max: 8.64e15 }),
};

test.each(Object.entries(values))(
  "readScalar() of %s reads what was written, no more",
  (name, all) => {
    const type = name as ScalarType;
    fc.assert(
      fc.property(all, (value) => {
        const bytes = write(type, value);
        const reader = new ByteReader(new Uint8Array([...bytes, 0xff]));
        expect(readScalar(reader, type)).toBe(value);
        expect(reader.position).toBe(bytes.length);
      }),
      { seed: 64, numRuns: 500 },
    );
  },
);

test.each<[value: number | bigint, hex: string]>([
  [0, "01"],
  [-1, "02"],
  [1, "03"],
  [63, "7f"],
  [-64, "8001"],
  [64, "8101"],
  [2 ** 52 - 1, "ffffffffffffff0f"],
  [1 - 2 ** 52, "feffffffffffff0f"],
  [2 ** 52, "000000000000001000"],
  [-(2 ** 52), "00000000000000f0ff"],
  [2 ** 53 - 1, "00ffffffffffff1f00"],
  [2n ** 53n, "000000000000002000"],
  [2n ** 63n - 1n, "00ffffffffffffff7f"],
  [-(2n ** 63n), "000000000000000080"],
])("writeInteger() writes %s as %s", (value, hex) => {
  const writer = new ByteWriter(1);
  writeInteger(writer, value);
  const bytes = writer.finish();
  expect(Buffer.from(bytes).toString("hex")).toBe(hex);
  expect(readScalar(new ByteReader(bytes), "int64")).toBe(value);
});

test.each<[what: string, type: ScalarType, hex: string]>([
  ["a small int64 in the long form", "int64", "000100000000000000"],
  ["an int64 past 2^53 in the short form", "int64", "ffffffffffffff7f"],
  ["a timestamp of 2^53", "timestamp", "000000000000002000"],
  ["a timestamp just past the last instant", "timestamp", "000100dcc208b21e00"],
  ["NaN", "float64", "000000000000f87f"],
  ["an infinity", "float64", "000000000000f0ff"],
  ["a boolean of 2", "boolean", "02"],
  ["a string that is not UTF-8", "string", "01ff"],
  ["a string cut short", "string", "0261"],
])("readScalar() refuses %s", (_, type, hex) => {
  const reader = new ByteReader(new Uint8Array(Buffer.from(hex, "hex")));
  expect(() => readScalar(reader, type)).toThrow(
    expect.objectContaining({ code: "CORRUPT_RECORD" }),
  );
});
