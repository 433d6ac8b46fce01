import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { buildTestApp } from "../builders/app.ts";
import type { Answer } from "../builders/app.ts";
import { repository } from "./features.ts";

const route = "/api/v1/feature-service/get-features";
const nowMs = Date.parse("2024-01-10T12:00:00Z");

/** The whole answer: the body has these three fields and no other. */
function expectError(answer: Answer, status: number, [code, message]: readonly [number, string]) {
  expect([answer.status, answer.body]).toEqual([status, { error: message, code, message }]);
}

const fraud = {
  featureServiceName: "fraud",
  joinKeyMap: { user_id: "u" },
  requestContextMap: { amt: 1 },
};
const echoContext = {
  flag: true,
  word: "w",
  whole: 1,
  real: 1,
  moment: 0,
  list: [],
  table: {},
  item: {},
  singles: [],
  constructor: "c",
};
const card = { card_number: "1", virtual: true, issued_at: 0 };

function echoWith(context: object): object {
  return { featureServiceName: "echoed", requestContextMap: { ...echoContext, ...context } };
}

function cardWith(keys: object): object {
  return { featureServiceName: "carded", joinKeyMap: { ...card, ...keys } };
}

function unknownService(name: string, workspace: string): string {
  return `Unable to query FeatureService \`${name}\` for workspace \`${workspace}\`. Newly created feature services may take up to 60 seconds to query. Also, ensure that the workspace is a "live" workspace.`;
}

const refused: readonly [name: string, params: unknown, message: string][] = [
  ["a missing join key", { ...fraud, joinKeyMap: {} }, "Missing required join key: user_id"],
  ["no join keys at all", { ...fraud, joinKeyMap: null }, "Missing required join key: user_id"],
  [
    "a join key under __proto__",
    { ...fraud, joinKeyMap: JSON.parse('{"__proto__":{"user_id":"u"}}') as object },
    "Missing required join key: user_id",
  ],
  [
    "a string join key given as a number",
    { ...fraud, joinKeyMap: { user_id: 12 } },
    'Cannot read join key "user_id": it is a number, expected a string',
  ],
  [
    "an int64 join key that is no integer",
    cardWith({ card_number: "12x" }),
    'Cannot read join key "card_number": it is a string that is not an integer, expected an int64',
  ],
  [
    "an int64 join key that JSON numbers cannot carry",
    cardWith({ card_number: 2 ** 53 }),
    'Cannot read join key "card_number": it is an integer past 2^53, where JSON numbers lose digits, expected an int64; send it as a decimal string',
  ],
  [
    "an int64 join key past 64 bits",
    cardWith({ card_number: "9223372036854775808" }),
    'Cannot read join key "card_number": it is an integer past 64 bits, expected an int64',
  ],
  [
    "a boolean join key that is neither",
    cardWith({ virtual: 1 }),
    'Cannot read join key "virtual": it is a number, expected true or false',
  ],
  [
    "a timestamp join key that is none",
    cardWith({ issued_at: "2020-13-01T00:00:00Z" }),
    'Cannot read join key "issued_at": it is not a timestamp: its month is 13, expected 01 to 12',
  ],
  [
    "join keys that are too long together",
    { ...fraud, joinKeyMap: { user_id: "x".repeat(limits.entityKeyBytesMax + 1) } },
    `Cannot name an entity: its join keys take more than ${limits.entityKeyBytesMax} bytes, expected fewer`,
  ],
  [
    "a missing request value",
    { ...fraud, requestContextMap: {} },
    "Missing required request context key: amt",
  ],
  [
    "no request values at all",
    { ...fraud, requestContextMap: null },
    "Missing required request context key: amt",
  ],
  [
    "a null request value",
    { ...fraud, requestContextMap: { amt: null } },
    "Missing required request context key: amt",
  ],
  [
    "a request value named as what every object inherits",
    { featureServiceName: "echoed", requestContextMap: { ...echoContext, constructor: undefined } },
    "Missing required request context key: constructor",
  ],
  [
    "a float64 given as text",
    { ...fraud, requestContextMap: { amt: "12.5" } },
    'Cannot read request context key "amt": it is a string, expected a float64',
  ],
  [
    "an int64 request value with a fraction",
    echoWith({ whole: 1.5 }),
    'Cannot read request context key "whole": it is a fraction, expected an int64',
  ],
  [
    "an int64 request value past 64 bits",
    echoWith({ whole: "-9223372036854775809" }),
    'Cannot read request context key "whole": it is an integer past 64 bits, expected an int64',
  ],
  [
    "a boolean request value given as text",
    echoWith({ flag: "true" }),
    'Cannot read request context key "flag": it is a string, expected true or false',
  ],
  [
    "a string request value given as a number",
    echoWith({ word: 1 }),
    'Cannot read request context key "word": it is a number, expected a string',
  ],
  [
    "a timestamp request value out of range",
    echoWith({ moment: 8.64e15 + 1 }),
    'Cannot read request context key "moment": it is not a timestamp: it is more than 8640000000000000 milliseconds from 1970, expected one within',
  ],
  [
    "an array request value that is none",
    echoWith({ list: "1" }),
    'Cannot read request context key "list": it is a string, expected an array',
  ],
  [
    "an element of another type",
    echoWith({ list: [1, {}] }),
    'Cannot read request context key "list[1]": it is an object, expected an int64',
  ],
  [
    "a map request value that is none",
    echoWith({ table: [1] }),
    'Cannot read request context key "table": it is an array, expected an object',
  ],
  [
    "a value in a map of another type",
    echoWith({ table: { a: true } }),
    'Cannot read request context key "table["a"]": it is a boolean, expected a float64',
  ],
  [
    "a field of a struct of another type",
    echoWith({ item: { tags: ["a", 1] } }),
    'Cannot read request context key "item.tags[1]": it is a number, expected a string',
  ],
  [
    "no service",
    { joinKeyMap: {} },
    'Cannot read request: "params.featureServiceName" is missing, expected a string',
  ],
  [
    "a service by two names",
    { ...fraud, featureServiceId: "fraud" },
    "Cannot read request: it has both featureServiceName and featureServiceId, expected one of them",
  ],
  [
    "a service that is no string",
    { featureServiceName: 7 },
    'Cannot read request: "params.featureServiceName" is a number, expected a string',
  ],
  [
    "join keys that are an array",
    { ...fraud, joinKeyMap: [] },
    'Cannot read request: "params.joinKeyMap" is an array, expected an object',
  ],
  [
    "an option that is no boolean",
    { ...fraud, metadata_options: { include_names: "yes" } },
    'Cannot read request: "params.metadataOptions.includeNames" is a string, expected true or false',
  ],
  [
    "a latency budget of nothing",
    { ...fraud, requestOptions: { latencyBudgetMs: 0 } },
    'Cannot read request: "params.requestOptions.latencyBudgetMs" is a number, expected a number of milliseconds, at least 1',
  ],
  [
    "a latency budget that is no number",
    { ...fraud, requestOptions: { latency_budget_ms: "soon" } },
    'Cannot read request: "params.requestOptions.latencyBudgetMs" is a string, expected a number of milliseconds, at least 1',
  ],
  [
    "windows that end at the latest event",
    {
      ...fraud,
      requestOptions: { aggregationLeadingEdge: "AGGREGATION_MODE_LATEST_EVENT_TIME" },
    },
    'Cannot read request: "params.requestOptions.aggregationLeadingEdge" is a string, expected "AGGREGATION_MODE_WALL_CLOCK_TIME": windows here end at the instant of the request, not of the latest event',
  ],
  [
    "partial results that are no boolean",
    { ...fraud, allow_partial_results: "yes" },
    'Cannot read request: "params.allowPartialResults" is a string, expected true or false',
  ],
  [
    "a struct that is neither an object nor an array",
    echoWith({ item: "1" }),
    'Cannot read request context key "item": it is a string, expected an object or an array',
  ],
  [
    "a positional struct without all its values",
    echoWith({ item: [1] }),
    'Cannot read request context key "item": it is an array of 1 values, expected one for each of 2 fields',
  ],
  [
    "a positional struct with a value too many",
    echoWith({ item: [1, [], 2] }),
    'Cannot read request context key "item": it is an array of 3 values, expected one for each of 2 fields',
  ],
  [
    "a value of another type in a positional struct",
    echoWith({ item: [1, ["a", 1]] }),
    'Cannot read request context key "item.tags[1]": it is a number, expected a string',
  ],
  [
    "a float32 past the largest one",
    echoWith({ singles: [[1], [3.5e38]] }),
    'Cannot read request context key "singles[1][0]": it is past the largest float32, expected a float32',
  ],
  [
    "a float32 given as text",
    echoWith({ singles: [["1"]] }),
    'Cannot read request context key "singles[0][0]": it is a string, expected a float64',
  ],
  [
    "params that are text",
    "fraud",
    'Cannot read request: "params" is a string, expected an object',
  ],
  ["params that are null", null, 'Cannot read request: "params" is null, expected an object'],
];

for (const [name, params, message] of refused) {
  test(`get-features refuses ${name} with a 400`, async () => {
    const app = buildTestApp(repository, { nowMs });
    expectError(await app.post(route, { params }), 400, [3, message]);
    expect(app.reported).toEqual([]);
  });
}

test("get-features refuses a number past the largest double with a 400", async () => {
  const app = buildTestApp(repository, { nowMs });
  const body = JSON.stringify({ params: fraud }).replace('"amt":1', '"amt":1e999');
  expectError(await app.post(route, body), 400, [
    3,
    'Cannot read request context key "amt": it is past the largest double, expected a float64',
  ]);
});

test("get-features takes NaN and the infinities as text", async () => {
  const app = buildTestApp(repository, { nowMs });
  for (const amt of ["NaN", "Infinity", "-Infinity"]) {
    const answer = await app.post(route, { params: { ...fraud, requestContextMap: { amt } } });
    expect(answer.status).toBe(200);
    expect((answer.body as { result: { features: unknown[] } }).result.features[1]).toBe(amt);
  }
});

for (const [name, params, shown, workspace] of [
  ["an unknown service", { ...fraud, featureServiceName: "x" }, "x", "prod"],
  ["a service named __proto__", { ...fraud, featureServiceName: "__proto__" }, "__proto__", "prod"],
  ["an unknown workspace", { ...fraud, workspaceName: "dev" }, "fraud", "dev"],
  ["an unknown service id", { featureServiceId: "f00d" }, "f00d", "prod"],
] as const) {
  test(`get-features answers 404 for ${name}`, async () => {
    const app = buildTestApp(repository, { nowMs });
    expectError(await app.post(route, { params }), 404, [5, unknownService(shown, workspace)]);
  });
}

for (const [name, body, message] of [
  ["malformed JSON", '{"params":', "Cannot read request: its body is not JSON"],
  [
    "JSON that nests without end",
    "[".repeat(2_000_000),
    "Cannot read request: its body is not JSON",
  ],
  ["no body", "", "Cannot read request: its body is empty, expected JSON"],
  [
    "a body that is an array",
    "[]",
    "Cannot read request: its body is an array, expected an object",
  ],
  ["a body that is null", "null", "Cannot read request: its body is null, expected an object"],
  ["a body without params", "{}", 'Cannot read request: "params" is missing, expected an object'],
  [
    "bytes that are not UTF-8",
    new Uint8Array([0x22, 0xff, 0x22]),
    "Cannot read request: its body is not UTF-8, expected JSON",
  ],
] as const) {
  test(`get-features refuses ${name} with a 400`, async () => {
    const app = buildTestApp(repository, { nowMs });
    expectError(await app.post(route, body), 400, [3, message]);
    expect(app.reported).toEqual([]);
  });
}

test("get-features refuses a value of another type than declared at any depth, and past the most by that", async () => {
  const app = buildTestApp(repository, { nowMs });
  const nested = (depth: number) =>
    JSON.stringify({ params: fraud }).replace('"u"', "[".repeat(depth) + "]".repeat(depth));
  // The body's own object, params and the map are levels too.
  expectError(await app.post(route, nested(limits.jsonDepthMax - 3)), 400, [
    3,
    'Cannot read join key "user_id": it is an array, expected a string',
  ]);
  for (const depth of [limits.jsonDepthMax - 2, 500_000]) {
    expectError(await app.post(route, nested(depth)), 400, [
      3,
      `Cannot read request: its JSON has more than ${limits.jsonDepthMax} levels, expected at most that many`,
    ]);
  }
});

const tooLarge = `Cannot read request: its body has more than ${limits.requestBodyBytesMax} bytes, expected at most that many`;

test("get-features takes a body of the limit and refuses one byte more with a 413", async () => {
  expect(limits.requestBodyBytesMax).toBe(4 * 1024 * 1024);
  const app = buildTestApp(repository, { nowMs });
  const body = JSON.stringify({ params: fraud }).padEnd(limits.requestBodyBytesMax, " ");
  expect((await app.post(route, body)).status).toBe(200);
  expectError(await app.post(route, `${body} `), 413, [8, tooLarge]);
});

test("get-features refuses by the content length, before it reads", async () => {
  const app = buildTestApp(repository, { nowMs });
  const headers = { "content-length": String(limits.requestBodyBytesMax + 1) };
  expectError(await app.post(route, "{}", headers), 413, [8, tooLarge]);
});

test("get-features stops reading a stream that is past the limit, whatever its headers say", async () => {
  const app = buildTestApp(repository, { nowMs });
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  let sent = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 1;
      controller.enqueue(chunk);
    },
    cancel() {
      cancelled = true;
    },
  });
  const init = { method: "POST", body, duplex: "half", headers: { "content-length": "2" } };
  const response = await app.app.request(`http://localhost${route}`, init as RequestInit);
  expect(response.status).toBe(413);
  expect(await response.json()).toMatchObject({ code: 8, message: tooLarge });
  expect(cancelled).toBe(true);
  expect(sent).toBeLessThan(10);
});

test("get-features answers 503 when a store fails, and reports it", async () => {
  const failure = new FeatureError("STORE_UNAVAILABLE", "Cannot read the store: it is away", {
    retryable: true,
  });
  class FailingStore extends MemoryStore {
    override readMany(): Promise<never> {
      return Promise.reject(failure);
    }
  }
  const app = buildTestApp(repository, { nowMs, batchStore: new FailingStore() });
  const answer = await app.post(route, { params: fraud });
  expectError(answer, 503, [14, "Cannot read the store: it is away"]);
  expect(answer.headers.get("x-tilemark-error")).toBe("STORE_UNAVAILABLE");
  expect(answer.headers.get("x-tilemark-retryable")).toBe("true");
  expect(app.reported).toEqual([failure]);
});

test("get-features answers 500 without a word of what happened, and reports it", async () => {
  const failure = new TypeError("key of user 12 is secret");
  class BrokenStore extends MemoryStore {
    override readMany(): Promise<never> {
      return Promise.reject(failure);
    }
  }
  const app = buildTestApp(repository, { nowMs, batchStore: new BrokenStore() });
  expectError(await app.post(route, { params: fraud }), 500, [
    13,
    "Cannot answer the request: an internal error occurred",
  ]);
  expect(app.reported).toEqual([failure]);
});
