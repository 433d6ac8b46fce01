import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { FeatureError } from "../../src/core/errors.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { buildTestApp } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { pages, repository, spend } from "./features.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");

function build(): TestApp {
  return buildTestApp(repository, { nowMs });
}

function transaction(id: string, fields: object = {}): object {
  return { record: { id, ts: "2024-01-10T11:59:00Z", user_id: "u", amt: 1, ...fields } };
}

function request(records: object, fields: object = {}): object {
  return { workspace_name: "prod", dry_run: false, records, ...fields };
}

async function amountOf(app: TestApp, user_id: string): Promise<unknown> {
  const { body } = await app.post("/api/v1/feature-service/get-features", {
    params: {
      featureServiceName: "nullable",
      joinKeyMap: { user_id },
      metadataOptions: { includeServingStatus: true },
    },
  });
  const { result, metadata } = body as {
    result: { features: unknown[] };
    metadata: { features: { status: string }[] };
  };
  return [metadata.features[2]?.status, result.features[2]];
}

test("ingest answers with counts as strings once the events can be read", async () => {
  const app = build();
  app.clock.nowMs = nowMs;
  const records = {
    transactions: [transaction("a"), transaction("b", { user_id: "v" }), transaction("c")],
    clicks: [
      { record: { at: "2024-01-10T11:59:00Z", user_id: "u", page: "p" } },
      { record: { at: "2024-01-10T11:59:00Z", user_id: "u", page: "p", robot: true } },
      { record: { at: "2024-01-10T11:59:00Z", page: "p" } },
    ],
  };
  const answer = await app.post("/ingest", request(records));
  expect([answer.status, answer.body]).toEqual([
    200,
    {
      workspaceName: "prod",
      ingestMetrics: {
        featureViewIngestMetrics: [
          {
            featureViewName: "user_spend",
            onlineRecordIngestCount: "3",
            offlineRecordIngestCount: "3",
            featureViewId: spend.fingerprint,
          },
          {
            // A click of nobody is in the log and in no record.
            featureViewName: "user_pages",
            onlineRecordIngestCount: "1",
            offlineRecordIngestCount: "1",
            featureViewId: pages.fingerprint,
          },
        ],
        dataSourceIngestMetrics: [
          {
            dataSourceName: "transactions",
            offlineRecordIngestCount: "3",
            dataSourceId: "transactions",
          },
          {
            dataSourceName: "clicks",
            offlineRecordIngestCount: "2",
            dataSourceId: "clicks",
            filteredRecordCount: "1",
          },
        ],
      },
    },
  ]);
  expect(await amountOf(app, "u")).toEqual(["PRESENT", 2]);
  expect(await app.readLog("main")).toHaveLength(5);
});

test("ingest takes camel case, any content type and sources without records", async () => {
  const app = build();
  const body = {
    workspaceName: "prod",
    dryRun: false,
    records: { transactions: [transaction("a")] },
  };
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  expect((await app.post("/ingest", body, headers)).status).toBe(200);
  expect((await app.post("/ingest", request({ clicks: [] }))).status).toBe(200);
  expect((await app.post("/ingest", request({}))).body).toEqual({
    workspaceName: "prod",
    ingestMetrics: { featureViewIngestMetrics: [], dataSourceIngestMetrics: [] },
  });
  expect(await app.readLog("main")).toHaveLength(1);
});

test("ingest accepts a source that only a batch view reads, into the log", async () => {
  const app = build();
  const record = { at: "2020-01-01T00:00:00Z", user_id: "u", points: "9007199254740993" };
  const answer = await app.post("/ingest", request({ audits: [{ record }] }));
  expect(answer.body).toEqual({
    workspaceName: "prod",
    ingestMetrics: {
      featureViewIngestMetrics: [],
      dataSourceIngestMetrics: [
        { dataSourceName: "audits", offlineRecordIngestCount: "1", dataSourceId: "audits" },
      ],
    },
  });
  expect((await app.readLog("main")).map(({ source }) => source)).toEqual(["audits"]);
});

test("ingest writes nothing in a dry run, and says what it would", async () => {
  const app = build();
  const records = { transactions: [transaction("a"), transaction("b")] };
  const dry = await app.post("/ingest", request(records, { dry_run: true }));
  expect(dry.status).toBe(200);
  expect(await app.readLog("main")).toEqual([]);
  expect(await amountOf(app, "u")).toEqual(["MISSING_DATA", null]);
  // The answer is that of the real one, and no id was remembered.
  expect((await app.post("/ingest", request(records))).body).toEqual(dry.body);
  expect(await app.readLog("main")).toHaveLength(2);
});

test("ingest acknowledges repeats, counts them and changes nothing", async () => {
  const app = build();
  const sourceMetrics = (body: unknown) =>
    (body as { ingestMetrics: { dataSourceIngestMetrics: unknown[] } }).ingestMetrics
      .dataSourceIngestMetrics[0];
  const records = { transactions: [transaction("a"), transaction("b")] };
  await app.post("/ingest", request(records));
  const repeat = await app.post("/ingest", request(records));
  expect(repeat.status).toBe(200);
  const counts = { dataSourceName: "transactions", dataSourceId: "transactions" };
  expect(sourceMetrics(repeat.body)).toEqual({
    ...counts,
    offlineRecordIngestCount: "0",
    duplicateRecordCount: "2",
  });
  const other = await app.post(
    "/ingest",
    request({ transactions: [transaction("a", { amt: 100 }), transaction("c"), transaction("c")] }),
  );
  expect(sourceMetrics(other.body)).toEqual({
    ...counts,
    offlineRecordIngestCount: "1",
    duplicateRecordCount: "1",
    conflictingRecordCount: "1",
  });
  expect(await app.readLog("main")).toHaveLength(3);
  expect(await amountOf(app, "u")).toEqual(["PRESENT", 3]);
});

test("ingest spreads events over the log's shards by their ids", async () => {
  const app = buildTestApp(repository, { nowMs, logShardCount: 4 });
  const records = { transactions: Array.from({ length: 400 }, (_, i) => transaction(`id-${i}`)) };
  expect((await app.post("/ingest", request(records))).status).toBe(200);
  for (const sql of [...app.logDatabases].filter(([shard]) => shard.startsWith("main-"))) {
    const [row] = sql[1].run("SELECT COUNT(*) AS n FROM log");
    expect(row?.["n"]).toBeGreaterThan(50);
  }
});

const recordErrors: readonly [name: string, fields: object, type: string, message: string][] = [
  [
    "an unknown column",
    { colour: "red" },
    "TectonObjectValidationError",
    'Cannot read record: column "colour" is not in source "transactions", declare it, or drop it in a map',
  ],
  [
    "a timestamp out of range",
    { ts: 8.64e15 + 1 },
    "TectonObjectValidationError",
    'Cannot read record: column "ts" is not a timestamp: it is more than 8640000000000000 milliseconds from 1970, expected one within',
  ],
  [
    "a missing timestamp",
    { ts: null },
    "TectonObjectValidationError",
    'Cannot read record: column "ts" is null, expected a timestamp',
  ],
  [
    "NaN",
    { amt: "NaN" },
    "TectonObjectValidationError",
    'Cannot read record: column "amt" is "NaN", expected a finite float64',
  ],
  [
    "an int64 out of range",
    { cents: "9223372036854775808" },
    "TectonObjectValidationError",
    'Cannot read record: column "cents" is an integer past 64 bits, expected an int64',
  ],
  [
    "a value of another type",
    { user_id: 12 },
    "TectonObjectValidationError",
    'Cannot read record: column "user_id" is a number, expected a string',
  ],
  [
    "a column named __proto__",
    JSON.parse('{"__proto__":{"polluted":true}}') as object,
    "TectonObjectValidationError",
    'Cannot read record: column "__proto__" is not in source "transactions", declare it, or drop it in a map',
  ],
  [
    "an event past the redelivery horizon",
    { ts: "2024-01-03T11:59:59.999Z" },
    "TooLateError",
    "Cannot accept record: its event time is older than the redelivery horizon of 7d, send it by backfill",
  ],
];

for (const [name, fields, errorType, message] of recordErrors) {
  test(`ingest refuses ${name}, and with it the whole request`, async () => {
    const app = build();
    const bad = { record: { ...(transaction("b") as { record: object }).record } };
    for (const [key, value] of Object.entries(fields)) {
      Object.defineProperty(bad.record, key, { value, enumerable: true });
    }
    const records = [transaction("a"), bad, transaction("c")];
    const answer = await app.post("/ingest", request({ transactions: records }));
    expect([answer.status, answer.body]).toEqual([
      400,
      {
        workspaceName: "prod",
        recordErrors: [
          {
            featureViewName: "",
            pushSourceName: "transactions",
            recordIndex: 1,
            errorType,
            errorMessage: `record 1: ${message}`,
          },
        ],
      },
    ]);
    expect(await app.readLog("main")).toEqual([]);
    expect(await amountOf(app, "u")).toEqual(["MISSING_DATA", null]);
  });
}

test("ingest takes an event at the redelivery horizon, and any age without ids", async () => {
  const app = build();
  const records = {
    transactions: [transaction("a", { ts: "2024-01-03T12:00:00Z" })],
    clicks: [{ record: { at: "1969-01-01T00:00:00Z", user_id: "u" } }],
  };
  expect((await app.post("/ingest", request(records))).status).toBe(200);
  expect(await app.readLog("main")).toHaveLength(2);
});

test("ingest lists the errors of every source, up to a limit", async () => {
  const app = build();
  const errorsOf = async (records: object) => {
    const answer = await app.post("/ingest", request(records));
    expect(answer.status).toBe(400);
    return (answer.body as { recordErrors: { pushSourceName: string; recordIndex: number }[] })
      .recordErrors;
  };
  const wrong = transaction("w", { amt: [] });
  const two = await errorsOf({
    transactions: [wrong, transaction("a"), wrong],
    clicks: [{ record: {} }, { row: {} }, 7, { record: null }],
  });
  expect(two.map(({ pushSourceName, recordIndex }) => [pushSourceName, recordIndex])).toEqual([
    ["transactions", 0],
    ["transactions", 2],
    ["clicks", 0],
    ["clicks", 1],
    ["clicks", 2],
    ["clicks", 3],
  ]);
  const many = Array<object>(limits.recordErrorsMax + 1).fill(wrong);
  expect(await errorsOf({ transactions: many })).toHaveLength(limits.recordErrorsMax);
  expect(await app.readLog("main")).toEqual([]);
});

test("ingest names the view that cannot take a record", async () => {
  const app = build();
  const user_id = "x".repeat(limits.entityKeyBytesMax + 1);
  const answer = await app.post(
    "/ingest",
    request({ transactions: [transaction("a", { user_id })] }),
  );
  expect([answer.status, answer.body]).toEqual([
    400,
    {
      workspaceName: "prod",
      recordErrors: [
        {
          featureViewName: "user_spend",
          pushSourceName: "transactions",
          recordIndex: 0,
          errorType: "TectonObjectValidationError",
          errorMessage: `record 0: Cannot name an entity: its join keys take more than ${limits.entityKeyBytesMax} bytes, expected fewer`,
        },
      ],
    },
  ]);
  expect(await app.readLog("main")).toEqual([]);
});

const requestErrors: readonly [
  name: string,
  body: unknown,
  status: number,
  type: string,
  message: string,
][] = [
  [
    "a request without a workspace",
    { dry_run: false, records: {} },
    400,
    "RequestValidationError",
    "Required field `workspace_name` is missing in the request",
  ],
  [
    "a request without dry_run",
    { workspace_name: "prod", records: {} },
    400,
    "RequestValidationError",
    "Required field `dry_run` is missing in the request",
  ],
  [
    "a request without records",
    { workspace_name: "prod", dry_run: false },
    400,
    "RequestValidationError",
    "Required field `records` is missing in the request",
  ],
  [
    "dry_run as text",
    { workspace_name: "prod", dry_run: "false", records: {} },
    400,
    "RequestValidationError",
    'Cannot read request: "dryRun" is a string, expected true or false',
  ],
  [
    "records that are no array",
    request({ transactions: { record: {} } }),
    400,
    "RequestValidationError",
    'Cannot read records of source "transactions": they are not an array, expected an array of objects with a field "record"',
  ],
  [
    "malformed JSON",
    "{",
    400,
    "RequestValidationError",
    "Cannot read request: its body is not JSON",
  ],
  [
    "a body that is an array",
    [],
    400,
    "RequestValidationError",
    "Cannot read request: its body is an array, expected an object",
  ],
  [
    "sources of different logs",
    request({ transactions: [transaction("a")], payments: [] }),
    400,
    "RequestValidationError",
    'Cannot ingest into sources "transactions" and "payments" together: they append to different logs, send a request for each',
  ],
  [
    "an unknown source",
    request({ transactions: [transaction("a")], nothing: [] }),
    404,
    "NotFoundError",
    'Cannot ingest into source "nothing": it is not defined, expected a stream source',
  ],
  [
    "a source named __proto__",
    '{"workspace_name":"prod","dry_run":false,"records":{"__proto__":[{"record":{}}]}}',
    404,
    "NotFoundError",
    'Cannot ingest into source "__proto__": it is not defined, expected a stream source',
  ],
  [
    "a batch source",
    request({ archive: [] }),
    404,
    "NotFoundError",
    'Cannot ingest into source "archive": it is a batch source, expected a stream source',
  ],
  [
    "an unknown workspace",
    request({}, { workspace_name: "dev" }),
    404,
    "NotFoundError",
    'Cannot find workspace "dev": there is none of that name',
  ],
  [
    "more records than fit",
    request({ transactions: Array(limits.ingestRecordsMax + 1).fill({}) }),
    413,
    "TooLargeError",
    `Cannot ingest ${limits.ingestRecordsMax + 1} records: at most ${limits.ingestRecordsMax} fit in a request, send several`,
  ],
  [
    "a body that is too large",
    JSON.stringify(request({})).padEnd(limits.ingestBodyBytesMax + 1, " "),
    413,
    "TooLargeError",
    `Cannot read request: its body has more than ${limits.ingestBodyBytesMax} bytes, expected at most that many`,
  ],
];

for (const [name, body, status, errorType, errorMessage] of requestErrors) {
  test(`ingest refuses ${name} with a ${status}`, async () => {
    const app = build();
    const answer = await app.post("/ingest", body);
    expect([answer.status, answer.body]).toEqual([
      status,
      { requestError: { errorMessage, errorType } },
    ]);
    expect(await app.readLog("main")).toEqual([]);
    expect(app.reported).toEqual([]);
  });
}

test("ingest takes a body of 16 MiB", async () => {
  expect(limits.ingestBodyBytesMax).toBe(16 * 1024 * 1024);
  const body = JSON.stringify(request({})).padEnd(limits.ingestBodyBytesMax, " ");
  expect((await build().post("/ingest", body)).status).toBe(200);
});

test("ingest answers 429 when a shard remembers all the ids it may", async () => {
  const app = build();
  for (const [, sql] of app.logDatabases) {
    sql.run("INSERT INTO counters (name, value) VALUES ('ids', ?)", limits.logShardIdsMax);
  }
  const answer = await app.post("/ingest", request({ transactions: [transaction("a")] }));
  expect([answer.status, answer.body]).toEqual([
    429,
    {
      requestError: {
        errorMessage: `Cannot append events: the log shard remembers ${limits.logShardIdsMax} event ids, retry when older ones have passed the redelivery horizon`,
        errorType: "ResourceExhaustedError",
      },
    },
  ]);
  expect(answer.headers.get("x-tilemark-retryable")).toBe("true");
  expect(await app.readLog("main")).toEqual([]);
});

test("ingest answers 503 in its own shape when a log fails, and reports it", async () => {
  const app = build();
  for (const [, sql] of app.logDatabases) sql.run("DROP TABLE log");
  const answer = await app.post("/ingest", request({ transactions: [transaction("a")] }));
  expect([answer.status, answer.body]).toEqual([
    503,
    {
      requestError: {
        errorMessage: "Cannot use the event log: SQLite failed",
        errorType: "UnavailableError",
      },
    },
  ]);
  expect(app.reported).toHaveLength(1);
  expect(app.reported[0]).toBeInstanceOf(FeatureError);
});

test("ingest does not acknowledge an event that is in no stream record, and a retry finishes it", async () => {
  const app = build();
  const stores = app.streamStores;
  const write = MemoryStore.prototype.write;
  let isAway = true;
  for (const store of stores) {
    store.write = (writes) =>
      isAway
        ? Promise.reject(
            new FeatureError("STORE_UNAVAILABLE", "Cannot write the store: it is away"),
          )
        : write.call(store, writes);
  }
  const body = request({ transactions: [transaction("a")] });
  expect((await app.post("/ingest", body)).status).toBe(503);
  expect(await amountOf(app, "u")).toEqual(["MISSING_DATA", null]);
  isAway = false;
  const retried = await app.post("/ingest", body);
  expect(retried.status).toBe(200);
  expect(await amountOf(app, "u")).toEqual(["PRESENT", 1]);
});

test("ingest refuses an event that takes more bytes than a log row holds, and names the record", async () => {
  const app = buildTestApp(repository, { nowMs, testClock: true });
  const merchant = "m".repeat(60_000);
  const rows = [transaction("a"), transaction("b", { merchant, user_id: merchant, id: "b" })];
  const answer = await app.post("/ingest", request({ transactions: rows }));
  expect(answer.status).toBe(400);
  expect(JSON.stringify(answer.body)).toContain("record 1: Cannot");
  expect(await app.readLog("main")).toEqual([]);
});
