import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { readGetFeaturesBatch } from "../../src/http/read-get-features-batch.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { StoreReadOptions } from "../../src/store/online-store.ts";
import { batchKey } from "../../src/tile/keys.ts";
import { buildTestApp } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { fraud, repository, spend } from "./features.ts";

const route = "/api/v1/feature-service/get-features-batch";
const singleRoute = "/api/v1/feature-service/get-features";
const nowMs = Date.parse("2024-01-10T12:00:00Z");

async function appWithSpend(batchStore = new MemoryStore()): Promise<TestApp> {
  const app = buildTestApp(repository, { nowMs, testClock: true, batchStore });
  const records = [
    { id: "a", ts: "2024-01-10T11:30:00Z", user_id: "u", amt: 10, cents: 1000, merchant: "m" },
    { id: "b", ts: "2024-01-10T11:50:00Z", user_id: "u", amt: 30, cents: "3000", merchant: "n" },
    { id: "c", ts: "2024-01-10T11:55:00Z", user_id: "v", amt: 7, cents: 700, merchant: "m" },
  ].map((record) => ({ record }));
  const body = { workspace_name: "prod", dry_run: false, records: { transactions: records } };
  expect((await app.post("/ingest", body)).status).toBe(200);
  return app;
}

function rowOf(user_id: unknown, amt: number): object {
  return { joinKeyMap: { user_id }, requestContextMap: { amt } };
}

const good = rowOf("u", 1);

interface BatchBody {
  readonly result: readonly { readonly features: readonly unknown[] }[];
  readonly metadata: {
    readonly features: readonly Readonly<Record<string, unknown>>[];
    readonly sloInfo: readonly object[];
    readonly batchSloInfo: object;
  };
}

test("get-features-batch answers each row as get-features does, in order, repeated ones too", async () => {
  const app = await appWithSpend();
  const rows = [
    ["u", 50],
    ["v", 1],
    ["nobody", 2],
    ["u", 50],
    ["u", -3],
  ] as const;
  const requestData = rows.map(([user, amt]) => rowOf(user, amt));
  const answer = await app.post(route, { params: { featureServiceName: "fraud", requestData } });
  expect(answer.status).toBe(200);
  const singles = await Promise.all(
    requestData.map((row) =>
      app.post(singleRoute, { params: { featureServiceName: "fraud", ...row } }),
    ),
  );
  const result = singles.map(({ body }) => (body as { result: object }).result);
  expect(answer.body).toEqual({ result });
  expect(result[0]).toEqual({
    features: [2.5, 100, "2", 20, 40, "3000", "4000", ["m", "n"], "2024-01-10T11:50:00Z"],
  });
  expect(result[2]).not.toEqual(result[0]);
});

test("get-features-batch describes features once, and rows by arrays", async () => {
  const app = await appWithSpend();
  const requestData = [rowOf("u", 50), rowOf("nobody", 1)];
  const metadataOptions = {
    includeNames: true,
    includeDataTypes: true,
    includeEffectiveTimes: true,
    includeServingStatus: true,
    includeFeatureDescriptions: true,
    includeSloInfo: true,
  };
  const params = { featureServiceName: "fraud", requestData, metadataOptions };
  const { metadata } = (await app.post(route, { params })).body as BatchBody;
  const single = await app.post(singleRoute, {
    params: { featureServiceName: "fraud", ...requestData[0], metadataOptions },
  });
  const { features } = (single.body as { metadata: BatchBody["metadata"] }).metadata;
  expect(metadata.features.map(({ status: _, ...rest }) => rest)).toEqual(
    features.map(({ status: _, ...rest }) => rest),
  );
  const statuses = new Map(metadata.features.map(({ name, status }) => [name, status]));
  expect(statuses.get("spend_ratio.doubled")).toEqual(["PRESENT", "PRESENT"]);
  expect(statuses.get("user_spend.amt_mean_30d_5m")).toEqual(["PRESENT", "MISSING_DATA"]);
  const seconds = expect.any(Number) as number;
  const times = { sloEligible: true, sloServerTimeSeconds: seconds, serverTimeSeconds: seconds };
  expect(metadata.sloInfo).toEqual([times, times]);
  expect(metadata.batchSloInfo).toEqual({ ...times, storeResponseSizeBytes: seconds });
});

test("get-features-batch leaves rows alone where another one's transform fails", async () => {
  const app = await appWithSpend();
  const requestData = [rowOf("u", 4), rowOf("u", -1), rowOf("v", 9)];
  const metadataOptions = { includeNames: true, includeServingStatus: true, includeDetails: true };
  const params = { featureServiceName: "mixed", requestData, metadataOptions };
  const { result, metadata } = (await app.post(route, { params })).body as BatchBody;
  const root = metadata.features.findIndex(({ name }) => name === "fragile.root");
  expect(result.map(({ features }) => features[root])).toEqual([2, null, 3]);
  expect(metadata.features[root]).toMatchObject({
    status: ["PRESENT", "UNKNOWN", "PRESENT"],
    details: [null, { reason: expect.stringContaining("fragile") as string }, null],
  });
  const others = metadata.features.filter(({ name }) => name !== "fragile.root");
  for (const { details } of others) expect(details).toBeUndefined();
  expect(app.reported).toHaveLength(1);
});

test("get-features-batch leaves rows alone where another one's record is corrupt", async () => {
  const app = await appWithSpend();
  const view = repository.services.get("nullable")?.views[0] ?? spend;
  await app.batchStore.write([{ key: batchKey(view, "u"), bytes: new Uint8Array([1, 2, 3]) }]);
  const requestData = [{ joinKeyMap: { user_id: "u" } }, { joinKeyMap: { user_id: "v" } }];
  const metadataOptions = { includeServingStatus: true };
  const params = { featureServiceName: "nullable", requestData, metadataOptions };
  const { result, metadata } = (await app.post(route, { params })).body as BatchBody;
  expect(metadata.features.map(({ status }) => status)).toEqual(
    Array(7).fill(["UNKNOWN", "PRESENT"]),
  );
  expect(result[0]?.features).toEqual(Array(7).fill(null));
  expect(result[1]?.features[1]).toBe(7);
});

/** Counts what is read, over a real store. */
class CountedStore extends MemoryStore {
  readonly reads: (readonly string[])[] = [];

  override readMany(keys: readonly string[], options?: StoreReadOptions) {
    this.reads.push(keys);
    return super.readMany(keys, options);
  }
}

test("get-features-batch reads every key once, in one round", async () => {
  const store = new CountedStore();
  const app = await appWithSpend(store);
  store.reads.length = 0;
  const users = ["u", "v", "u", "w", "v", "u"];
  const requestData = users.map((user, i) => rowOf(user, i));
  const answer = await app.post(route, { params: { featureServiceName: "fraud", requestData } });
  expect(answer.status).toBe(200);
  const [view = spend] = fraud.views;
  expect(store.reads).toEqual([["u", "v", "w"].map((user) => batchKey(view, user))]);
});

test("get-features-batch takes both spellings, and a request in those of the Java client", async () => {
  const app = await appWithSpend();
  const snake = {
    feature_service_name: "fraud",
    workspace_name: "prod",
    request_data: [
      { join_key_map: { user_id: "u" }, request_context_map: { amt: 50 } },
      { joinKeyMap: { user_id: "v" }, request_context_map: { amt: 1 }, unknown: 1 },
    ],
    metadata_options: { include_names: true, include_data_types: true },
    request_options: { latency_budget_ms: 200 },
  };
  const camel = {
    featureServiceName: "fraud",
    requestData: [rowOf("u", 50), rowOf("v", 1)],
    metadataOptions: { includeNames: true, includeDataTypes: true },
  };
  const [first, second] = await Promise.all(
    [snake, camel].map((params) => app.post(route, JSON.stringify({ params }))),
  );
  expect(first?.status).toBe(200);
  expect(first?.text).toBe(second?.text);
});

test("a row's maps keep the user's own names and may be null", () => {
  const requestData = [
    { join_key_map: { user_id: "u" }, request_context_map: { my_key: 1 } },
    { joinKeyMap: null },
  ];
  expect(
    readGetFeaturesBatch({ params: { featureServiceName: "s", requestData } }, null).rows,
  ).toEqual([
    { joinKeyMap: { user_id: "u" }, requestContextMap: { my_key: 1 } },
    { joinKeyMap: {}, requestContextMap: {} },
  ]);
});

test(`get-features-batch answers up to ${limits.batchRowsMax} rows, and none`, async () => {
  const app = await appWithSpend();
  const ask = (rowCount: number) => {
    const requestData = Array.from({ length: rowCount }, (_, i) => rowOf(`u${i % 700}`, i));
    return app.post(route, { params: { featureServiceName: "fraud", requestData } });
  };
  expect((await ask(0)).body).toEqual({ result: [] });
  const full = (await ask(limits.batchRowsMax)).body as BatchBody;
  const doubles = full.result.map(({ features }) => features[1]);
  expect(doubles).toEqual(Array.from({ length: limits.batchRowsMax }, (_, i) => 2 * i));
  const refused = await ask(limits.batchRowsMax + 1);
  expect(refused.status).toBe(413);
  expect(refused.text).toContain(`has 1001 rows, expected at most ${limits.batchRowsMax}`);
});

const refusals: readonly {
  readonly name: string;
  readonly requestData: unknown;
  readonly message: string;
}[] = [
  {
    name: "no rows at all",
    requestData: undefined,
    message: 'Cannot read request: "params.requestData" is missing, expected an array',
  },
  {
    name: "rows that are no array",
    requestData: { joinKeyMap: {} },
    message: 'Cannot read request: "params.requestData" is an object, expected an array',
  },
  {
    name: "a row that is no object",
    requestData: [good, null],
    message: 'Cannot read request: "params.requestData.1" is null, expected an object',
  },
  {
    name: "rows of which none can be read, for the first",
    requestData: [rowOf([], 1), {}],
    message: 'Cannot read "params.requestData.0": Cannot read join key "user_id": ',
  },
];

test.each(refusals)("get-features-batch refuses $name, and names it", async (refusal) => {
  const store = new CountedStore();
  const app = await appWithSpend(store);
  store.reads.length = 0;
  const { requestData, message } = refusal;
  const answer = await app.post(route, { params: { featureServiceName: "fraud", requestData } });
  expect(answer.status).toBe(400);
  const body = answer.body as { readonly code: number; readonly message: string };
  expect(body.message).toContain(message);
  expect(body.code).toBe(3);
  expect(store.reads).toEqual([]);
});

const badRows: readonly [name: string, row: object, reason: string][] = [
  [
    "without its join key",
    { joinKeyMap: {}, requestContextMap: { amt: 1 } },
    "Missing required join key: user_id",
  ],
  [
    "with a join key of another type",
    rowOf([], 1),
    'Cannot read join key "user_id": it is an array, expected a string',
  ],
  [
    "without a request value",
    { joinKeyMap: { user_id: "u" } },
    "Missing required request context key: amt",
  ],
  [
    "with a request value of another type",
    { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: "1" } },
    'Cannot read request context key "amt": it is a string, expected a float64',
  ],
  [
    "with an entity too long for a key",
    rowOf("k".repeat(limits.entityKeyBytesMax + 1), 1),
    `Cannot name an entity: its join keys take more than ${limits.entityKeyBytesMax} bytes, expected fewer`,
  ],
];

test.each(badRows)("get-features-batch answers around a row %s", async (_, bad, reason) => {
  const store = new CountedStore();
  const app = await appWithSpend(store);
  store.reads.length = 0;
  const ask = async (requestData: readonly object[]) => {
    const metadataOptions = { includeServingStatus: true, includeDetails: true };
    const params = { featureServiceName: "fraud", requestData, metadataOptions };
    const answer = await app.post(route, { params });
    expect(answer.status).toBe(200);
    return answer.body as BatchBody;
  };
  const among = await ask([good, bad, good, rowOf("v", 2)]);
  const alone = await ask([good, rowOf("v", 2)]);
  const [first, second] = alone.result;
  const nulls = { features: first?.features.map(() => null) };
  expect(among.result).toEqual([first, nulls, first, second]);
  for (const { status, details } of among.metadata.features) {
    expect(status).toEqual(["PRESENT", "UNKNOWN", "PRESENT", "PRESENT"]);
    expect(details).toEqual([null, { reason }, null, null]);
  }
  const [view = spend] = fraud.views;
  expect(store.reads[0]).toEqual(["u", "v"].map((user) => batchKey(view, user)));
});

test("get-features-batch knows nobody by a null join key, and reads nothing for it", async () => {
  const store = new CountedStore();
  const app = await appWithSpend(store);
  store.reads.length = 0;
  const requestData = [rowOf(null, 3), rowOf(null, 4)];
  const metadataOptions = { includeServingStatus: true };
  const params = { featureServiceName: "fraud", requestData, metadataOptions };
  const { result, metadata } = (await app.post(route, { params })).body as BatchBody;
  expect(result.map(({ features }) => features)).toEqual([
    [null, 6, "0", null, null, null, null, [], null],
    [null, 8, "0", null, null, null, null, [], null],
  ]);
  expect(metadata.features.map(({ status }) => status)).toEqual([
    ...Array<string[]>(2).fill(["PRESENT", "PRESENT"]),
    ...Array<string[]>(7).fill(["MISSING_DATA", "MISSING_DATA"]),
  ]);
  expect(store.reads).toEqual([]);
});

test("get-features-batch refuses a token of what was seen, an unknown service, and other methods", async () => {
  const app = await appWithSpend();
  const params = { featureServiceName: "fraud", requestData: [good] };
  const seen = await app.post(route, { params }, { "x-tilemark-seen": "" });
  expect([seen.status, seen.text]).toEqual([400, expect.stringContaining("get-features")]);
  const unknown = await app.post(route, { params: { ...params, featureServiceName: "none" } });
  expect([unknown.status, (unknown.body as { code: number }).code]).toEqual([404, 5]);
  expect((await app.get(route)).status).toBe(405);
});
