import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { batchKey, shardOf, streamKey } from "../../src/tile/keys.ts";
import { emptyStreamRecord, writeStreamRecord } from "../../src/tile/stream-record.ts";
import { entity, loadRepository, service, streamSource, streamView, sum } from "../../src/index.ts";
import { buildTestApp } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { repository, spend } from "./features.ts";

const route = "/api/v1/feature-service/get-features";
const nowMs = Date.parse("2024-01-10T12:00:00Z");

async function appWithSpend(): Promise<TestApp> {
  const app = buildTestApp(repository, { nowMs, testClock: true });
  const records = [
    { id: "a", ts: "2024-01-10T11:30:00Z", user_id: "u", amt: 10, cents: 1000, merchant: "m" },
    { id: "b", ts: "2024-01-10T11:50:00Z", user_id: "u", amt: 30, cents: "3000", merchant: "n" },
  ].map((record) => ({ record }));
  const body = { workspace_name: "prod", dry_run: false, records: { transactions: records } };
  expect((await app.post("/ingest", body)).status).toBe(200);
  return app;
}

function featuresOf(body: unknown): readonly unknown[] {
  return (body as { result: { features: readonly unknown[] } }).result.features;
}

interface FeatureMetadata {
  readonly name?: string;
  readonly status?: string;
  readonly effectiveTime?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

function metadataOf(body: unknown): readonly FeatureMetadata[] {
  return (body as { metadata: { features: readonly FeatureMetadata[] } }).metadata.features;
}

test("get-features answers with values alone, on-demand views first, then views by name", async () => {
  const app = await appWithSpend();
  const answer = await app.post(route, {
    params: {
      featureServiceName: "fraud",
      joinKeyMap: { user_id: "u" },
      requestContextMap: { amt: 50 },
    },
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
  expect(answer.body).toEqual({
    result: {
      features: [2.5, 100, "2", 20, 40, "3000", "4000", ["m", "n"], "2024-01-10T11:50:00Z"],
    },
  });
});

test("get-features takes both spellings, mixed, with any content type and unknown options", async () => {
  const app = await appWithSpend();
  const camel = {
    featureServiceName: "fraud",
    workspaceName: "prod",
    joinKeyMap: { user_id: "u", other: null },
    requestContextMap: { amt: 50, other: { deep: [1] } },
    allowPartialResults: false,
    metadataOptions: { includeNames: true, includeSomethingElse: "x" },
    requestOptions: { readFromCache: true, writeFromCache: false, latencyBudgetMs: "200" },
    unknownField: 1,
  };
  const snake = {
    feature_service_name: "fraud",
    workspace_name: "prod",
    join_key_map: { user_id: "u" },
    request_context_map: { amt: 50 },
    metadata_options: { include_names: true },
    request_options: { readFromCache: true, latency_budget_ms: 200 },
  };
  const mixed = { ...snake, feature_service_name: undefined, featureServiceName: "fraud" };
  const bodies = [camel, snake, mixed].map((params) => ({ params }));
  const types = ["application/json", "application/x-www-form-urlencoded", "text/plain"];
  const answers = await Promise.all(
    bodies.map((body, i) => app.post(route, body, { "content-type": types[i] as string })),
  );
  for (const answer of answers) expect(answer.text).toBe(answers[0]?.text);
  expect(answers[0]?.status).toBe(200);
  expect(metadataOf(answers[0]?.body)[0]).toEqual({ name: "spend_ratio.over_mean" });
});

test("get-features takes null for its maps and options", async () => {
  const app = buildTestApp(repository, { nowMs });
  const params = {
    feature_service_name: "paged",
    join_key_map: { user_id: "u" },
    request_context_map: null,
    metadata_options: null,
    request_options: null,
  };
  const answer = await app.post(route, { params });
  expect(answer.body).toEqual({ result: { features: ["0", null] } });
});

test("get-features gives the metadata that was asked for, and no more", async () => {
  const app = await appWithSpend();
  const ask = async (metadataOptions: object) => {
    const params = {
      featureServiceName: "fraud",
      joinKeyMap: { user_id: "u" },
      requestContextMap: { amt: 1 },
      metadataOptions,
    };
    return (await app.post(route, { params })).body as { metadata?: object };
  };
  const first = async (metadataOptions: object) => {
    const features = metadataOf(await ask(metadataOptions));
    return [features[0], features[4]];
  };
  expect(await ask({ includeNames: false })).not.toHaveProperty("metadata");
  expect(await first({ includeNames: true })).toEqual([
    { name: "spend_ratio.over_mean" },
    { name: "user_spend.amt_sum_1h_5m" },
  ]);
  expect(await first({ includeDataTypes: true })).toEqual([
    { dataType: { type: "float64" } },
    { dataType: { type: "float64" } },
  ]);
  expect(await first({ includeEffectiveTimes: true })).toEqual([
    {},
    { effectiveTime: "2024-01-10T12:00:00Z" },
  ]);
  expect(await first({ includeServingStatus: true })).toEqual([
    { status: "PRESENT" },
    { status: "PRESENT" },
  ]);
  expect(await first({ includeFeatureDescriptions: true })).toEqual([
    {},
    { description: "Spent in an hour" },
  ]);
  expect(await first({ includeFeatureTags: true })).toEqual([{ tags: {} }, { tags: {} }]);
  expect(await first({ includeDetails: true })).toEqual([{}, {}]);
  const { metadata } = await ask({ includeSloInfo: true });
  expect(Object.keys(metadata ?? {})).toEqual(["sloInfo"]);
});

test("get-features says MISSING_DATA of an unknown entity, with empty values", async () => {
  const app = await appWithSpend();
  const params = {
    joinKeyMap: { user_id: "nobody" },
    requestContextMap: { amt: 1 },
    metadataOptions: { includeServingStatus: true },
  };
  const zero = await app.post(route, { params: { ...params, featureServiceName: "fraud" } });
  expect(featuresOf(zero.body)).toEqual([null, 2, "0", null, null, null, null, [], null]);
  expect(metadataOf(zero.body).map(({ status }) => status)).toEqual([
    ...Array<string>(2).fill("PRESENT"),
    ...Array<string>(7).fill("MISSING_DATA"),
  ]);
  const nulls = await app.post(route, { params: { ...params, featureServiceName: "nullable" } });
  expect(featuresOf(nulls.body)).toEqual(Array(7).fill(null));
});

test("get-features knows nobody by a null join key", async () => {
  const app = await appWithSpend();
  const metadataOptions = { includeServingStatus: true };
  const ask = async (user_id: unknown) => {
    const params = { featureServiceName: "fraud", joinKeyMap: { user_id }, metadataOptions };
    const answer = await app.post(route, { params: { ...params, requestContextMap: { amt: 1 } } });
    return answer.text;
  };
  expect(await ask(null)).toBe(await ask("nobody"));
});

test("get-features leaves out the effective time of a batch view that was never compacted", async () => {
  const app = buildTestApp(repository, { nowMs });
  const answer = await app.post(route, {
    params: {
      featureServiceName: "audit",
      joinKeyMap: { user_id: "u" },
      metadataOptions: { includeEffectiveTimes: true, includeServingStatus: true },
    },
  });
  expect(answer.body).toEqual({
    result: { features: ["0", null] },
    metadata: { features: [{ status: "MISSING_DATA" }, { status: "MISSING_DATA" }] },
  });
});

test("get-features turns null counts into zeros where the request asks, and nothing else", async () => {
  const app = await appWithSpend();
  const ask = async (user_id: string, coerceNullCountsToZero: boolean) => {
    const params = {
      featureServiceName: "nullable",
      joinKeyMap: { user_id },
      requestOptions: { coerceNullCountsToZero },
    };
    const headers = { "x-tilemark-now": String(nowMs + 7_200_000) };
    return featuresOf((await app.post(route, { params }, headers)).body);
  };
  // Known, with nothing in the last hour: only the count becomes null.
  expect(await ask("u", false)).toEqual([null, 20, null, null, null, [], null]);
  expect(await ask("u", true)).toEqual(["0", 20, null, null, null, [], null]);
  // Unknown: everything is null, but for the count where it is asked for.
  expect(await ask("nobody", false)).toEqual(Array(7).fill(null));
  expect(await ask("nobody", true)).toEqual(["0", ...Array<null>(6).fill(null)]);
});

test("get-features reads its one instant from x-tilemark-now with a test clock", async () => {
  const app = await appWithSpend();
  const ask = async (at: string) => {
    const params = { featureServiceName: "nullable", joinKeyMap: { user_id: "u" } };
    const headers = { "x-tilemark-now": String(Date.parse(at)) };
    return featuresOf((await app.post(route, { params }, headers)).body)[0];
  };
  expect(await ask("2024-01-10T12:29:59Z")).toBe("2");
  expect(await ask("2024-01-10T12:35:00Z")).toBe("1");
});

test("get-features takes join keys of every type", async () => {
  const app = buildTestApp(repository, { nowMs });
  const keys = {
    card_number: "9007199254740993",
    virtual: true,
    issued_at: "2020-01-01T00:00:00Z",
  };
  const record = { at: "2024-01-10T11:59:00Z", payment_id: "p", amt: 5, ...keys };
  const records = { payments: [{ record }] };
  expect(
    (await app.post("/ingest", { workspaceName: "prod", dryRun: false, records })).status,
  ).toBe(200);
  const spellings = [
    keys,
    { ...keys, virtual: "true", issued_at: Date.parse("2020-01-01T00:00:00Z") },
    { ...keys, issued_at: "2020-01-01T01:00:00+01:00" },
  ];
  for (const joinKeyMap of spellings) {
    const answer = await app.post(route, { params: { featureServiceName: "carded", joinKeyMap } });
    expect(answer.body).toEqual({ result: { features: [5] } });
  }
});

test("get-features hands request values of every type to a transform and back", async () => {
  const app = buildTestApp(repository, { nowMs });
  const requestContextMap = {
    flag: true,
    word: "w",
    whole: "-9223372036854775808",
    real: "-Infinity",
    moment: "2024-01-01T00:00:00.5Z",
    list: ["9007199254740993", 3, null],
    table: { a: 1.5, b: "NaN", ["__proto__"]: 2 },
    item: { price: 2, tags: ["x", null] },
    singles: [[0.1, 16777217, null, "NaN", "-Infinity", 3.4028235e38], null, []],
    constructor: "own",
  };
  const answer = await app.post(route, {
    params: { featureServiceName: "echoed", requestContextMap },
  });
  expect(JSON.stringify(featuresOf(answer.body))).toBe(
    JSON.stringify([
      "-9223372036854775808",
      true,
      "w",
      "-Infinity",
      "2024-01-01T00:00:00.500Z",
      ["9007199254740993", "3", null],
      { a: 1.5, b: "NaN", ["__proto__"]: 2 },
      [2, ["x", null]],
      [[0.1, 16777216, null, "NaN", "-Infinity", 3.4028235e38], null, []],
      "own",
      "2024-01-10T12:00:00Z",
    ]),
  );
});

test("get-features passes over extra fields of a struct where the request asks", async () => {
  const app = buildTestApp(repository, { nowMs });
  const requestContextMap = {
    flag: true,
    word: "w",
    whole: 1,
    real: 1,
    moment: 0,
    list: [],
    table: {},
    item: { price: 1, colour: "red" },
    singles: [],
    constructor: "c",
  };
  const params = { featureServiceName: "echoed", requestContextMap };
  const refused = await app.post(route, { params });
  expect([refused.status, refused.body]).toEqual([
    400,
    {
      error:
        'Cannot read request context key "item": it is an object with a field "colour", expected only price, tags',
      code: 3,
      message:
        'Cannot read request context key "item": it is an object with a field "colour", expected only price, tags',
    },
  ]);
  const requestOptions = { ignoreExtraRequestContextFields: true };
  const accepted = await app.post(route, { params: { ...params, requestOptions } });
  expect(featuresOf(accepted.body)[7]).toEqual([1, null]);
  const byPlace = { ...requestContextMap, item: [1, ["x"], "red"] };
  const positional = await app.post(route, {
    params: { ...params, requestContextMap: byPlace, requestOptions },
  });
  expect(featuresOf(positional.body)[7]).toEqual([1, ["x"]]);
});

test("get-features answers null and UNKNOWN for a view whose transform throws, and the rest", async () => {
  const app = await appWithSpend();
  const params = {
    featureServiceName: "mixed",
    joinKeyMap: { user_id: "u" },
    requestContextMap: { amt: -4 },
    metadataOptions: { includeServingStatus: true, includeDetails: true },
  };
  const answer = await app.post(route, { params });
  expect(answer.status).toBe(200);
  expect(featuresOf(answer.body).slice(0, 4)).toEqual([null, -0.2, -8, "2"]);
  expect(metadataOf(answer.body).slice(0, 2)).toEqual([
    {
      status: "UNKNOWN",
      details: {
        reason:
          'Cannot run on-demand view "fragile": its transform threw (RangeError), expected outputs',
      },
    },
    { status: "PRESENT" },
  ]);
  expect(answer.text).not.toContain("no root of");
  expect(app.reported.map(String)).toEqual(["RangeError: no root of -4"]);
});

test("get-features answers null and UNKNOWN for a sum past int64 alone", async () => {
  const app = buildTestApp(repository, { nowMs });
  const records = ["a", "b"].map((id) => ({
    record: { id, ts: "2024-01-10T11:30:00Z", user_id: "u", amt: 1, cents: "9223372036854775807" },
  }));
  await app.post("/ingest", {
    workspace_name: "prod",
    dry_run: false,
    records: { transactions: records },
  });
  const answer = await app.post(route, {
    params: {
      featureServiceName: "nullable",
      joinKeyMap: { user_id: "u" },
      metadataOptions: { includeServingStatus: true },
    },
  });
  expect(answer.status).toBe(200);
  expect(featuresOf(answer.body)).toEqual([
    "2",
    1,
    2,
    "9223372036854775807",
    null,
    [],
    "2024-01-10T11:30:00Z",
  ]);
  expect(metadataOf(answer.body).map(({ status }) => status)).toEqual([
    ...Array<string>(4).fill("PRESENT"),
    "UNKNOWN",
    "PRESENT",
    "PRESENT",
  ]);
});

test("get-features answers gap, never a number, where the stream was collected past the copy", async () => {
  const app = await appWithSpend();
  const store = app.streamStores[shardOf("u", app.streamStores.length)] as MemoryStore;
  const bytes = writeStreamRecord({ ...emptyStreamRecord, collectedEpoch: 3 }, spend);
  await store.write([{ key: streamKey(spend, "u"), bytes }]);
  const answer = await app.post(route, {
    params: {
      featureServiceName: "fraud",
      joinKeyMap: { user_id: "u" },
      requestContextMap: { amt: 1 },
      metadataOptions: { includeServingStatus: true, includeDetails: true },
    },
  });
  expect(answer.status).toBe(200);
  // The on-demand view looked at a value that could not be read, so its own are none either.
  expect(featuresOf(answer.body)).toEqual(Array(9).fill(null));
  for (const { status, details } of metadataOf(answer.body)) {
    expect([status, details?.["gap"]]).toEqual(["UNKNOWN", true]);
  }
});

test("get-features gives the bounds that a rounded value is exact for", async () => {
  const late = streamView("late", {
    entities: [entity("user", { user_id: "string" })],
    source: streamSource("events", {
      timestamp: "ts",
      columns: { user_id: "string", x: "int64" },
    }),
    windowing: "sliding",
    interval: "1m",
    features: { x: [sum("2d")] },
    compaction: { every: "1h" },
  });
  const lateRepository = loadRepository({ late: service("late", [late]) });
  const app = buildTestApp(lateRepository, { nowMs, testClock: true });
  const instants = Array.from({ length: 2_000 }, (_, i) => nowMs - i * 60_000 - 1);
  const events = instants.map((ts) => ({ record: { ts, user_id: "u", x: 1 } }));
  await app.post("/ingest", { workspace_name: "prod", dry_run: false, records: { events } });
  const ask = async (hours: number) => {
    const params = {
      featureServiceName: "late",
      joinKeyMap: { user_id: "u" },
      metadataOptions: { includeServingStatus: true, includeDetails: true },
    };
    const headers = { "x-tilemark-now": String(nowMs + hours * 3_600_000) };
    const { body } = await app.post(route, { params }, headers);
    return { value: Number(featuresOf(body)[0]), metadata: metadataOf(body)[0] };
  };
  expect(await ask(1)).toEqual({ value: 2_000, metadata: { status: "PRESENT" } });
  const { value, metadata } = await ask(47);
  expect(metadata).toMatchObject({ status: "PRESENT", details: { degraded: true } });
  const startMs = Date.parse(String(metadata?.details?.["startTime"]));
  const endMs = Date.parse(String(metadata?.details?.["endTime"]));
  expect(startMs).toBeLessThan(nowMs - 3_600_000);
  expect(value).toBe(instants.filter((ts) => ts >= startMs && ts < endMs).length);
});

test("get-features measures what an answer took, and when its objective does not hold", async () => {
  class SlowStore extends MemoryStore {
    override readMany(...args: Parameters<MemoryStore["readMany"]>) {
      app.clock.nowMs += 250;
      return super.readMany(...args);
    }
  }
  const batchStore = new SlowStore();
  const app = buildTestApp(repository, { nowMs, batchStore });
  const ask = async (byteCount: number) => {
    const key = batchKey(spend, "u");
    await batchStore.write([{ key, bytes: new Uint8Array(byteCount) }]);
    const params = {
      featureServiceName: "nullable",
      joinKeyMap: { user_id: "u" },
      metadataOptions: { includeSloInfo: true, includeServingStatus: true },
    };
    const { body, status } = await app.post(route, { params });
    expect(status).toBe(200);
    // Bytes that are no record are a fault of their features, not of the request.
    expect(featuresOf(body)).toEqual(Array(7).fill(null));
    expect(metadataOf(body)[0]).toEqual({ status: "UNKNOWN" });
    return (body as { metadata: { sloInfo: unknown } }).metadata.sloInfo;
  };
  const times = { sloServerTimeSeconds: 0.25, serverTimeSeconds: 0.25 };
  const most = limits.objectiveStoreBytesMax;
  expect(most).toBe(2 * 1024 * 1024);
  expect(await ask(most)).toEqual({ ...times, sloEligible: true, storeResponseSizeBytes: most });
  expect(await ask(most + 1)).toEqual({
    ...times,
    sloEligible: false,
    sloIneligibilityReasons: ["DYNAMODB_RESPONSE_SIZE_LIMIT_EXCEEDED"],
    storeResponseSizeBytes: most + 1,
  });
});
