import * as fc from "fast-check";
import { Unpackr } from "msgpackr";
import { expect, test } from "vitest";
import { formatInstant } from "../../../src/core/instant.ts";
import { toInt64 } from "../../../src/core/value.ts";
import type { ElementType, Value } from "../../../src/core/value.ts";
import { MsgpackWriter } from "../../../src/core/msgpack/msgpack-writer.ts";
import { writeTyped } from "../../../src/http/encodings/typed-msgpack.ts";
import { columnsOf } from "./typed-values.ts";

function written(type: ElementType, value: Value): Uint8Array {
  const writer = new MsgpackWriter();
  writeTyped(writer, type, value);
  return writer.finish();
}

// Bytes from the specification's tables: https://github.com/msgpack/msgpack/blob/master/spec.md
const vectors: readonly [type: ElementType, value: Value, hex: string][] = [
  ["int64", null, "c0"],
  ["boolean", false, "c2"],
  ["boolean", true, "c3"],
  ["int64", 0, "00"],
  ["int64", 127, "7f"],
  ["int64", 128, "cc80"],
  ["int64", 256, "cd0100"],
  ["int64", 65_536, "ce00010000"],
  ["int64", 0xffff_ffff, "ceffffffff"],
  ["int64", 2 ** 32, "d30000000100000000"],
  ["int64", -1, "ff"],
  ["int64", -32, "e0"],
  ["int64", -33, "d0df"],
  ["int64", -129, "d1ff7f"],
  ["int64", -32_769, "d2ffff7fff"],
  ["int64", -(2 ** 31) - 1, "d3ffffffff7fffffff"],
  ["int64", 2n ** 53n + 1n, "d30020000000000001"],
  ["int64", -(2n ** 63n), "d38000000000000000"],
  ["int64", 2n ** 63n - 1n, "d37fffffffffffffff"],
  ["float64", 3, "cb4008000000000000"],
  ["float64", 0.1, "cb3fb999999999999a"],
  ["float64", NaN, "cb7ff8000000000000"],
  ["float64", -Infinity, "cbfff0000000000000"],
  [{ array: "float32" }, [0.5], "91ca3f000000"],
  ["string", "", "a0"],
  ["string", "é", "a2c3a9"],
  ["string", "a".repeat(32), `d920${"61".repeat(32)}`],
  ["string", "a".repeat(256), `da0100${"61".repeat(256)}`],
  ["timestamp", 0, `b4${Buffer.from("1970-01-01T00:00:00Z").toString("hex")}`],
  [{ array: "int64" }, [], "90"],
  [{ array: "int64" }, [1, null], "9201c0"],
  [{ array: "int64" }, Array<Value>(16).fill(1), `dc0010${"01".repeat(16)}`],
  [{ map: "int64" }, { a: 1 }, "81a16101"],
  [{ struct: { a: "int64", b: "string" } }, [1, null], "9201c0"],
];

test("MsgpackWriter writes the bytes of the specification", () => {
  for (const [type, value, hex] of vectors) {
    expect(Buffer.from(written(type, value)).toString("hex"), String(value)).toBe(hex);
  }
});

test("another reader finds every value that MsgpackWriter wrote", () => {
  const reader = new Unpackr({ int64AsType: "bigint", useRecords: false } as object);
  const columns = columnsOf(8);
  fc.assert(
    fc.property(columns, ({ type, values }) => {
      for (const value of values) {
        expect(asInMemory(reader.unpack(written(type, value)))).toEqual(asText(type, value));
      }
    }),
    { numRuns: 400 },
  );
});

/** Integers of 64 bits as they are in memory. */
function asInMemory(read: unknown): unknown {
  if (typeof read === "bigint") return toInt64(read);
  if (Array.isArray(read)) return read.map(asInMemory);
  if (typeof read !== "object" || read === null) return read;
  return Object.fromEntries(Object.entries(read).map(([key, each]) => [key, asInMemory(each)]));
}

/** The value with its timestamps as texts. */
function asText(type: ElementType, value: Value): unknown {
  if (value === null) return null;
  if (type === "timestamp") return formatInstant(value as number);
  if (typeof type === "string") return value;
  if ("map" in type) {
    const entries = Object.entries(value).map(([key, each]) => [
      key,
      asText(type.map, each as Value),
    ]);
    return Object.fromEntries(entries);
  }
  const types = "array" in type ? null : Object.values(type.struct);
  return (value as readonly Value[]).map((each, i) => {
    return asText(
      types === null ? (type as { array: ElementType }).array : (types[i] as ElementType),
      each,
    );
  });
}
