import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { readEvent } from "../../src/define/read-event.ts";
import type { RawRow, RowPlace, SourceDefinition } from "../../src/define/definition.ts";
import { batchSource, streamSource } from "../../src/index.ts";

const everyType = streamSource("every_type", {
  timestamp: "ts",
  id: "id",
  columns: {
    ts: "timestamp",
    id: "string",
    s: "string",
    i: "int64",
    f: "float64",
    b: "boolean",
    t: "timestamp",
  },
});

const base = { ts: 0, id: "e1" };

function read(row: RawRow, source: SourceDefinition = everyType, place: RowPlace | null = null) {
  const result = readEvent(source, row, place);
  if (result.kind === "filtered") throw new Error("The row was filtered");
  return result.event;
}

function valueOf(column: string, value: unknown): unknown {
  const index = everyType.columns.findIndex(({ name }) => name === column);
  return read({ ...base, [column]: value }).values[index];
}

function refusal(
  row: unknown,
  source: SourceDefinition = everyType,
  place: RowPlace | null = null,
) {
  try {
    readEvent(source, row as RawRow, place);
  } catch (error) {
    expect(error).toBeInstanceOf(FeatureError);
    expect((error as FeatureError).code).toBe("INVALID_RECORD");
    return error as FeatureError;
  }
  throw new Error("The row was not refused");
}

test("readEvent() gives the values in the order of the columns", () => {
  const row = { b: false, f: 1.5, i: 7, s: "x", t: "1970-01-02", id: "e1", ts: "1970-01-01" };
  expect(readEvent(everyType, row, null)).toEqual({
    kind: "event",
    event: { timestampMs: 0, id: "e1", values: [0, "e1", "x", 7, 1.5, false, 86_400_000] },
  });
});

const accepted: readonly (readonly [string, unknown, unknown])[] = [
  ["s", "", ""],
  ["s", "日本😀", "日本😀"],
  ["s", "a".repeat(65_536), "a".repeat(65_536)],
  ["s", "é".repeat(32_768), "é".repeat(32_768)],
  ["s", "😀".repeat(16_384), "😀".repeat(16_384)],
  ["i", 0, 0],
  ["i", -0, 0],
  ["i", "-0", 0],
  ["i", 2 ** 53 - 1, 2 ** 53 - 1],
  ["i", "42", 42],
  ["i", 42n, 42],
  ["i", "9007199254740992", 9007199254740992n],
  ["i", "9223372036854775807", 9223372036854775807n],
  ["i", "-9223372036854775808", -9223372036854775808n],
  ["f", 1e300, 1e300],
  ["f", -0, 0],
  ["f", "-0.0", 0],
  ["f", "1.5", 1.5],
  ["f", "-.5e-3", -0.0005],
  ["f", "1.", 1],
  ["f", 2n ** 60n, 2 ** 60],
  ["f", 5e-324, 5e-324],
  ["b", true, true],
  ["b", "true", true],
  ["b", "false", false],
  ["t", "1969-12-31T23:59:59.9999Z", -1],
  ["t", 12, 12],
  ["s", null, null],
  ["i", null, null],
  ["f", undefined, null],
  ["b", null, null],
  ["t", null, null],
];

test.each(accepted)(
  "readEvent() reads a value of column %s, case %#",
  (column, value, expected) => {
    expect(valueOf(column, value)).toBe(expected);
  },
);

const refused: readonly (readonly [string, unknown, string])[] = [
  ["s", 1, 'column "s" is a number, expected a string'],
  ["s", ["a"], 'column "s" is an array, expected a string'],
  ["s", "\ud800", 'column "s" is text with half a surrogate pair, expected well-formed Unicode'],
  ["s", "a".repeat(65_537), 'column "s" is more than 65536 bytes of UTF-8, expected at most 65536'],
  ["s", "é".repeat(32_769), 'column "s" is more than 65536 bytes of UTF-8'],
  ["s", "😀".repeat(16_384) + "a", 'column "s" is more than 65536 bytes of UTF-8'],
  ["i", 1.5, 'column "i" is a fraction, expected an int64'],
  ["i", 2 ** 53, "send it as a decimal string"],
  ["i", NaN, 'column "i" is NaN, expected an int64'],
  ["i", "1.0", 'column "i" is a string that is not an integer, expected an int64'],
  ["i", "", 'column "i" is an empty string, expected an int64'],
  ["i", "+1", "a string that is not an integer"],
  ["i", "0x10", "a string that is not an integer"],
  ["i", "9223372036854775808", 'column "i" is an integer past 64 bits, expected an int64'],
  ["i", -(2n ** 63n) - 1n, 'column "i" is an integer past 64 bits'],
  ["i", true, 'column "i" is a boolean, expected an int64'],
  ["f", NaN, 'column "f" is NaN, expected a finite float64'],
  ["f", -Infinity, 'column "f" is -Infinity, expected a finite float64'],
  ["f", "NaN", 'column "f" is "NaN", expected a finite float64'],
  ["f", "-Infinity", 'column "f" is "-Infinity", expected a finite float64'],
  ["f", "inf", 'column "f" is "inf"'],
  ["f", "1e999", 'column "f" is past the largest double, expected a finite float64'],
  ["f", "secret", 'column "f" is a string that is not a decimal number, expected a finite float64'],
  ["f", " 1", "a string that is not a decimal number"],
  ["f", "", 'column "f" is an empty string'],
  ["f", 2n ** 53n + 1n, 'column "f" is an integer that a double cannot hold'],
  ["f", {}, 'column "f" is an object, expected a finite float64'],
  ["b", 1, 'column "b" is a number, expected true or false'],
  ["b", "True", 'column "b" is a string, expected true or false'],
  ["t", "2023-02-30", 'column "t" is not a timestamp: its day is 30, expected 01 to 28'],
  ["t", 1.5, 'column "t" is not a timestamp: it is a number that is not whole'],
  ["ts", null, 'column "ts" is null, expected a timestamp'],
  ["ts", undefined, 'column "ts" is missing, expected a timestamp'],
  ["ts", 8.64e15 + 1, 'column "ts" is not a timestamp'],
  ["id", null, 'column "id" is null, expected an event id'],
  ["id", undefined, 'column "id" is missing, expected an event id'],
  ["id", "", 'column "id" is empty, expected an event id'],
  ["id", "a\u0000b", 'column "id" is text with a NUL, expected an event id without one'],
  ["id", 7, 'column "id" is a number, expected a string'],
  ["id", "a".repeat(513), 'column "id" is more than 512 bytes of UTF-8'],
  ["other", 1, 'column "other" is not in source "every_type", declare it, or drop it in a map'],
  ["constructor", 1, 'column "constructor" is not in source "every_type"'],
];

test.each(refused)(
  "readEvent() refuses a value of column %s, case %#",
  (column, value, message) => {
    const error = refusal({ ...base, [column]: value });
    expect(error.message).toMatch(/^Cannot read record: /);
    expect(error.message).toContain(message);
    if (typeof value === "string" && value.includes("secret")) {
      expect(error.message).not.toContain("secret");
    }
  },
);

test("readEvent() takes an id of exactly the longest length", () => {
  const id = "é".repeat(256);
  expect(read({ ts: 0, id }).id).toBe(id);
});

test("readEvent() gives an empty id where the source declares none", () => {
  const source = batchSource("plain", { timestamp: "ts", columns: { amt: "float64" } });
  expect(read({ ts: 5 }, source)).toEqual({ timestampMs: 5, id: "", values: [5, null] });
});

test("readEvent() finds no value in what every object inherits", () => {
  const source = batchSource("odd", { timestamp: "ts", columns: { constructor: "string" } });
  expect(read({ ts: 5 }, source).values).toEqual([5, null]);
});

test.each([
  [null, "the row is null, expected an object"],
  [[], "the row is an array, expected an object"],
  ["x", "the row is of type string, expected an object"],
])("readEvent() refuses the row %j", (row, message) => {
  expect(refusal(row).message).toBe(`Cannot read record: ${message}`);
});

const mapped = batchSource("mapped", {
  timestamp: "ts",
  id: "id",
  columns: { amt: "float64" },
  map: (row, place) => {
    if (row["Amount"] === "throw") throw new TypeError("No such thing");
    return {
      ts: row["When"],
      id: `${place?.file}:${place?.row}`,
      amt: row["Amount"],
      ...(row["extra"] === undefined ? {} : { extra: 1 }),
    };
  },
  filter: (row) => {
    if (row["amt"] === "throw in filter") throw new RangeError("No such filter");
    return row["amt"] === "undecided" ? (undefined as never) : row["amt"] !== "0";
  },
});

const place = { file: "2024.csv", row: 12 };

test("readEvent() maps with the row's place, then filters the mapped row", () => {
  const row = Object.freeze({ When: "2024-01-01", Amount: "2.5", Note: "ignored" });
  expect(read(row, mapped, place)).toEqual({
    timestampMs: 1_704_067_200_000,
    id: "2024.csv:12",
    values: [1_704_067_200_000, "2024.csv:12", 2.5],
  });
  expect(readEvent(mapped, { ...row, Amount: "0" }, place)).toEqual({
    kind: "filtered",
    reason: "filtered",
  });
});

test("readEvent() drops a filtered row before it validates it", () => {
  expect(readEvent(mapped, { When: "never", Amount: "0" }, place)).toEqual({
    kind: "filtered",
    reason: "filtered",
  });
});

test("readEvent() reports what map and filter threw, with the cause and the place", () => {
  const fromMap = refusal({ When: 0, Amount: "throw" }, mapped, place);
  expect(fromMap.message).toBe(
    'Cannot read record at row 12 of "2024.csv": the map of its source threw, expected a row',
  );
  expect(fromMap.cause).toBeInstanceOf(TypeError);
  const fromFilter = refusal({ When: 0, Amount: "throw in filter" }, mapped, place);
  expect(fromFilter.message).toContain("the filter of its source threw");
  expect(fromFilter.cause).toBeInstanceOf(RangeError);
});

test("readEvent() refuses a filter without a decision and a map with an unknown column", () => {
  expect(refusal({ When: 0, Amount: "undecided" }, mapped, place).message).toContain(
    "the filter of its source returned a value of type undefined, expected true, false or a reason",
  );
  expect(refusal({ When: 0, Amount: "1", extra: true }, mapped, place).message).toContain(
    'column "extra" is not in source "mapped", drop it in the map',
  );
});

test("readEvent() refuses a map that returned no row", () => {
  const source = batchSource("void", {
    timestamp: "ts",
    columns: { amt: "float64" },
    map: () => undefined as never,
  });
  expect(refusal({ ts: 0 }, source).message).toContain("the row is of type undefined");
});
