import { expect, test } from "vitest";
import { loadRepository, onDemandView, service, sum, streamView } from "../../src/index.ts";
import { buildTestApp } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { repository, transactions, user } from "./features.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");
const row = { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 50 } };

function v2Path(action: string, service: string, workspace = "prod"): string {
  return `/api/v2/workspaces/${workspace}/feature-services/${service}/${action}`;
}

async function appWithSpend(): Promise<TestApp> {
  const app = buildTestApp(repository, { nowMs });
  const record = { id: "a", ts: "2024-01-10T11:30:00Z", user_id: "u", amt: 10, cents: 1 };
  const records = { transactions: [{ record }] };
  const body = { workspace_name: "prod", dry_run: false, records };
  expect((await app.post("/ingest", body)).status).toBe(200);
  return app;
}

test.each([
  ["get-features", row],
  ["get-features-batch", { requestData: [row, row, {}] }],
])("v2 %s answers as v1 does, with the names in its path", async (action, params) => {
  const app = await appWithSpend();
  const metadataOptions = { includeNames: true, includeServingStatus: true, includeDetails: true };
  const v1 = await app.post(`/api/v1/feature-service/${action}`, {
    params: { ...params, metadataOptions, featureServiceName: "fraud", workspaceName: "prod" },
  });
  expect(v1.status).toBe(200);
  const bodies = [
    { ...params, metadataOptions },
    { ...params, metadata_options: metadataOptions },
    // The path wins over names in the body, whatever they are.
    { ...params, metadataOptions, featureServiceName: "none", workspaceName: "dev" },
    { ...params, metadataOptions, feature_service_name: 7, workspace_name: [] },
    { ...params, metadataOptions, featureServiceId: "none" },
  ];
  for (const body of bodies) {
    const v2 = await app.post(v2Path(action, "fraud"), { params: body });
    expect([v2.status, v2.text]).toEqual([200, v1.text]);
  }
});

test("v2 finds a variant of a service by its name with a colon, raw and escaped", async () => {
  const view = streamView("spend", {
    entities: [user],
    source: transactions,
    windowing: "continuous",
    features: { amt: [sum("1h")] },
    compaction: { every: "1d" },
  });
  const fixed = onDemandView("fixed", { output: { a: "int64" }, transform: () => ({ a: 1n }) });
  const variants = loadRepository({
    base: service("fraud", [view]),
    variant: service("fraud:v2", [fixed]),
  });
  const app = buildTestApp(variants, { nowMs });
  for (const name of ["fraud:v2", "fraud%3Av2", "fraud%3av2"]) {
    const answer = await app.post(v2Path("get-features", name), { params: {} });
    expect(answer.body).toEqual({ result: { features: ["1"] } });
    expect((await app.get(v2Path("metadata", name))).status).toBe(200);
  }
  const base = await app.post(v2Path("get-features", "fraud"), {
    params: { joinKeyMap: { user_id: "u" } },
  });
  expect(base.body).toEqual({ result: { features: [null] } });
});

test.each([
  ["an unknown service", "none", "prod"],
  ["an unknown workspace", "fraud", "dev"],
  ["a name with a colon that no service has", "fraud:v2", "prod"],
  ["a name with an escaped slash", "fraud%2Fx", "prod"],
  ["a name that is no escape", "%zz", "prod"],
])("v2 answers 404 for %s", async (_, name, workspace) => {
  const app = buildTestApp(repository, { nowMs });
  for (const action of ["get-features", "get-features-batch"]) {
    const params = { ...row, requestData: [row] };
    const answer = await app.post(v2Path(action, name, workspace), { params });
    expect(answer.status).toBe(404);
    expect(Object.keys(answer.body as object)).toEqual(["error", "code", "message"]);
    expect(answer.body).toMatchObject({ code: 5 });
  }
});

test("v2 answers other methods 405, and no body 400", async () => {
  const app = buildTestApp(repository, { nowMs });
  expect((await app.get(v2Path("get-features", "fraud"))).status).toBe(405);
  const empty = await app.post(v2Path("get-features", "fraud"), "");
  expect([empty.status, empty.body]).toEqual([
    400,
    {
      error: "Cannot read request: its body is empty, expected JSON",
      code: 3,
      message: "Cannot read request: its body is empty, expected JSON",
    },
  ]);
});
