import { createHash } from "node:crypto";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { anonymousPrincipal } from "../../../src/access/principal.ts";
import { describeApi } from "../../../src/http/openapi/openapi.ts";
import { buildTestApp } from "../../builders/app.ts";
import type { Answer } from "../../builders/app.ts";
import { repository } from "../features.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");
const app = buildTestApp(repository, { nowMs });
const services = [...repository.services.values()].map((service) => ({
  workspace: "prod",
  service,
}));
const document = describeApi({ services, secured: true }) as unknown as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationParts>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
};

interface OperationParts {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, unknown>>;
  readonly requestBody?: {
    readonly content: {
      readonly "application/json": {
        readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
      };
    };
  };
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "document", ...document });

const compiled = new Map<string, ValidateFunction>();

function schemaNamed(name: string): ValidateFunction {
  const known = compiled.get(name);
  if (known !== undefined) return known;
  const judge = ajv.compile({ $ref: `document#/components/schemas/${name}` });
  compiled.set(name, judge);
  return judge;
}

test("describeApi() writes a document that OpenAPI 3.1 allows", async () => {
  expect(
    await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>),
  ).toEqual({
    valid: true,
  });
  expect(JSON.stringify(document)).not.toMatch(/undefined|\[object/);
});

test("the document has every route of the app but the admin tools', and no other", () => {
  const routes = app.app.routes
    .filter(({ method, path }) => method !== "ALL" && !path.startsWith("/admin/"))
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, "{$1}")}`);
  const told = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(told.sort()).toEqual([...new Set(routes)].sort());
});

const v1 = "/api/v1/feature-service";
const v2 = "/api/v2/workspaces/prod/feature-services/fraud";
const row = { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 9.5 } };
const named = { featureServiceName: "fraud", ...row };
const asked = {
  includeNames: true,
  includeDataTypes: true,
  includeEffectiveTimes: true,
  includeSloInfo: true,
  includeServingStatus: true,
  includeFeatureDescriptions: true,
  includeFeatureTags: true,
  includeDetails: true,
};

type Judged = readonly [path: string, schema: string, body: unknown];

/** Bodies that are wrong for every service are refused, whoever judges. */
const bodies: readonly Judged[] = [
  ...[
    null,
    [],
    {},
    { params: null },
    { params: named },
    { params: { ...named, featureServiceName: null } },
    { params: { ...named, featureServiceId: "fraud" } },
    { params: { ...named, featureServiceId: null } },
    { params: { ...row, featureServiceId: "fraud" } },
    { params: { ...named, featureServiceName: 5 } },
    { params: { ...named, workspaceName: null, somethingElse: 1 } },
    { params: { ...named, workspaceName: {} } },
    { params: { ...named, joinKeyMap: [] } },
    { params: { ...named, requestContextMap: "{}" } },
    { params: { ...named, metadataOptions: asked } },
    { params: { ...named, metadataOptions: { includeNames: null } } },
    { params: { ...named, metadataOptions: { includeNames: "true" } } },
    { params: { ...named, metadataOptions: "all" } },
    { params: { ...named, allowPartialResults: 1 } },
    ...[10, 1, 0, "250", "0", "1.5", "ten", null].map((latencyBudgetMs) => ({
      params: { ...named, requestOptions: { latencyBudgetMs } },
    })),
    ...["AGGREGATION_MODE_WALL_CLOCK_TIME", "AGGREGATION_MODE_LATEST_EVENT_TIME", null].map(
      (aggregationLeadingEdge) => ({
        params: { ...named, requestOptions: { aggregationLeadingEdge } },
      }),
    ),
  ].map((body): Judged => [`${v1}/get-features`, "GetFeaturesRequest", body]),
  ...[{ params: row }, { params: { ...row, featureServiceName: 5 } }, {}, { params: [] }].map(
    (body): Judged => [`${v2}/get-features`, "GetFeaturesOfServiceRequest", body],
  ),
  ...[
    [row],
    [],
    null,
    {},
    [row, null],
    [row, 5],
    [{ ...row, joinKeyMap: 1 }],
    [{ ...row, requestContextMap: null, joinKeyMap: { user_id: null } }, row],
    Array.from({ length: 1_000 }, () => row),
    Array.from({ length: 1_001 }, () => row),
  ].flatMap((requestData): Judged[] => [
    [
      `${v1}/get-features-batch`,
      "GetFeaturesBatchRequest",
      { params: { featureServiceName: "fraud", requestData } },
    ],
    [`${v2}/get-features-batch`, "GetFeaturesBatchOfServiceRequest", { params: { requestData } }],
  ]),
  ...[
    { params: { featureServiceName: "fraud" } },
    { params: {} },
    { params: { featureServiceId: 1 } },
  ].map((body): Judged => [`${v1}/metadata`, "MetadataRequest", body]),
  ...[
    {},
    { records: { clicks: [{ record: { at: nowMs, user_id: "u", page: "p" } }] } },
    {
      records: { clicks: [{ record: { at: nowMs, user_id: "u" }, place: { file: "f", row: 1 } }] },
    },
    { records: { clicks: [{ record: { at: nowMs, user_id: "u" }, place: "f:1" }] } },
    { records: { clicks: [{ record: 5 }] } },
    { records: { clicks: [{}] } },
    { records: { clicks: {} } },
    { records: [] },
    { records: {}, dryRun: "no" },
    { records: {}, partitions: { clicks: 5 } },
    { records: {}, partitions: { clicks: { partition: 1, fromOffset: 0 } } },
  ].map((fields): Judged => {
    const body = { workspaceName: "prod", dryRun: true, ...fields };
    return ["/ingest", "IngestRequest", body];
  }),
];

test("the document and the handlers judge requests alike", async () => {
  for (const [path, name, body] of bodies) {
    const { status, text } = await app.post(path, body);
    const shown = `${path} ${JSON.stringify(body).slice(0, 200)}: ${text.slice(0, 200)}`;
    expect([shown, schemaNamed(name)(body)]).toEqual([shown, status === 200]);
  }
});

test("the schemas of a service and its handler judge join keys and request values alike", async () => {
  const values: Readonly<Record<string, readonly unknown[]>> = {
    whole: ["1", 1, -1, 1.5, "1.5", "a", true, null, [], {}],
    real: [1, 1.5, "NaN", "-Infinity", "Nan", "1", true],
    word: ["a", 1, ["a"]],
    flag: [true, "true", 1],
    list: [["1", null], ["a"], "1", {}],
    table: [{ a: 1, b: null }, { a: "x" }, [1]],
    item: [{ price: 1, tags: ["a"] }, {}, { price: "x" }, 1, [1, ["a"]]],
  };
  const good = {
    ...{ flag: true, word: "w", whole: "1", real: 1, moment: nowMs, list: [], table: {} },
    ...{ item: { price: 1, tags: [] }, constructor: "c" },
  };
  const judge = schemaNamed("prod.echoed.RequestContext");
  const cases = Object.entries(values).flatMap(([key, each]) =>
    each.map((value) => ({ ...good, [key]: value })),
  );
  for (const requestContextMap of cases) {
    const params = { featureServiceName: "echoed", requestContextMap };
    const { status, text } = await app.post(`${v1}/get-features`, { params });
    const shown = `${JSON.stringify(requestContextMap)}: ${text}`;
    expect([shown, judge(requestContextMap)]).toEqual([shown, status === 200]);
  }
  const judgeKeys = schemaNamed("prod.carded.JoinKeys");
  const card = { card_number: "1", virtual: false, issued_at: "2024-01-01T00:00:00Z" };
  for (const joinKeyMap of [card, { ...card, card_number: null }, { ...card, virtual: 3 }, {}]) {
    const params = { featureServiceName: "carded", joinKeyMap };
    const { status } = await app.post(`${v1}/get-features`, { params });
    expect([joinKeyMap, judgeKeys(joinKeyMap)]).toEqual([joinKeyMap, status === 200]);
  }
});

test("answers are of the document's schemas", async () => {
  const params = { ...named, metadataOptions: asked };
  const batch = { featureServiceName: "fraud", metadataOptions: asked, requestData: [row, {}] };
  const record = { at: nowMs, user_id: "u", page: "p" };
  const events = { workspaceName: "prod", dryRun: false, records: { clicks: [{ record }] } };
  const wrong = { ...events, records: { clicks: [{ record: {} }] } };
  const answers: readonly [schema: string, status: number, answer: Answer][] = [
    ["FeatureVector", 200, await app.post(`${v1}/get-features`, { params })],
    ["FeatureVectors", 200, await app.post(`${v1}/get-features-batch`, { params: batch })],
    ["ServiceMetadata", 200, await app.post(`${v1}/metadata`, { params: named })],
    ["ServiceMetadata", 200, await app.get(`${v2}/metadata`)],
    ["IngestOutcome", 200, await app.post("/ingest", events)],
    ["IngestError", 400, await app.post("/ingest", wrong)],
    ["IngestError", 400, await app.post("/ingest", {})],
    ["Error", 400, await app.post(`${v1}/get-features`, {})],
    ["Error", 404, await app.get("/region")],
    ["Health", 200, await app.get("/healthz")],
    ["Readiness", 200, await app.get("/readyz")],
  ];
  for (const [name, status, { status: got, body, text }] of answers) {
    const judge = schemaNamed(name);
    expect([name, got, judge(body) ? [] : judge.errors, text]).toEqual([name, status, [], text]);
  }
  const judge = schemaNamed("prod.fraud.Features");
  const { body } = await app.post(`${v1}/get-features`, { params });
  const { features } = (body as { readonly result: { readonly features: unknown[] } }).result;
  expect(judge(features) ? [] : judge.errors).toEqual([]);
  expect(judge(features.slice(1))).toBe(false);
});

test("every example of the document is answered", async () => {
  for (const [path, { post }] of Object.entries(document.paths)) {
    const examples = post?.requestBody?.content["application/json"].examples ?? {};
    for (const [name, { value }] of Object.entries(examples)) {
      const { status, text } = await app.post(path, value);
      expect([name, status, text]).toEqual([name, 200, text]);
    }
  }
});

test("GET /openapi.json tells of the services that its asker may read", async () => {
  const { body } = await app.get("/openapi.json");
  const listed = body as { readonly "x-tilemark-services": readonly unknown[] };
  expect(listed["x-tilemark-services"]).toHaveLength(repository.services.size);
  const access = { adminKeySha256: [], keys: [], background: () => undefined };
  const closed = buildTestApp(repository, { nowMs, access });
  const { status, text } = await closed.get("/openapi.json");
  expect(anonymousPrincipal.grants).toEqual([]);
  expect(status).toBe(200);
  for (const name of ["fraud", "user_id", "over_mean"]) expect(text).not.toContain(name);
  const headers = { authorization: "Bearer nothing" };
  expect((await closed.get("/openapi.json", headers)).status).toBe(401);
  expect((await closed.get("/docs")).text).toContain("send a key");
});

test("GET /docs is one page, whose policy allows its own style and nothing else", async () => {
  const { text, headers } = await app.get("/docs");
  const style = /<style>([^]*?)<\/style>/.exec(text)?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(headers.get("content-security-policy")).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(text).not.toMatch(/<script|<link|<img| src=| on\w+=| style=|undefined|\[object/);
  const targets = [...text.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id as string);
  expect(targets.length).toBeGreaterThan(30);
  for (const id of targets) expect(text).toContain(`id="${id}"`);
  for (const { operationId } of Object.values(document.paths).flatMap(Object.values)) {
    expect(text).toContain(`id="${operationId as string}"`);
  }
});
