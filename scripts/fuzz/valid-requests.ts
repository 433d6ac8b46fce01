/** Requests that a server answers with a 200: what a fuzz run starts from. */

export type RequestKind = "get-features" | "get-features-batch" | "metadata" | "ingest";

export interface ValidRequest {
  readonly kind: RequestKind;
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Null for a request without a body. */
  readonly body: unknown;
}

const metadataOptions = {
  includeNames: true,
  includeDataTypes: true,
  includeEffectiveTimes: true,
  includeSloInfo: true,
  includeServingStatus: true,
  includeFeatureDescriptions: true,
  includeFeatureTags: true,
  includeDetails: true,
};
const requestOptions = {
  readFromCache: true,
  writeToCache: false,
  latencyBudgetMs: "500",
  coerceNullCountsToZero: true,
  ignoreExtraRequestContextFields: true,
};
const echoContext = {
  flag: true,
  word: "w",
  whole: "-9223372036854775808",
  real: 1.5,
  moment: "2024-01-01T00:00:00.5Z",
  list: ["9007199254740993", 3, null],
  table: { a: 1.5, b: "NaN" },
  item: { price: 2, tags: ["x", null] },
  singles: [[0.1, "Infinity"], []],
  constructor: "own",
};
const fraudRow = { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 5 } };
const cardKeys = { card_number: "9007199254740993", virtual: true, issued_at: "2020-01-01" };
const headers = { workspaceName: "prod", allowPartialResults: true, metadataOptions };

const vectors: readonly (readonly [service: string, row: object])[] = [
  ["fraud", fraudRow],
  ["mixed", { joinKeyMap: { user_id: null }, requestContextMap: { amt: -1 } }],
  ["nullable", { joinKeyMap: { user_id: "v" } }],
  ["carded", { joinKeyMap: cardKeys }],
  ["echoed", { requestContextMap: echoContext }],
];

const records = {
  transactions: [
    {
      record: {
        id: "a",
        ts: "2024-01-10T11:30:00Z",
        user_id: "u",
        amt: 10.25,
        cents: "1000",
        merchant: "m",
      },
    },
    { record: { id: "b", ts: 1_704_886_200_000, user_id: "v", amt: -1e300, cents: 7 } },
  ],
  clicks: [{ record: { at: "2024-01-10T11:59:59.999Z", user_id: "u", page: "p", robot: false } }],
};
const payment = { ...cardKeys, at: "2024-01-10T11:00:00Z", payment_id: "p", amt: 5 };

/** Of both versions, in both spellings; over the services of the tests. */
export const validRequests: readonly ValidRequest[] = [
  ...vectors.flatMap(([service, row]): ValidRequest[] => [
    post("get-features", v1("get-features"), {
      params: { featureServiceName: service, ...headers, ...row, requestOptions },
    }),
    post("get-features", v2(service, "get-features"), { params: { ...headers, ...row } }),
    post("get-features-batch", v1("get-features-batch"), {
      params: { featureServiceName: service, ...headers, requestData: [row, row, {}] },
    }),
    post("get-features-batch", v2(service, "get-features-batch"), {
      params: { requestData: [row], requestOptions },
    }),
    post("metadata", v1("metadata"), { params: { featureServiceName: service } }),
    { kind: "metadata", method: "GET", path: v2(service, "metadata"), body: null },
  ]),
  post("get-features", v1("get-features"), {
    params: {
      feature_service_name: "fraud",
      workspace_name: "prod",
      join_key_map: { user_id: "u" },
      request_context_map: { amt: 5 },
      metadata_options: { include_names: true, include_serving_status: true },
      request_options: { latency_budget_ms: 200, readFromCache: true },
    },
  }),
  post("ingest", "/ingest", { workspace_name: "prod", dry_run: false, records }),
  post("ingest", "/ingest", { workspaceName: "prod", dryRun: true, records }),
  post("ingest", "/ingest", {
    workspace_name: "prod",
    dry_run: false,
    records: { payments: [{ record: payment }] },
  }),
];

function post(kind: RequestKind, path: string, body: unknown): ValidRequest {
  return { kind, method: "POST", path, body };
}

function v1(action: string): string {
  return `/api/v1/feature-service/${action}`;
}

function v2(service: string, action: string): string {
  return `/api/v2/workspaces/prod/feature-services/${service}/${action}`;
}
