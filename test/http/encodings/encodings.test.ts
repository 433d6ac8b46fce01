import { tableFromIPC } from "apache-arrow";
import { Unpackr } from "msgpackr";
import { beforeAll, expect, test } from "vitest";
import { createApp } from "../../../src/http/app.ts";
import { homeRoutes } from "../../../src/http/home-routes.ts";
import { buildTestApp, testOrigin } from "../../builders/app.ts";
import { repository } from "../features.ts";

const route = "/api/v1/feature-service/get-features";
const arrowType = "application/vnd.apache.arrow.stream";
const nowMs = Date.parse("2024-01-10T12:00:00Z");
const app = buildTestApp(repository, { nowMs });
const reader = new Unpackr({ int64AsType: "bigint", useRecords: false } as object);

const asked = {
  includeNames: true,
  includeDataTypes: true,
  includeEffectiveTimes: true,
  includeServingStatus: true,
  includeFeatureDescriptions: true,
  includeSloInfo: true,
  includeDetails: true,
};

beforeAll(async () => {
  const rows = [1, 2, 3].map((i) => ({
    record: {
      ts: nowMs - i * 600_000,
      id: `e${i}`,
      user_id: "u",
      amt: i / 2,
      cents: i === 1 ? "9007199254740993" : 0,
      merchant: `m${i}`,
    },
  }));
  const body = { workspace_name: "prod", dry_run: false, records: { transactions: rows } };
  expect((await app.post("/ingest", body)).status).toBe(200);
});

async function ask(path: string, params: object, accept?: string): Promise<Response> {
  return app.app.request(testOrigin + path, {
    method: "POST",
    body: JSON.stringify({ params }),
    headers: { ...(accept !== undefined && { accept }) },
  });
}

const params = {
  featureServiceName: "fraud",
  joinKeyMap: { user_id: "u" },
  requestContextMap: { amt: 3 },
};

const choices: readonly [accept: string | undefined, contentType: string][] = [
  [undefined, "application/json"],
  ["*/*", "application/json"],
  ["application/*", "application/json"],
  ["text/html", "application/json"],
  ["", "application/json"],
  ["not a type;;q=x,,", "application/json"],
  ["application/msgpack", "application/msgpack"],
  ["application/x-msgpack", "application/msgpack"],
  ["application/vnd.msgpack", "application/msgpack"],
  ["Application/MsgPack", "application/msgpack"],
  ["text/html, application/msgpack;q=0.1", "application/msgpack"],
  ["application/json, application/msgpack", "application/json"],
  ["application/msgpack, application/json", "application/msgpack"],
  ["application/json;q=0.5, application/msgpack;q=0.4", "application/json"],
  ["*/*, application/msgpack", "application/msgpack"],
  ["*/*, application/msgpack;q=0.9", "application/json"],
  ["application/msgpack;q=0", "application/json"],
  [arrowType, arrowType],
  [`${arrowType};q=0.2, application/msgpack;q=0.9`, "application/msgpack"],
];

test("an answer has the encoding that its request likes best", async () => {
  for (const [accept, contentType] of choices) {
    const { status, headers } = await ask(route, params, accept);
    expect([accept, status, headers.get("content-type")]).toEqual([accept, 200, contentType]);
    expect(headers.get("vary")).toContain("accept");
  }
});

test("a server without Arrow answers 406 where nothing else is accepted, and before anything is read", async () => {
  const without = createApp({
    homeRoutes,
    workspaces: [{ name: "prod", repository, homes: { batch: unread, streams: [unread] } }],
    clock: { now: () => nowMs, sleep: () => Promise.resolve() },
    random: () => 0,
    testClock: false,
    access: "loopback",
    report: (error) => {
      throw error;
    },
  });
  const send = (accept: string) =>
    without.request(testOrigin + route, { method: "POST", body: "{", headers: { accept } });
  const refused = await send(arrowType);
  const message =
    'Cannot answer in an encoding that header "accept" names: this server does not have it, expected application/json or application/msgpack';
  expect([refused.status, await refused.json()]).toEqual([
    406,
    { error: message, code: 12, message },
  ]);
  // It comes as far as the body.
  expect((await send(`${arrowType}, */*;q=0.1`)).status).toBe(400);
  expect((await send(`${arrowType}, application/msgpack;q=0.1`)).status).toBe(400);
  for (const path of ["/openapi.json", "/docs"]) {
    expect((await without.request(testOrigin + path)).status).toBe(404);
  }
});

const unread = {
  capabilities: {},
  readMany: () => Promise.reject(new Error("nothing is read")),
} as never;

test("errors are JSON whatever is accepted", async () => {
  for (const accept of ["application/msgpack", arrowType]) {
    const answer = await ask(route, { featureServiceName: "none" }, accept);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/json"]);
    expect(await answer.json()).toMatchObject({ code: 5 });
  }
});

test("MessagePack has the shapes of JSON, and int64s as integers", async () => {
  const all = { ...params, metadataOptions: asked };
  const json = await (await ask(route, all)).json();
  const packed = await ask(route, all, "application/msgpack");
  const { result, metadata } = reader.unpack(new Uint8Array(await packed.arrayBuffer())) as {
    readonly result: { readonly features: readonly unknown[] };
    readonly metadata: unknown;
  };
  const cents = 9_007_199_254_740_993n;
  const merchants = ["m3", "m2", "m1"];
  // Of `spend_ratio` as declared, then of `user_spend` by name.
  expect(result).toEqual({
    features: [3, 6, 3, 1, 3, cents, cents, merchants, "2024-01-10T11:50:00Z"],
  });
  expect(metadata).toEqual((json as { readonly metadata: unknown }).metadata);
});

test("a batch of 1,000 rows is the same in every encoding", async () => {
  const batch = {
    featureServiceName: "fraud",
    metadataOptions: asked,
    requestData: Array.from({ length: 1_000 }, (_, i) => ({
      joinKeyMap: { user_id: i % 2 === 0 ? "u" : `u${i}` },
      requestContextMap: { amt: i },
    })),
  };
  const path = `${route}-batch`;
  const json = (await (await ask(path, batch)).json()) as {
    readonly result: readonly { readonly features: readonly unknown[] }[];
    readonly metadata: { readonly features: readonly Record<string, unknown>[] };
  };
  const packed = reader.unpack(
    new Uint8Array(await (await ask(path, batch, "application/msgpack")).arrayBuffer()),
  ) as typeof json;
  expect(packed.metadata).toEqual(json.metadata);
  const table = tableFromIPC(await (await ask(path, batch, arrowType)).arrayBuffer());
  expect(table.numRows).toBe(1_000);
  json.metadata.features.forEach(({ name, dataType, description, status }, i) => {
    const field = table.schema.fields.find((each) => each.name === name);
    const column = table.getChild(String(name));
    expect(field?.metadata.get("dataType")).toBe(JSON.stringify(dataType));
    expect(field?.metadata.get("description")).toBe(description);
    const statuses = table.getChild(`${String(name)}.status`)?.toJSON();
    expect(statuses).toEqual(status);
    for (const row of [0, 1, 998, 999]) {
      const sent = json.result[row]?.features[i];
      const inMsgpack = packed.result[row]?.features[i];
      expect(asJson(column?.get(row), dataType)).toEqual(sent);
      expect(asJson(inMsgpack, dataType)).toEqual(sent);
    }
  });
  expect(table.schema.metadata.get("sloInfo")).toMatch(/^\{"sloEligible":true/);
});

test("Arrow has the columns of a service for a batch without rows too", async () => {
  const body = { featureServiceName: "fraud", requestData: [] };
  const table = tableFromIPC(await (await ask(`${route}-batch`, body, arrowType)).arrayBuffer());
  expect([table.numRows, table.schema.fields[0]?.name]).toEqual([0, "spend_ratio.over_mean"]);
});

/** A value of another encoding as JSON has it. */
function asJson(value: unknown, dataType: unknown): unknown {
  const { type } = dataType as { readonly type: string };
  if (value === null || value === undefined) return null;
  if (type === "int64") return String(value as bigint);
  if (type === "array") return Array.from(value as Iterable<unknown>);
  // A timestamp is a string in JSON.
  if (type === "string" && typeof value === "number") {
    return new Date(value).toISOString().replace(".000Z", "Z");
  }
  return value;
}
