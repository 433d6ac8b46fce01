import { expect, test } from "vitest";
import { createClient, TilemarkError } from "../../adapters/client/client.ts";
import type { ClientOptions } from "../../adapters/client/client.ts";
import { hostClock } from "../../adapters/host-clock.ts";
import { serveNode } from "../../adapters/runtimes/node.ts";
import { limits } from "../../src/core/limits.ts";
import { clientLimits } from "../../src/client/client-limits.ts";
import { loadRepository, onDemandView, service } from "../../src/index.ts";
import { buildTestApp } from "../builders/app.ts";
import { echoed, fraud, payments, repository, transactions } from "../http/features.ts";
import { nowMs, openWorld, outcomeOf, purchases, singlePath } from "./client-world.ts";

async function worldWithSpend(options: Partial<ClientOptions> = {}) {
  const app = buildTestApp(repository, { nowMs });
  const world = openWorld(app, options);
  const counts = await world.client.ingest(transactions, purchases);
  expect(counts).toEqual({
    acceptedCount: 3,
    duplicateCount: 0,
    conflictCount: 0,
    filteredCount: 0,
  });
  return { ...world, app };
}

test("getFeatures() answers values by name in the types of the definition, with their statuses", async () => {
  const { client, sent } = await worldWithSpend({ apiKey: "k" });
  const answer = await client.getFeatures(
    fraud,
    { joinKeys: { user_id: "v" }, request: { amt: 14 } },
    { effectiveTimes: true, details: true },
  );
  expect(answer.features).toMatchObject({
    "spend_ratio.over_mean": 2,
    "user_spend.amt_sum_1h_5m": 7,
    "user_spend.amt_count_1h_5m": 1n,
    "user_spend.cents_sum_1h_5m": 2n ** 62n,
    "user_spend.merchant_last_distinct_3_1h_5m": ["m"],
  });
  expect(Object.keys(answer.features)).toHaveLength(9);
  expect(new Set(Object.values(answer.statuses))).toEqual(new Set(["PRESENT"]));
  expect(Object.keys(answer.statuses)).toEqual(Object.keys(answer.features));
  expect(answer.effectiveTimes).toMatchObject({ "user_spend.amt_sum_1h_5m": nowMs });
  expect(answer.details).toEqual({});
  expect(sent.at(-1)?.headers.get("authorization")).toBe("Tecton-key k");
});

test("getFeatures() takes a handle, whose service is looked up by its name alone", async () => {
  const { client } = await worldWithSpend();
  const handle = client.service<typeof fraud>("fraud");
  const query = { joinKeys: { user_id: "nobody" }, request: { amt: 14 } };
  const { features, statuses, effectiveTimes } = await client.getFeatures(handle, query);
  expect(features["user_spend.amt_count_1h_5m"]).toBe(0n);
  expect(statuses["user_spend.amt_count_1h_5m"]).toBe("MISSING_DATA");
  expect(effectiveTimes).toEqual({});
});

/** Gives back what it is given, and when. */
const reflection = onDemandView("reflection", {
  request: {
    flag: "boolean",
    word: "string",
    whole: "int64",
    real: "float64",
    moment: "timestamp",
    list: { array: "int64" },
    table: { map: "float64" },
    items: { array: { struct: { price: "float64", tags: { map: { array: "int64" } } } } },
  },
  output: {
    flag: "boolean",
    word: "string",
    whole: "int64",
    real: "float64",
    moment: "timestamp",
    list: { array: "int64" },
    table: { map: "float64" },
    items: { array: { struct: { price: "float64", tags: { map: { array: "int64" } } } } },
    minutes: "int64",
    nothing: "string",
  },
  transform: ({ request, now }) => ({
    ...request,
    minutes: BigInt(now - request.moment) / 60_000n,
    nothing: null,
  }),
});
const reflected = service("reflected", [reflection]);

test("request values and answers of every type come through as they are", async () => {
  const app = buildTestApp(loadRepository({ reflected }), { nowMs });
  const { client } = openWorld(app);
  const request = {
    flag: false,
    word: "wörd",
    whole: -(2n ** 63n),
    real: Number.NaN,
    moment: nowMs - 180_000,
    list: [2n ** 53n + 1n, -1n],
    table: { low: -Infinity, third: 1 / 3 },
    items: [
      { price: null, tags: { a: [1n], b: [] } },
      { price: 0.5, tags: null },
    ],
  };
  const { features, statuses } = await client.getFeatures(reflected, { request });
  expect(features).toEqual(
    Object.fromEntries(
      Object.entries({ ...request, minutes: 3n, nothing: null }).map(([name, value]) => [
        `reflection.${name}`,
        value,
      ]),
    ),
  );
  expect(new Set(Object.values(statuses))).toEqual(new Set(["PRESENT"]));
});

test("a monotonic call sends what was seen of its entity, and goes by itself", async () => {
  const { client, sent } = await worldWithSpend({ monotonic: true });
  const ask = (user_id: string) =>
    client.getFeatures(fraud, { joinKeys: { user_id }, request: { amt: 1 } });
  await Promise.all([ask("u"), ask("v")]);
  await ask("u");
  const tokens = sent.slice(1).map(({ path, headers }) => {
    expect(path).toBe(singlePath);
    return headers.get("x-tilemark-seen");
  });
  expect(tokens.slice(0, 2)).toEqual(["", ""]);
  expect(JSON.parse(atob(tokens[2] ?? ""))).toHaveProperty("user_spend");
});

test("ingest() tells duplicates, and throws what is wrong with a record", async () => {
  const { client } = await worldWithSpend();
  const again = await client.ingest(transactions, purchases, { idempotencyKey: "again" });
  expect(again).toMatchObject({ acceptedCount: 0, duplicateCount: 3 });
  const records = [{ payment_id: "p", at: nowMs, amt: Number.NaN, card_number: 2n ** 60n }];
  const refused = client.ingest(payments, records as never);
  await expect(refused).rejects.toMatchObject({ name: "TilemarkError", status: 400 });
});

test.each([
  { name: "none", query: { joinKeys: { user_id: "u" } }, status: 404, code: "NOT_FOUND" },
  { name: "fraud", query: { request: { amt: 1 } }, status: 400, code: "INVALID_REQUEST" },
])("getFeatures() of $name throws $status for $query", async ({ name, query, status, code }) => {
  const { client } = await worldWithSpend();
  const service = client.service<typeof fraud>(name as "fraud");
  const error = await client
    .getFeatures(service, query as never)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TilemarkError);
  expect(error).toMatchObject({ status, code, retryable: false });
});

test("the same client asks a server over HTTP", async () => {
  const server = await serveNode({ fraud, echoed }, { directory: ":memory:" });
  try {
    const client = createClient({ url: server.url, monotonic: true });
    const ts = hostClock().now() - 10 * 60_000;
    await client.ingest(transactions, [{ id: "a", ts, user_id: "u", amt: 2 }]);
    const query = { joinKeys: { user_id: "u" }, request: { amt: 1 } };
    for (let i = 0; i < 2; i++) {
      const { features } = await client.getFeatures(fraud, query);
      expect(features["user_spend.amt_sum_1h_5m"]).toBe(2);
    }
    const plain = createClient({ url: server.url });
    const answers = await Promise.all([
      plain.getFeatures(fraud, query),
      plain.getFeatures(echoed, { request: {} as never }).catch((error: unknown) => error),
      plain.getFeatures(fraud, { ...query, joinKeys: { user_id: "v" } }),
    ]);
    expect(answers[0]?.features["user_spend.amt_sum_1h_5m"]).toBe(2);
    expect(answers[1]).toMatchObject({ code: "INVALID_REQUEST" });
    expect(answers[2]?.features["user_spend.amt_sum_1h_5m"]).toBeNull();
  } finally {
    await server.close();
  }
  const gone = createClient({ url: server.url, retries: 0 });
  const outcome = await outcomeOf(gone.getFeatures(echoed, { request: {} as never }));
  expect(outcome).toMatchObject({ error: { code: "NETWORK", status: null, retryable: true } });
});

test("createClient() refuses options that cannot be", () => {
  const url = "https://features.example";
  expect(() => createClient({ url: "features.example" })).toThrow(TypeError);
  for (const options of [
    { retries: -1 },
    { retries: 11 },
    { deadlineMs: 0 },
    { deadlineMs: Infinity },
    { deadlineMs: Number.NaN },
    { batch: { rowsMax: 1_001 } },
    { batch: { windowMs: 2_001 } },
  ]) {
    expect(() => createClient({ url, ...options }), JSON.stringify(options)).toThrow(RangeError);
  }
});

test("a batch of the client's fits into a request", () => {
  expect(clientLimits.batchRowsMax).toBe(limits.batchRowsMax);
  expect(clientLimits.batchCharactersMax * 3).toBeLessThan(limits.requestBodyBytesMax);
});
