import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { batchSource, batchView, count, entity } from "../../src/index.ts";
import type { Scalar } from "../../src/core/value.ts";
import { int64Max, int64Min } from "../../src/core/value.ts";
import { entityKey } from "../../src/tile/keys.ts";
import {
  batches,
  clicks,
  clickView,
  collect,
  eventOf,
  openStore,
  putClicks,
  requestOf,
  temporaryDirectory,
} from "./offline-fixtures.ts";

test("entitiesOf() brings each entity of the epochs in (after, through] once", async () => {
  const store = await openStore();
  const click = (id: string, user: string | null) => ({ id, user, atMs: 1 });
  await putClicks(store, [click("a", "u1"), click("b", "u1"), click("c", null)], { epoch: 0 });
  await putClicks(store, [click("d", "u2"), click("e", "a|b/c%")], { epoch: 1 });
  await putClicks(store, [click("f", "u1")], { epoch: 1, shard: "main-1" });
  await putClicks(store, [click("g", "u4")], { epoch: 2 });
  const entities = (afterEpoch: number, throughEpoch: number) =>
    collect(store.entitiesOf(clickView, { afterEpoch, throughEpoch }));
  expect(await entities(-1, 0)).toEqual(["u1"]);
  expect(await entities(0, 1)).toEqual(["a%7cb%2fc%25", "u1", "u2"]);
  expect(await entities(0, 2)).toEqual(["a%7cb%2fc%25", "u1", "u2", "u4"]);
  expect(await entities(2, 2)).toEqual([]);
  expect(await entities(5, 9)).toEqual([]);
});

const keys = batchSource("keys", {
  timestamp: "at",
  columns: {
    at: "timestamp",
    text: "string",
    whole: "int64",
    flag: "boolean",
    moment: "timestamp",
  },
});

const keysView = batchView("keys_view", {
  entities: [
    entity("keys", { text: "string", whole: "int64", flag: "boolean", moment: "timestamp" }),
  ],
  source: keys,
  windowing: "sliding",
  interval: "1d",
  features: { at: [count("7d")] },
  compaction: { every: "1d" },
});

test("putPublished() spells every entity as entityKey() does", async () => {
  const store = await openStore();
  const controls = Array.from({ length: 33 }, (_, i) => String.fromCharCode(i === 32 ? 127 : i));
  const texts = [
    "",
    "plain",
    "%",
    "%25",
    "a|b",
    "a/b",
    "%7c|",
    "🚴|é",
    "\u0080\u00a0",
    "x'y\"",
    ...controls,
  ];
  const wholes = [0, -1, int64Min, int64Max, 2 ** 53 - 1, 2n ** 53n];
  const moments = [0, -1, 8.64e15, -8.64e15];
  const entities: Scalar[][] = texts.map((text, i) => [
    text,
    wholes[i % wholes.length]!,
    i % 2 === 0,
    moments[i % moments.length]!,
  ]);
  const rows = entities.map((values) => eventOf(keys, [1, ...values]));
  await store.putSegment({ source: keys, shard: "s", epoch: 0 }, batches(rows));
  await store.putPublished(requestOf(keysView));
  const none = requestOf(keysView, { fromMs: 2 });
  expect(await collect(store.vanishedEntities(none))).toEqual(
    entities.map((values) => entityKey(values)).sort(),
  );
  expect(await collect(store.vanishedEntities(requestOf(keysView)))).toEqual([]);
});

test("vanishedEntities() brings what any run published and the scan has no more", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory });
  await putClicks(store, [
    { id: "a", user: "u1", atMs: 1 },
    { id: "b", user: "u2", atMs: 2 },
  ]);
  const vanished = (options = {}) =>
    collect(store.vanishedEntities(requestOf(clickView, { cut: 5, ...options })));
  expect(await vanished()).toEqual([]);
  await store.putPublished(requestOf(clickView, { cut: 0 }));
  expect(await vanished()).toEqual([]);
  await store.putCorrections(clicks, [{ id: "a", event: null }]);
  expect(await vanished()).toEqual(["u1"]);
  await putClicks(store, [{ id: "c", user: "u3", atMs: 3 }], { epoch: 1 });
  await store.putPublished(requestOf(clickView, { cut: 1 }));
  await store.putPublished(requestOf(clickView, { cut: 1 }));
  expect(await vanished({ untilMs: 3 })).toEqual(["u1", "u3"]);
  expect(await vanished({ cut: 0 })).toEqual(["u1", "u3"]);
  const folder = join(directory, "published", `user_clicks@${clickView.fingerprint}`);
  expect((await readdir(folder)).sort()).toEqual(["0.parquet", "1.1.parquet", "1.parquet"]);
  const other = { ...clickView, fingerprint: "0123456789abcdef" };
  expect(await collect(store.vanishedEntities(requestOf(other, { fromMs: 100 })))).toEqual([]);
});

test("putPublished() of the same cut loses nothing that vanished in between", async () => {
  const store = await openStore();
  await putClicks(store, [{ id: "a", user: "u1", atMs: 1 }]);
  await store.putPublished(requestOf(clickView, { cut: 0 }));
  await store.putCorrections(clicks, [{ id: "a", event: null }]);
  await store.putPublished(requestOf(clickView, { cut: 0 }));
  expect(await collect(store.vanishedEntities(requestOf(clickView)))).toEqual(["u1"]);
});

test("putPublished() leaves out entities too long to be published", async () => {
  const store = await openStore();
  const user = (length: number) => "é".repeat(length / 2);
  await putClicks(store, [
    { id: "a", user: user(300), atMs: 1 },
    { id: "b", user: user(302), atMs: 1 },
  ]);
  await store.putPublished(requestOf(clickView));
  const none = requestOf(clickView, { fromMs: 2 });
  expect(await collect(store.vanishedEntities(none))).toEqual([user(300)]);
});
