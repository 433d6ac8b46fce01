import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import type { LoadProgress } from "../../adapters/engines/duckdb/loads.ts";
import { readRows } from "../../adapters/engines/duckdb/read-rows.ts";
import { batchSource, batchView, count, entity, last, streamSource, sum } from "../../src/index.ts";
import type { RowPlace } from "../../src/define/definition.ts";
import {
  clickView,
  loadRegistered,
  openStore,
  requestOf,
  scanAll,
  temporaryDirectory,
  user,
  visits,
  visitView,
  writeFiles,
} from "./offline-fixtures.ts";

test("load() reads CSV with quoted commas, line ends and quotes, and keeps empty quoted cells", async () => {
  const store = await openStore();
  const lines = [
    "at,user_id,page",
    '2024-01-01T00:00:01Z,u,"a,b"',
    '2024-01-01T00:00:02Z,u,"two\r\nlines"',
    '2024-01-01T00:00:03Z,u,"say ""hi"""',
    '2024-01-01T00:00:04Z,u,""',
    "2024-01-01T00:00:05Z,u,",
    '2024-01-01T00:00:06Z,u,in "the" middle',
    "2024-01-01T00:00:07Z,u,🚴",
  ];
  const [file] = await writeFiles({ "visits.csv": `\ufeff${lines.join("\r\n")}` });
  const summary = await store.load(visits, [file!]);
  expect(summary).toEqual({ read: 7, loaded: 7, skipped: new Map(), repeated: false });
  const pages = (await scanAll(store, requestOf(visitView))).map((row) => row[3]);
  const expected = ["a,b", "two\r\nlines", 'say "hi"', "", null, 'in "the" middle', "🚴"];
  expect(pages).toEqual(expected);
});

test("load() gives the map each row's place, in the order of the file", async () => {
  const places: RowPlace[] = [];
  const source = batchSource("placed", {
    timestamp: "at",
    columns: { at: "timestamp", user_id: "string" },
    map: (row, place) => {
      places.push(place!);
      return row;
    },
  });
  const store = await openStore();
  const row = (i: number) => ({ at: 1_000 + i, user_id: "u" });
  const csv = ["at,user_id", ...Array.from({ length: 3_000 }, () => "2024-01-01,u")].join("\n");
  const jsonl = Array.from({ length: 3 }, (_, i) => `${JSON.stringify(row(i))}\n`).join("\n");
  const files = await writeFiles({ "b.csv": `${csv}\n\n`, "a.jsonl": jsonl });
  const summary = await store.load(source, files);
  expect(summary.loaded).toBe(3_003);
  const expected = [
    ...Array.from({ length: 3_000 }, (_, i) => ({ file: "b.csv", row: i + 1 })),
    ...Array.from({ length: 3 }, (_, i) => ({ file: "a.jsonl", row: i + 1 })),
  ];
  expect(places).toEqual(expected);
});

test("load() skips rows that are no events and counts them by reason", async () => {
  const source = streamSource("picky", {
    timestamp: "ts",
    id: "id",
    columns: { user_id: "string", amt: "float64" },
    filter: (row) => row["user_id"] !== "robot",
  });
  const store = await openStore();
  const csv = [
    "ts,id,user_id,amt",
    "2024-01-01T00:00:00Z,a,u,1",
    "2024-01-01T00:00:00Z,,u,1",
    ",c,u,1",
    "2024-01-01T00:00:00Z,d,u,secret",
    "2024-01-01T00:00:00Z,e,u,hidden",
    "2024-01-01T00:00:00Z,f,robot,1",
    "2024-01-01T00:00:00Z,g,u",
    "2024-01-01T00:00:00Z,h,u,1,2",
    '2024-01-01T00:00:00Z,i,"u,1',
  ].join("\n");
  const jsonl = [
    '{"ts":1,"id":"j","user_id":"u"}',
    "{broken",
    "[1]",
    '{"ts":1,"id":"k","extra":1}',
  ];
  const files = await writeFiles({ "a.csv": csv, "b.jsonl": jsonl.join("\n") });
  const summary = await store.load(source, files);
  expect([...summary.skipped].sort()).toEqual([
    ["a quoted cell has no end", 1],
    ['column "amt" is a string that is not a decimal number, expected a finite float64', 2],
    ['column "extra" is not in source "picky", declare it, or drop it in a map', 1],
    ['column "id" is null, expected an event id', 1],
    ['column "ts" is null, expected a timestamp', 1],
    ["filtered", 1],
    ["the line has another number of cells than the header", 2],
    ["the line is not JSON", 1],
    ["the row is an array, expected an object", 1],
  ]);
  const skippedCount = [...summary.skipped.values()].reduce((sum, rows) => sum + rows, 0);
  expect(summary).toMatchObject({ read: 13, loaded: 2, repeated: false });
  expect(summary.loaded + skippedCount).toBe(summary.read);
});

test("load() bounds the reasons of one summary", async () => {
  const store = await openStore();
  const lines = Array.from({ length: 500 }, (_, i) => JSON.stringify({ at: i, [`column${i}`]: 1 }));
  const [file] = await writeFiles({ "many.jsonl": lines.join("\n") });
  const { skipped } = await store.load(visits, [file!]);
  expect(skipped.size).toBe(101);
  expect(skipped.get("other reasons")).toBe(400);
});

test("load() of the same files again does nothing and answers the first run's counts", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory });
  const csv = "at,user_id,page\n2024-01-01,u,a\nnever,u,b\n";
  const [file] = await writeFiles({ "visits.csv": csv });
  const first = await store.load(visits, [file!]);
  const other = await openStore({ directory });
  expect(await other.load(visits, [file!, file!])).toEqual({ ...first, repeated: true });
  expect(await scanAll(store, requestOf(visitView))).toHaveLength(1);
  const moved = join(await temporaryDirectory(), "visits.csv");
  await copyFile(file!, moved);
  expect((await store.load(visits, [moved])).repeated).toBe(true);
  const renamed = join(await temporaryDirectory(), "other.csv");
  await copyFile(file!, renamed);
  expect((await store.load(visits, [renamed])).repeated).toBe(false);
  expect(await scanAll(store, requestOf(visitView))).toHaveLength(2);
});

test("load() of a directory that has grown loads what is new", async () => {
  const store = await openStore();
  const [a] = await writeFiles({ "a.csv": "at,user_id,page\n2024-01-01,u,a\n2024-01-02,u,a\n" });
  const [b] = await writeFiles({ "b.csv": "at,user_id,page\n2024-01-03,u,b\n" });
  const folder = join(await temporaryDirectory(), "history");
  await mkdir(folder);
  await copyFile(a!, join(folder, "a.csv"));
  expect((await store.load(visits, [folder])).loaded).toBe(2);
  await copyFile(b!, join(folder, "b.csv"));
  expect(await store.load(visits, [folder])).toEqual({
    read: 3,
    loaded: 1,
    skipped: new Map([["already loaded", 2]]),
    repeated: false,
  });
  expect(await scanAll(store, requestOf(visitView))).toHaveLength(3);
});

test("load() at once from two stores loads the rows once", async () => {
  const directory = await temporaryDirectory();
  const stores = [await openStore({ directory }), await openStore({ directory })];
  const lines = Array.from({ length: 2_000 }, (_, i) => `${2000 + (i % 20)}-01-01,u${i},p`);
  const [file] = await writeFiles({ "visits.csv": ["at,user_id,page", ...lines].join("\n") });
  const summaries = await Promise.all(stores.map((store) => store.load(visits, [file!])));
  expect(summaries.map(({ loaded }) => loaded)).toEqual([2_000, 2_000]);
  for (const store of stores) {
    expect(await scanAll(store, requestOf(visitView))).toHaveLength(2_000);
  }
  expect(await readdir(join(directory, "visits", "loads"))).toHaveLength(1);
});

test("load() reports progress that ends at the whole", async () => {
  const store = await openStore();
  const lines = Array.from({ length: 20_000 }, (_, i) => `${i % 28},page ${i}`);
  const rows = lines.map((line) => `2024-01-0${1 + (line.length % 9)},u${line}`);
  const files = await writeFiles({
    "a.csv": ["at,user_id,page", ...rows].join("\n"),
    "b.csv": "at,user_id,page\n2024-01-01,u,p\n",
  });
  const seen: LoadProgress[] = [];
  const { read } = await store.load(visits, files, {
    onProgress: (progress) => seen.push(progress),
  });
  expect(read).toBe(20_001);
  const last = seen.at(-1)!;
  expect(last).toEqual({ rows: read, bytes: last.bytesTotal, bytesTotal: last.bytesTotal });
  expect(seen.length).toBeGreaterThan(3);
  for (const [i, progress] of seen.entries()) {
    expect(progress.rows).toBeGreaterThanOrEqual(seen[i - 1]?.rows ?? 0);
    expect(progress.bytes).toBeGreaterThanOrEqual(seen[i - 1]?.bytes ?? 0);
  }
});

test("load() refuses what it cannot read, and keeps nothing of it", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory });
  const [text, twice, open] = await writeFiles({
    "notes.txt": "a",
    "twice.csv": "at,at\n1,2\n",
    "open.csv": `at,user_id,page\n2024-01-01,u,"${"x\n".repeat(2_500_000)}`,
  });
  const expectRefusal = (file: string, message: string) =>
    expect(store.load(visits, [file])).rejects.toThrow(message);
  await expectRefusal(text!, "it has another extension, expected .csv, .jsonl, .ndjson, .parquet");
  await expectRefusal(join(directory, "none.csv"), "there is no such file");
  await expectRefusal(twice!, 'Cannot load "twice.csv": its header names "at" twice');
  await expectRefusal(open!, "expected a quote to close it");
  const [latin] = await writeFiles({ "latin.csv": "" });
  await writeFile(latin!, Buffer.from("at,user_id,page\n2024-01-01,u,caf\xe9\n", "latin1"));
  await expectRefusal(latin!, "it holds bytes that are not UTF-8");
  expect(await scanAll(store, requestOf(visitView))).toEqual([]);
  expect(await readdir(join(directory, "visits", "loads"))).toEqual([]);
});

const typed = batchSource("typed", {
  timestamp: "at",
  columns: {
    at: "timestamp",
    user_id: "string",
    whole: "int64",
    real: "float64",
    flag: "boolean",
    tags: "string",
  },
  map: (row) => ({ ...row, tags: JSON.stringify(row["tags"]) }),
});

const typedView = batchView("typed_view", {
  entities: [user],
  source: typed,
  windowing: "sliding",
  interval: "1d",
  features: { whole: [last("1d")], real: [sum("1d")], flag: [last("1d")], tags: [last("1d")] },
  compaction: { every: "1d" },
});

test("load() reads Parquet's own types, with instants floored and nested values whole", async () => {
  const file = join(await temporaryDirectory(), "typed.parquet");
  await copyTo(
    file,
    `SELECT * FROM (VALUES
      (TIMESTAMP '1969-12-31 23:59:59.9995', 'a', 9223372036854775807, 1.5::DOUBLE, true, [{k: 1, v: 'x'}]),
      (TIMESTAMP '2024-01-01 00:00:00.123999', 'b', NULL, 2::FLOAT, false, []),
      (TIMESTAMP 'infinity', 'c', 1, 1, true, NULL),
      (NULL, 'd', 1, 1, true, NULL)) AS t("at", user_id, whole, real, flag, tags)`,
  );
  const store = await openStore();
  const summary = await store.load(typed, [file]);
  expect(summary).toMatchObject({ read: 4, loaded: 2 });
  expect(await scanAll(store, requestOf(typedView))).toEqual([
    ["a", -1, "", true, 1.5, '[{"k":1,"v":"x"}]', 2n ** 63n - 1n],
    ["b", 1_704_067_200_123, "", false, 2, "[]", null],
  ]);
});

test("load() numbers a Parquet file's rows as they lie in it, and reads integers as instants", async () => {
  const file = join(await temporaryDirectory(), "many.parquet");
  await copyTo(
    file,
    "SELECT i::BIGINT AS at, 'u' || i AS user_id FROM range(50000) AS r(i) ORDER BY i",
  );
  let checked = 0;
  const source = batchSource("many", {
    timestamp: "at",
    columns: { at: "timestamp", user_id: "string" },
    map: (row, place) => {
      if (row["at"] === place!.row - 1 && place!.file === "many.parquet") checked++;
      return row;
    },
  });
  const store = await openStore();
  expect((await store.load(source, [file])).loaded).toBe(50_000);
  expect(checked).toBe(50_000);
});

async function copyTo(file: string, query: string): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`COPY (${query}) TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
  connection.closeSync();
  instance.closeSync();
}

test("load() counts an id of one file once, by the row that comes first", async () => {
  const store = await openStore();
  const csv = ["ts,id,user_id,amt", "2024-01-02,a,u,1", "2024-01-01,a,u,2", "2024-01-03,b,u,3"];
  const [file] = await writeFiles({ "clicks.csv": csv.join("\n") });
  await loadRegistered(store, [file!]);
  const rows = await scanAll(store, requestOf(clickView));
  expect(rows.map((row) => [row[2], row[3]])).toEqual([
    ["a", 1],
    ["b", 3],
  ]);
});

test("readRows() brings rows with their places, and empty ones where a line is none", async () => {
  const files = await writeFiles({ "a.csv": "x,y\n1,2\n3\n", "b.jsonl": '{"x":1}\n' });
  const rows = [];
  for await (const piece of readRows(files)) rows.push(...piece);
  const problem = "the line has another number of cells than the header";
  expect(rows).toEqual([
    { row: { x: "1", y: "2" }, problem: null, place: { file: "a.csv", row: 1 } },
    { row: {}, problem, place: { file: "a.csv", row: 2 } },
    { row: { x: 1 }, problem: null, place: { file: "b.jsonl", row: 1 } },
  ]);
});

const retail = join(import.meta.dirname, "../../../shared/data/online-retail");

test.skipIf(!existsSync(retail))(
  "load() of two days of Online Retail brings every row with a customer (skipped without the data)",
  async () => {
    const customer = entity("customer", { customer_id: "string" });
    const sales = batchSource("sales", {
      timestamp: "at",
      id: "line",
      columns: { at: "timestamp", line: "string", customer_id: "string", description: "string" },
      map: (row, place) => ({
        at: row["InvoiceDate"],
        line: `${place!.file}:${place!.row}`,
        customer_id: row["CustomerID"],
        description: row["Description"],
      }),
    });
    const view = batchView("customer_sales", {
      entities: [customer],
      source: sales,
      windowing: "sliding",
      interval: "1h",
      features: { description: [count("7d"), last("7d")] },
      compaction: { every: "1d" },
    });
    const store = await openStore();
    const files = ["2011-10-02.csv", "2011-10-03.csv"].map((name) => join(retail, name));
    expect(await store.load(sales, files)).toEqual({
      read: 3_725,
      loaded: 3_725,
      skipped: new Map(),
      repeated: false,
    });
    const rows = await scanAll(store, requestOf(view));
    const second = { fromMs: Date.parse("2011-10-03"), untilMs: Date.parse("2011-10-04") };
    const secondRows = await scanAll(store, requestOf(view, second));
    expect([rows.length, secondRows.length]).toEqual([1_423 + 1_771, 1_771]);
    const descriptions = rows.map((row) => String(row.at(-1)));
    expect(descriptions.filter((text) => text.includes(","))).toHaveLength(12 + 13);
  },
);
