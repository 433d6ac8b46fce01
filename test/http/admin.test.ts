import { describe, expect, test } from "vitest";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import type { CompactionApi } from "../../src/compact/compaction-api.ts";
import { FeatureError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { writePublish } from "../../src/http/admin-codec.ts";
import type { LogRow } from "../../src/store/event-log.ts";
import { batchKey } from "../../src/tile/keys.ts";
import { buildTestApp, testOrigin } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { repository, spend } from "./features.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");
const dayMs = 86_400_000;

function connect(app: TestApp): CompactionApi {
  return httpCompactionApi({
    baseUrl: testOrigin,
    fetch: (url, init) => app.app.request(url, init),
  });
}

function build(): { app: TestApp; api: CompactionApi } {
  const app = buildTestApp(repository, { nowMs });
  return { app, api: connect(app) };
}

async function ingest(app: TestApp, ids: readonly string[], fields: object = {}): Promise<void> {
  const records = ids.map((id) => ({
    record: { id, ts: "2024-01-10T11:59:00Z", user_id: "u", amt: 1, ...fields },
  }));
  const body = { workspace_name: "prod", dry_run: false, records: { transactions: records } };
  expect((await app.post("/ingest", body)).status).toBe(200);
}

async function readAll(api: CompactionApi, shard: string, epochMax: number): Promise<LogRow[][]> {
  const pages: LogRow[][] = [];
  for (let afterSeq = 0; pages.length < 100;) {
    const rows = await api.readLog({ shard, afterSeq, epochMax });
    if (rows.length === 0) return pages;
    pages.push([...rows]);
    afterSeq = rows.at(-1)?.seq ?? 0;
  }
  throw new Error(`log shard ${shard} has no end`);
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return "it succeeded";
  } catch (error) {
    if (error instanceof FeatureError) return [error.code, error.message, error.retryable];
    throw error;
  }
}

describe("the admin routes, through httpCompactionApi()", () => {
  test("a run seals, reads, publishes, finishes and collects", async () => {
    const { app, api } = build();
    await ingest(app, ["a", "b", "c"]);
    const [run] = await api.start({ views: ["user_spend"] });
    expect(run).toEqual({
      view: "user_spend",
      fence: 1,
      cut: 0,
      sealedAtMs: nowMs,
      watermarkMs: nowMs,
      resumed: false,
      collectibleCut: -1,
      collectedCut: -1,
    });
    await ingest(app, ["d"]);

    const shards = await api.shards("main");
    expect(shards).toEqual(["main-0", "main-1"]);
    const rows = (await Promise.all(shards.map((shard) => readAll(api, shard, 0)))).flat(2);
    expect(rows.map(({ id }) => id).sort()).toEqual(["a", "b", "c"]);
    const stored = (await app.readLog("main")).filter(({ epoch }) => epoch === 0);
    const plain = (all: readonly LogRow[]) =>
      all.map((row) => ({ ...row, body: [...row.body] })).sort((x, y) => (x.id < y.id ? -1 : 1));
    expect(plain(rows)).toEqual(plain(stored));
    const open = await Promise.all(shards.map((shard) => readAll(api, shard, Infinity)));
    expect(open.flat(2)).toHaveLength(4);

    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await api.publish({ view: "user_spend", fence: 1, records: [{ entity: "u", bytes }] });
    const [published] = await app.batchStore.readMany([batchKey(spend, "u")]);
    expect([...(published?.bytes ?? [])]).toEqual([...bytes]);
    await api.finish({ view: "user_spend", fence: 1 });

    for (const shard of shards) await api.trimLog({ shard, epoch: 0 });
    expect((await app.readLog("main")).map(({ id }) => id)).toEqual(["d"]);

    app.clock.nowMs = nowMs + dayMs;
    const [next] = await api.start({ views: ["user_spend"], watermarkMs: nowMs + 5 });
    expect(next).toMatchObject({ fence: 2, cut: 1, collectibleCut: 0, watermarkMs: nowMs + 5 });
    await api.collect({ view: "user_spend", fence: 2, cut: 0, entities: ["u", "unknown"] });
    await api.finishCollect({ view: "user_spend", fence: 2, cut: 0 });
    const [again] = await api.start({ views: ["user_spend"] });
    expect(again).toMatchObject({ fence: 3, resumed: true, collectedCut: 0 });
  });

  test("errors come back as they were thrown", async () => {
    const { app, api } = build();
    await api.start({ views: ["user_spend"] });
    await api.start({ views: ["user_spend"] });
    const fenced = [
      "FENCED",
      'Cannot go on compacting view "user_spend": run 2 has started, this is run 1',
      false,
    ];
    const old = { view: "user_spend", fence: 1 };
    expect(await codeOf(api.publish({ ...old, records: [] }))).toEqual(fenced);
    expect(await codeOf(api.finish(old))).toEqual(fenced);
    expect(await codeOf(api.collect({ ...old, cut: 0, entities: [] }))).toEqual(fenced);
    expect(await codeOf(api.finishCollect({ ...old, cut: 0 }))).toEqual(fenced);
    expect(await codeOf(api.collect({ ...old, fence: 2, cut: 0, entities: [] }))).toEqual([
      "INVALID_REQUEST",
      expect.stringContaining("wait for its grace to be over"),
      true,
    ]);
    expect(await codeOf(api.start({ views: ["nothing"] }))).toEqual([
      "NOT_FOUND",
      'Cannot compact view "nothing": it is not defined',
      false,
    ]);
    expect(await codeOf(api.shards("nothing"))).toEqual([
      "NOT_FOUND",
      'Cannot find log "nothing": no source appends to it',
      false,
    ]);
    expect(await codeOf(api.trimLog({ shard: "main-9", epoch: 0 }))).toEqual([
      "NOT_FOUND",
      'Cannot find log shard "main-9": no log has it',
      false,
    ]);
    expect(app.reported).toEqual([]);
  });

  test("a fault of the server keeps its text, and a server that is away is unavailable", async () => {
    const { app, api } = build();
    for (const [, sql] of app.logDatabases) sql.run("DROP TABLE epochs");
    expect(await codeOf(api.start({ views: ["user_spend"] }))).toEqual([
      "STORE_UNAVAILABLE",
      "Cannot use the event log: SQLite failed",
      true,
    ]);
    const away = httpCompactionApi({
      baseUrl: testOrigin,
      fetch: () => Promise.reject(new TypeError("fetch failed")),
    });
    expect(await codeOf(away.shards("main"))).toEqual([
      "STORE_UNAVAILABLE",
      "Cannot call the server: the call failed",
      true,
    ]);
    const proxy = httpCompactionApi({
      baseUrl: testOrigin,
      fetch: () => new Response("<html>", { status: 502 }),
    });
    expect(await codeOf(proxy.shards("main"))).toEqual([
      "STORE_UNAVAILABLE",
      "Cannot call the server: it answered 502 without saying why",
      true,
    ]);
  });

  test("headers of the caller go with every call", async () => {
    const seen: (string | null)[] = [];
    const { app } = build();
    const api = httpCompactionApi({
      baseUrl: testOrigin,
      headers: { authorization: "key" },
      fetch: (url, init) => {
        seen.push(new Headers(init.headers).get("authorization"));
        return app.app.request(url, init);
      },
    });
    await api.start({ views: ["user_spend"] });
    await api.shards("main");
    await api.publish({ view: "user_spend", fence: 1, records: [] });
    expect(seen).toEqual(["key", "key", "key"]);
  });
});

test("the log route bounds a page by rows", async () => {
  const app = buildTestApp(repository, { nowMs, logShardCount: 1 });
  const ids = Array.from({ length: limits.logPageRowsMax + 1 }, (_, i) => `id-${i}`);
  await ingest(app, ids);
  const pages = await readAll(connect(app), "main-0", Infinity);
  expect(pages.map((rows) => rows.length)).toEqual([limits.logPageRowsMax, 1]);
  expect(pages.flat().map(({ id }) => id)).toEqual(ids);
});

test("the log route bounds a page by bytes", async () => {
  const app = buildTestApp(repository, { nowMs, logShardCount: 1 });
  const rowCount = Math.ceil(limits.logPageBytesMax / limits.stringBytesMax) + 10;
  const ids = Array.from({ length: rowCount }, (_, i) => `id-${i}`);
  await ingest(app, ids, { merchant: "x".repeat(limits.stringBytesMax) });
  const pages = await readAll(connect(app), "main-0", Infinity);
  expect(pages.length).toBe(2);
  for (const rows of pages) {
    const byteCount = rows.reduce((sum, { body }) => sum + body.length, 0);
    expect(byteCount).toBeLessThanOrEqual(limits.logPageBytesMax);
  }
  expect(pages.flat().map(({ id }) => id)).toEqual(ids);
});

test("the repair route applies what a crash left between a log and its records", async () => {
  const { app } = build();
  await ingest(app, ["a"]);
  for (const [, sql] of app.logDatabases)
    sql.run("UPDATE counters SET value = 0 WHERE name = 'applied'");
  const answer = await app.post("/admin/repair", {});
  expect(answer.body).toEqual({ shards: ["main-0", "main-1", "money-0", "money-1"] });
  for (const [shard, sql] of app.logDatabases) {
    const [last] = sql.run("SELECT COALESCE(MAX(seq), 0) AS seq FROM log");
    const [applied] = sql.run(
      "SELECT COALESCE(MAX(value), 0) AS seq FROM counters WHERE name = 'applied'",
    );
    expect(applied, shard).toEqual(last);
  }
});

const invalid: readonly [path: string, body: unknown, message: string][] = [
  ["start", {}, 'Cannot read request: "views" is missing, expected an array of strings'],
  ["start", { views: [1] }, 'Cannot read request: "views.0" is a number, expected a string'],
  [
    "start",
    { views: [], watermarkMs: 1.5 },
    'Cannot read request: "watermarkMs" is a number, expected an integer',
  ],
  ["finish", { view: "v" }, 'Cannot read request: "fence" is missing, expected an integer'],
  [
    "collect",
    { view: "v", fence: 1, cut: 0 },
    'Cannot read request: "entities" is missing, expected an array of strings',
  ],
  [
    "collect",
    { view: "v", fence: 1, cut: 0, entities: ["a", "a"] },
    "Cannot read request: it names an entity twice, expected each once",
  ],
  [
    "finish-collect",
    { view: "v", fence: 1 },
    'Cannot read request: "cut" is missing, expected an integer',
  ],
  ["trim", { shard: "main-0" }, 'Cannot read request: "epoch" is missing, expected an integer'],
  ["trim", "{", "Cannot read request: its body is not JSON"],
  ["publish", new Uint8Array([0x92, 0xa1]), "Cannot read request: its body is not msgpack"],
  [
    "publish",
    new Uint8Array([0xc0]),
    "Cannot read request: its body is null, expected an array of three",
  ],
  ["publish", new Uint8Array(), "Cannot read request: its body is not msgpack"],
];

for (const [path, body, message] of invalid) {
  test(`the ${path} route refuses with a 400: ${message}`, async () => {
    const { app } = build();
    const answer = await app.post(`/admin/${path}`, body);
    expect([answer.status, answer.body]).toEqual([400, { error: message, code: 3, message }]);
  });
}

test("the log route refuses a range that is none", async () => {
  const { app } = build();
  for (const [query, field, found] of [
    ["afterSeq=0&epochMax=0", "shard", "missing"],
    ["shard=main-0&epochMax=0", "afterSeq", "missing"],
    ["shard=main-0&afterSeq=-1&epochMax=0", "afterSeq", "a string"],
    ["shard=main-0&afterSeq=0&epochMax=x", "epochMax", "a string"],
  ] as const) {
    const expected = field === "shard" ? "a string" : "an integer";
    const message = `Cannot read request: "${field}" is ${found}, expected ${expected}`;
    const answer = await app.get(`/admin/log?${query}`);
    expect([answer.status, answer.body]).toEqual([400, { error: message, code: 3, message }]);
  }
});

test("the publish and collect routes refuse more than they may hold", async () => {
  const { app } = build();
  const entities = Array.from({ length: limits.collectEntitiesMax + 1 }, (_, i) => String(i));
  const collect = await app.post("/admin/collect", {
    view: "user_spend",
    fence: 1,
    cut: 0,
    entities,
  });
  expect(collect.status).toBe(413);
  const records = Array.from({ length: limits.publishRecordsMax + 1 }, (_, i) => ({
    entity: String(i),
    bytes: new Uint8Array(1),
  }));
  const body = writePublish({ view: "user_spend", fence: 1, records });
  expect((await app.post("/admin/publish", body)).status).toBe(413);
  const large = await app.post("/admin/publish", new Uint8Array(limits.adminBodyBytesMax + 1));
  expect(large.status).toBe(413);
});
