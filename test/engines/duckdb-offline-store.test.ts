import { access, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { batchSource, batchView, count, entity, last, max } from "../../src/index.ts";
import { instantMsMax } from "../../src/core/instant.ts";
import { int64Max, int64Min } from "../../src/core/value.ts";
import type { OfflineEvent } from "../../src/offline/offline-store.ts";
import {
  batches,
  clickEvent,
  clicks,
  clickView,
  eventOf,
  openStore,
  putClicks,
  requestOf,
  scanAll,
  temporaryDirectory,
} from "./offline-fixtures.ts";
import type { FlatRow } from "./offline-fixtures.ts";

const everything = batchSource("everything", {
  timestamp: "ts",
  id: "id",
  columns: {
    ts: "timestamp",
    id: "string",
    day: "string",
    key_int: "int64",
    key_flag: "boolean",
    key_at: "timestamp",
    text: "string",
    whole: "int64",
    real: "float64",
    flag: "boolean",
    moment: "timestamp",
  },
});

const everythingView = batchView("everything_view", {
  entities: [
    entity("all_keys", {
      day: "string",
      key_int: "int64",
      key_flag: "boolean",
      key_at: "timestamp",
    }),
  ],
  source: everything,
  windowing: "sliding",
  interval: "1d",
  features: {
    text: [last("7d")],
    whole: [last("7d")],
    real: [max("7d")],
    flag: [last("7d")],
    moment: [last("7d")],
  },
  compaction: { every: "1d" },
});

const texts = [
  "",
  "plain",
  'O\'Brien "quoted"',
  "🚴 vélo",
  "a,b\nc\r\n",
  "nul\u0000in",
  "x".repeat(5_000),
];

test("scan() brings back every column type as it was put", async () => {
  const store = await openStore();
  const wholes = [int64Min, int64Max, 0, -1, 2 ** 53 - 1, 2n ** 53n, -(2n ** 53n), -(2 ** 53 - 1)];
  const reals = [0, 0.1, -1.5, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53];
  const moments = [0, -1, instantMsMax, -instantMsMax, 1_700_000_000_123];
  const rows: FlatRow[] = Array.from({ length: 40 }, (_, i) => {
    const nullable = <T>(list: readonly T[], at: number) =>
      i % at === 0 ? null : list[i % list.length]!;
    return [
      1_700_000_000_000 + i,
      `id-${String(i).padStart(3, "0")}`,
      texts[i % texts.length]!,
      wholes[i % wholes.length]!,
      i % 3 === 0,
      moments[i % moments.length]!,
      nullable(texts, 4),
      nullable(wholes, 5),
      nullable(reals, 7),
      nullable([true, false], 3),
      nullable(moments, 6),
    ];
  });
  const segment = { source: everything, shard: "s", epoch: 0 };
  await store.putSegment(segment, batches(rows.map((row) => eventOf(everything, row))));
  const scanned = await scanAll(store, requestOf(everythingView));
  const byId = (list: readonly FlatRow[], at: number) => new Map(list.map((row) => [row[at], row]));
  const found = byId(scanned, 5);
  expect(found.size).toBe(rows.length);
  for (const row of rows) {
    const [ts, id, day, keyInt, keyFlag, keyAt, text, whole, real, flag, moment] = row;
    const values = [flag, moment, real, text, whole];
    expect(found.get(id!)).toEqual([day, keyInt, keyFlag, keyAt, ts, id, ...values]);
  }
});

const lengths = [11, 12, 13, 24, 25, 36, 37, 60];

test.each(lengths)("scan() reads strings of up to %i characters", async (length) => {
  const store = await openStore();
  const alphabets = ["ab", "é", "🚴", "a\u0000", "zx"];
  const notes = alphabets.flatMap((letters) =>
    Array.from({ length: length + 1 }, (_, size) =>
      Array.from(letters.repeat(size)).slice(0, size),
    ),
  );
  const rows = [...notes.map((letters) => letters.join("")), null, "", null].map((text, i) =>
    eventOf(everything, [i, `${i}`, "d", 1, true, 1, text, null, null, null, null]),
  );
  await store.putSegment({ source: everything, shard: "s", epoch: 0 }, batches(rows));
  const scanned = await scanAll(store, requestOf(everythingView));
  expect(scanned.map((row) => row[9])).toEqual(rows.map(({ values }) => values[6]));
});

test("scan() writes -0 as 0", async () => {
  const store = await openStore();
  await putClicks(store, [{ id: "a", user: "u", atMs: 1, amt: -0 }]);
  const [row] = await scanAll(store, requestOf(clickView));
  expect(Object.is(row?.at(-1), 0)).toBe(true);
});

test("scan() brings entities one after another, by time and by the bytes of ids", async () => {
  const store = await openStore();
  const ids = ["b", "a", "B", "é", "z", "🚴", "\uffee"];
  const put = ["u2", "u1", "ü"].flatMap((name) =>
    ids.flatMap((id) => [20, 10].map((atMs) => ({ id: `${id}${name}${atMs}`, user: name, atMs }))),
  );
  await putClicks(store, put);
  const rows = await scanAll(store, requestOf(clickView));
  const bytesOf = (text: unknown) => Buffer.from(String(text)).toString("hex");
  const expected = put
    .map(({ id, user, atMs }) => [user, atMs, id])
    .sort(
      (a, b) =>
        compare(bytesOf(a[0]), bytesOf(b[0])) ||
        Number(a[1]) - Number(b[1]) ||
        compare(bytesOf(a[2]), bytesOf(b[2])),
    );
  expect(rows.map((row) => row.slice(0, 3))).toEqual(expected);
});

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

test("scan() leaves out rows with a null join key and epochs past the cut", async () => {
  const store = await openStore();
  await putClicks(store, [
    { id: "a", user: null, atMs: 1 },
    { id: "b", user: "u", atMs: 1 },
  ]);
  await putClicks(store, [{ id: "c", user: "u", atMs: 2 }], { epoch: 1 });
  await putClicks(store, [{ id: "d", user: "u", atMs: 3 }], { epoch: 12 });
  const idsAt = async (cut: number) =>
    (await scanAll(store, requestOf(clickView, { cut }))).map((row) => row[2]);
  expect(await idsAt(-1)).toEqual([]);
  expect(await idsAt(0)).toEqual(["b"]);
  expect(await idsAt(11)).toEqual(["b", "c"]);
  expect(await idsAt(12)).toEqual(["b", "c", "d"]);
});

const dayMs = 86_400_000;
const far = [
  -instantMsMax,
  Date.parse("0000-12-31T23:59:59.999Z"),
  Date.parse("0001-01-01T00:00:00Z"),
  Date.parse("0999-06-01T00:00:00Z"),
  -dayMs - 1,
  -1,
  0,
  dayMs - 1,
  dayMs,
  Date.parse("9999-12-31T23:59:59.999Z"),
  Date.parse("9999-12-31T23:59:59.999Z") + 1,
  instantMsMax,
];

test("scan() takes events in [from, until), however far out they are", async () => {
  const store = await openStore();
  await putClicks(
    store,
    far.map((atMs, i) => ({ id: `e${i}`, user: "u", atMs })),
  );
  for (const fromMs of [-Infinity, ...far, Infinity]) {
    for (const untilMs of [-Infinity, ...far, Infinity]) {
      const rows = await scanAll(store, requestOf(clickView, { fromMs, untilMs }));
      const expected = far.filter((atMs) => atMs >= fromMs && atMs < untilMs);
      expect(
        rows.map((row) => row[1]),
        `[${fromMs}, ${untilMs})`,
      ).toEqual(expected);
    }
  }
}, 60_000);

test("putSegment() partitions by UTC day under the documented names", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory });
  await putClicks(
    store,
    far.map((atMs, i) => ({ id: `e${i}`, user: "u", atMs })),
    { shard: "log:a/b", epoch: 7 },
  );
  const days = await readdir(join(directory, "clicks", "segments", "log%3Aa%2Fb-7"));
  expect(days.sort()).toEqual(
    ["0001-01-01", "0999-06-01", "1969-12-30", "1969-12-31", "1970-01-01", "1970-01-02"]
      .concat("9999-12-31", "after", "before")
      .map((day) => `day=${day}`),
  );
});

test("estimateRows() counts the rows of the days that a range meets", async () => {
  const store = await openStore();
  const put = Array.from({ length: 10 }, (_, i) => ({ id: `e${i}`, user: "u", atMs: i * dayMs }));
  await putClicks(store, put);
  expect(await store.estimateRows(requestOf(clickView))).toBe(10);
  const range = { fromMs: 2 * dayMs, untilMs: 4 * dayMs };
  expect(await store.estimateRows(requestOf(clickView, range))).toBe(2);
  expect(await store.estimateRows(requestOf(clickView, { cut: -1 }))).toBe(0);
});

test("putSegment() twice keeps the first rows and reads none of the second", async () => {
  const store = await openStore();
  const name = { source: clicks, shard: "main-0", epoch: 0 };
  expect(await store.hasSegment(name)).toBe(false);
  await putClicks(store, [{ id: "a", user: "u", atMs: 1 }]);
  expect(await store.hasSegment(name)).toBe(true);
  let reads = 0;
  async function* counted(): AsyncGenerator<readonly OfflineEvent[]> {
    reads++;
    yield [clickEvent({ id: "b", user: "u", atMs: 2 })];
  }
  await store.putSegment(name, counted());
  expect(reads).toBe(0);
  expect((await scanAll(store, requestOf(clickView))).map((row) => row[2])).toEqual(["a"]);
});

test("putSegment() remembers an empty segment", async () => {
  const store = await openStore();
  await putClicks(store, []);
  expect(await store.hasSegment({ source: clicks, shard: "main-0", epoch: 0 })).toBe(true);
  expect(await scanAll(store, requestOf(clickView))).toEqual([]);
  await putClicks(store, [{ id: "a", user: "u", atMs: 1 }]);
  expect(await scanAll(store, requestOf(clickView))).toEqual([]);
});

test("putSegment() at once from two stores puts the rows once", async () => {
  const directory = await temporaryDirectory();
  const stores = [await openStore({ directory }), await openStore({ directory })];
  const put = Array.from({ length: 5_000 }, (_, i) => ({
    id: `e${i}`,
    user: `u${i % 50}`,
    atMs: (i % 3) * dayMs,
  }));
  await Promise.all([...stores, ...stores].map((store) => putClicks(store, put)));
  for (const store of stores) {
    expect(await scanAll(store, requestOf(clickView))).toHaveLength(put.length);
  }
  const left = await readdir(join(directory, "clicks", "segments"));
  expect(left).toEqual(["main-0-0"]);
});

test("putSegment() that fails leaves nothing behind and can be tried again", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory });
  async function* broken(): AsyncGenerator<readonly OfflineEvent[]> {
    yield [clickEvent({ id: "a", user: "u", atMs: 1 })];
    throw new Error("the log went away");
  }
  const name = { source: clicks, shard: "main-0", epoch: 0 };
  await expect(store.putSegment(name, broken())).rejects.toThrow("the log went away");
  expect(await store.hasSegment(name)).toBe(false);
  expect(await readdir(join(directory, "clicks", "segments"))).toEqual([]);
  await putClicks(store, [{ id: "a", user: "u", atMs: 1 }]);
  expect(await scanAll(store, requestOf(clickView))).toHaveLength(1);
});

test("scan() ignores what a crash left behind", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory });
  await putClicks(store, [{ id: "a", user: "u", atMs: 1 }]);
  const left = join(directory, "clicks", "segments", ".writing-1234", "day=1970-01-01");
  await mkdir(left, { recursive: true });
  await writeFile(join(left, "data_0.parquet"), "half a file");
  await mkdir(join(directory, "clicks", "loads", ".writing-1234"), { recursive: true });
  await mkdir(join(directory, "clicks", "corrections"), { recursive: true });
  await writeFile(join(directory, "clicks", "corrections", ".writing-1"), "half a file");
  await mkdir(join(directory, "published", `user_clicks@${clickView.fingerprint}`), {
    recursive: true,
  });
  await writeFile(
    join(directory, "published", `user_clicks@${clickView.fingerprint}`, ".writing-1"),
    "x",
  );
  const request = requestOf(clickView);
  expect(await scanAll(store, request)).toHaveLength(1);
  await store.putPublished(request);
  for await (const entities of store.vanishedEntities(request)) expect(entities).toEqual([]);
});

test("scan() reads nulls where a file is older than a column, and the new type where it changed", async () => {
  const store = await openStore();
  const older = batchSource("shape", {
    timestamp: "ts",
    columns: { ts: "timestamp", user_id: "string", n: "int64", gone: "string" },
  });
  const newer = batchSource("shape", {
    timestamp: "ts",
    columns: { n: "float64", ts: "timestamp", user_id: "string", added: "string" },
  });
  const view = batchView("shape_view", {
    entities: [entity("user", { user_id: "string" })],
    source: newer,
    windowing: "sliding",
    interval: "1d",
    features: { n: [max("7d")], added: [count("7d")] },
    compaction: { every: "1d" },
  });
  const put = (source: typeof older | typeof newer, epoch: number, row: FlatRow) =>
    store.putSegment({ source, shard: "s", epoch }, batches([eventOf(source, row)]));
  await put(older, 0, [1, "u", 5, "x"]);
  expect(await scanAll(store, requestOf(view))).toEqual([["u", 1, "", null, 5]]);
  await put(newer, 1, [0.5, 2, "u", "y"]);
  expect(await scanAll(store, requestOf(view))).toEqual([
    ["u", 1, "", null, 5],
    ["u", 2, "", "y", 0.5],
  ]);
});

test("openOfflineStore() works in a directory with an apostrophe and glob signs", async () => {
  const directory = join(await temporaryDirectory(), "it's [a] *b* ?c");
  const store = await openStore({ directory });
  await putClicks(store, [{ id: "a", user: "u", atMs: 1 }]);
  await store.putCorrections(clicks, [
    { id: "a", event: clickEvent({ id: "a", user: "v", atMs: 3 }) },
  ]);
  expect(await scanAll(store, requestOf(clickView))).toEqual([["v", 3, "a", 1]]);
  expect(await store.estimateRows(requestOf(clickView))).toBe(1);
});

test("openOfflineStore() refuses less memory than a thread needs", async () => {
  const directory = await temporaryDirectory();
  await expect(openStore({ directory, memoryBytesMax: 63_999_999 })).rejects.toThrow(
    "Cannot open the offline store: memoryBytesMax is 63999999, expected at least 64000000",
  );
  expect(await readdir(directory)).toEqual([]);
});

test("close() removes what was spilled", async () => {
  const directory = await temporaryDirectory();
  const temporary = await temporaryDirectory();
  const store = await openStore({ directory, temporaryDirectory: temporary });
  await putClicks(store, [{ id: "a", user: "u", atMs: 1 }]);
  expect(await readdir(temporary)).toHaveLength(1);
  await store.close();
  expect(await readdir(temporary)).toEqual([]);
  await expect(access(join(directory, "tmp"))).rejects.toThrow("ENOENT");
});
