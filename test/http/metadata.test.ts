import { expect, test } from "vitest";
import { buildTestApp } from "../builders/app.ts";
import { repository } from "./features.ts";

const route = "/api/v1/feature-service/metadata";
const nowMs = Date.parse("2024-01-10T12:00:00Z");

function v2Route(service: string, workspace = "prod"): string {
  return `/api/v2/workspaces/${workspace}/feature-services/${service}/metadata`;
}

test("metadata tells the join keys, request values and features of a service, in the answer's order", async () => {
  const app = buildTestApp(repository, { nowMs });
  const answer = await app.post(route, { params: { feature_service_name: "fraud" } });
  expect(answer.status).toBe(200);
  const float64 = { type: "float64" };
  const int64 = { type: "int64" };
  expect(answer.text).toBe(
    JSON.stringify({
      featureServiceType: "DEFAULT",
      inputJoinKeys: [{ name: "user_id", dataType: { type: "string" }, type: "string" }],
      inputRequestContextKeys: [{ name: "amt", dataType: float64, type: "float64" }],
      featureValues: [
        { name: "spend_ratio.over_mean", dataType: float64 },
        { name: "spend_ratio.doubled", dataType: float64 },
        { name: "user_spend.amt_count_1h_5m", dataType: int64 },
        { name: "user_spend.amt_mean_30d_5m", dataType: float64 },
        { name: "user_spend.amt_sum_1h_5m", dataType: float64 },
        { name: "user_spend.cents_last_1h_5m", dataType: int64 },
        { name: "user_spend.cents_sum_1h_5m", dataType: int64 },
        {
          name: "user_spend.merchant_last_distinct_3_1h_5m",
          dataType: { type: "array", elementType: { type: "string" } },
        },
        { name: "user_spend.ts_max_1h_5m", dataType: { type: "string", format: "date-time" } },
      ],
    }),
  );
});

test("metadata is the same by v1 and v2, and agrees with the answer, for every service", async () => {
  const app = buildTestApp(repository, { nowMs });
  for (const name of repository.services.keys()) {
    const v1 = await app.post(route, {
      params: { featureServiceName: name, workspaceName: "prod" },
    });
    const v2 = await app.get(v2Route(name));
    expect([v1.status, v2.status]).toEqual([200, 200]);
    expect(v2.text).toBe(v1.text);
  }
  const { body } = await app.get(v2Route("carded"));
  const { featureValues, inputJoinKeys } = body as Readonly<Record<string, readonly object[]>>;
  expect(inputJoinKeys).toEqual([
    { name: "card_number", dataType: { type: "int64" }, type: "int64" },
    { name: "virtual", dataType: { type: "boolean" }, type: "boolean" },
    { name: "issued_at", dataType: { type: "string", format: "date-time" }, type: "string" },
  ]);
  const joinKeyMap = { card_number: "1", virtual: true, issued_at: 0 };
  const metadataOptions = { includeNames: true, includeDataTypes: true };
  const answer = await app.post("/api/v1/feature-service/get-features", {
    params: { featureServiceName: "carded", joinKeyMap, metadataOptions },
  });
  const { metadata } = answer.body as { readonly metadata: { readonly features: object } };
  expect(metadata.features).toEqual(featureValues);
});

test("metadata of a service that takes no request values has no list of them, as clients expect", async () => {
  const app = buildTestApp(repository, { nowMs });
  const { body } = await app.get(v2Route("nullable"));
  expect(Object.keys(body as object)).toEqual([
    "featureServiceType",
    "inputJoinKeys",
    "featureValues",
  ]);
  const echoed = (await app.get(v2Route("echoed"))).body as {
    readonly inputRequestContextKeys: readonly unknown[];
  };
  expect(echoed.inputRequestContextKeys).toContainEqual({
    name: "singles",
    dataType: {
      type: "array",
      elementType: { type: "array", elementType: { type: "float32" } },
    },
    type: "array",
  });
});

test("metadata looks at nothing of its body but the names", async () => {
  const app = buildTestApp(repository, { nowMs });
  const odd = { metadataOptions: 7, requestData: "x", joinKeyMap: [] };
  const answer = await app.post(route, { params: { featureServiceId: "fraud", ...odd } });
  expect(answer.status).toBe(200);
});

test("metadata answers errors as get-features does", async () => {
  const app = buildTestApp(repository, { nowMs });
  const unknown = await app.get(v2Route("none"));
  const posted = await app.post(route, { params: { featureServiceName: "none" } });
  expect([unknown.status, (unknown.body as { code: number }).code]).toEqual([404, 5]);
  expect(unknown.text).toBe(posted.text);
  expect((await app.get(v2Route("fraud", "dev"))).status).toBe(404);
  const nameless = await app.post(route, { params: {} });
  expect([nameless.status, (nameless.body as { message: string }).message]).toEqual([
    400,
    'Cannot read request: "params.featureServiceName" is missing, expected a string',
  ]);
  for (const answer of [await app.get(route), await app.post(v2Route("fraud"), {})]) {
    expect(answer.status).toBe(405);
    expect(Object.keys(answer.body as object)).toEqual(["error", "code", "message"]);
  }
});
