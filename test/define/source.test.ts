import { expect, test } from "vitest";
import { DefinitionError, batchSource, entity, streamSource } from "../../src/index.ts";

/** What a caller without types may pass. */
const untyped = { entity, streamSource, batchSource } as unknown as Record<
  "entity" | "streamSource" | "batchSource",
  (name: unknown, config: unknown) => unknown
>;

const day = 86_400_000;

test("streamSource() implies its timestamp and id where columns lists no timestamp", () => {
  const source = streamSource("clicks", {
    timestamp: "ts",
    id: "id",
    columns: { user_id: "string", amt: "float64" },
  });
  expect(source).toEqual({
    kind: "streamSource",
    name: "clicks",
    timestamp: "ts",
    id: "id",
    columns: [
      { name: "ts", type: "timestamp" },
      { name: "id", type: "string" },
      { name: "user_id", type: "string" },
      { name: "amt", type: "float64" },
    ],
    map: null,
    filter: null,
    version: null,
    log: "main",
    redeliveryHorizonMs: 7 * day,
  });
});

test("streamSource() keeps the order of listed columns and what it was given", () => {
  const map = (row: Readonly<Record<string, unknown>>) => row;
  const filter = () => true;
  const source = streamSource("clicks", {
    timestamp: "ts",
    id: "key",
    columns: { amt: "float64", key: "string", ts: "timestamp" },
    log: "second",
    redeliveryHorizon: "36h",
    version: "3",
    map,
    filter,
  });
  expect(source.columns.map(({ name }) => name)).toEqual(["amt", "key", "ts"]);
  expect(source).toMatchObject({ log: "second", redeliveryHorizonMs: 1.5 * day, version: "3" });
  expect(source.map).toBe(map);
  expect(source.filter).toBe(filter);
});

test("streamSource() takes a listed id with an implied timestamp, and no id at all", () => {
  const listed = streamSource("s", { timestamp: "ts", id: "k", columns: { k: "string" } });
  expect(listed.columns.map(({ name }) => name)).toEqual(["ts", "k"]);
  expect(batchSource("s", { timestamp: "ts", columns: { k: "string" } }).id).toBeNull();
});

test("definitions are frozen", () => {
  expect(Object.isFrozen(entity("user", { user_id: "string" }))).toBe(true);
  expect(Object.isFrozen(batchSource("s", { timestamp: "ts", columns: { k: "string" } }))).toBe(
    true,
  );
});

const name64 = `a${"b".repeat(63)}`;

test("entity() takes a name of exactly the longest length, and every kind of key", () => {
  const keys = { a: "string", b: "int64", c: "boolean", d: "timestamp" } as const;
  expect(entity(name64, keys).joinKeys.map(({ type }) => type)).toEqual(Object.values(keys));
});

const columns = { user_id: "string", amt: "float64" };

const refused: readonly (readonly [
  "entity" | "streamSource" | "batchSource",
  unknown,
  unknown,
  string,
])[] = [
  [
    "entity",
    "User",
    { a: "string" },
    'Cannot define entity "User": its name is "User", expected lower-case',
  ],
  ["entity", "a__b", { a: "string" }, "single underscores"],
  ["entity", "a_", { a: "string" }, "single underscores"],
  ["entity", "1a", { a: "string" }, "starting with a letter"],
  ["entity", "", { a: "string" }, "starting with a letter"],
  ["entity", `${name64}c`, { a: "string" }, "its name has 65 characters, expected at most 64"],
  ["entity", 7, { a: "string" }, "its name is a number, expected a string"],
  ["entity", "e", {}, "joinKeys has 0 entries, expected at least 1"],
  ["entity", "e", ["a"], "joinKeys is an array, expected an object"],
  ["entity", "e", { A: "string" }, 'a join key is "A"'],
  ["entity", "e", { a: "float64" }, 'join key "a" has type "float64", expected "string", "int64"'],
  ["entity", "e", { a: "text" }, 'join key "a" has type "text", expected one of "string"'],
  ["streamSource", "s", undefined, 'Cannot define source "s": its config is missing'],
  ["streamSource", "s", { timestamp: "ts", columns, colums: {} }, 'an unknown field "colums"'],
  [
    "streamSource",
    "s",
    { timestamp: "ts", columns: { a: "double" } },
    'column "a" has type "double"',
  ],
  ["streamSource", "s", { timestamp: "ts", columns: { a: null } }, 'column "a" has type null'],
  ["streamSource", "s", { columns }, "timestamp is missing, expected a string"],
  [
    "streamSource",
    "s",
    { timestamp: "amt", columns },
    'timestamp names column "amt", which is of type "float64", expected a column of type "timestamp"',
  ],
  [
    "streamSource",
    "s",
    { timestamp: "tss", columns: { ...columns, ts: "timestamp" } },
    'timestamp names column "tss", which is not in columns',
  ],
  [
    "streamSource",
    "s",
    { timestamp: "ts", id: "idd", columns: { ...columns, ts: "timestamp" } },
    'id names column "idd", which is not in columns, expected a column of type "string"',
  ],
  [
    "streamSource",
    "s",
    { timestamp: "ts", id: "ts", columns },
    'id names column "ts", which is of type "timestamp"',
  ],
  ["streamSource", "s", { timestamp: "ts", columns, log: "My Log" }, 'log is "My Log"'],
  [
    "streamSource",
    "s",
    { timestamp: "ts", columns, redeliveryHorizon: "1 week" },
    'redeliveryHorizon is "1 week", expected a whole number and a unit',
  ],
  [
    "streamSource",
    "s",
    { timestamp: "ts", columns, redeliveryHorizon: "0d" },
    'redeliveryHorizon is "0d", expected more than nothing',
  ],
  ["streamSource", "s", { timestamp: "ts", columns, redeliveryHorizon: "3661d" }, "at most 3660d"],
  [
    "streamSource",
    "s",
    { timestamp: "ts", columns, map: {} },
    "map is an object, expected a function",
  ],
  [
    "streamSource",
    "s",
    { timestamp: "ts", columns, filter: "x" },
    "filter is a string, expected a function",
  ],
  [
    "streamSource",
    "s",
    { timestamp: "ts", columns, version: 2 },
    "version is a number, expected a string",
  ],
  ["batchSource", "s", { timestamp: "ts", columns, log: "main" }, 'an unknown field "log"'],
  [
    "batchSource",
    "s",
    { timestamp: "ts", columns: manyColumns(256) },
    "columns has 257 entries, expected at most 256",
  ],
];

test.each(refused)("%s() refuses %s, case %#", (...given) => {
  const [builder, name, config, message] = given;
  expect(() => untyped[builder](name, config)).toThrow(DefinitionError);
  expect(() => untyped[builder](name, config)).toThrow(message);
});

test("batchSource() takes exactly the most columns", () => {
  expect(batchSource("s", { timestamp: "ts", columns: manyColumns(255) }).columns).toHaveLength(
    256,
  );
});

function manyColumns(count: number): Record<string, "int64"> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, "int64"]));
}
