import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { errorClassOf } from "../../src/observe/error-class.ts";
import { isFailure, logRecordOf, writeLogLine } from "../../src/observe/request-log.ts";
import type { LogRecord } from "../../src/observe/request-log.ts";
import type { RequestSummary } from "../../src/observe/request-summary.ts";

const summary: RequestSummary = {
  method: "POST",
  route: "/api/v2/workspaces/:workspace/feature-services/:service/get-features",
  status: 200,
  workspace: "prod",
  service: "fraud",
  principalId: "key_1",
  requestId: "r-1",
  traceparent: null,
  tracestate: null,
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_000_004.5,
  rowCount: 3,
  trips: [
    {
      home: "batch",
      store: "redis",
      startMs: 1_700_000_000_001,
      endMs: 1_700_000_000_002.5,
      callCount: 1,
      keyCount: 9,
      sizeBytes: 1_234,
      outcome: "answered",
    },
  ],
  phases: [{ name: "store", startMs: 1_700_000_000_001, endMs: 1_700_000_000_002.5 }],
  failure: null,
};

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";

test("a request's line says what it was and what it took", () => {
  expect(writeLogLine(logRecordOf(summary, traceId))).toBe(
    JSON.stringify({
      ts: "2023-11-14T22:13:20Z",
      level: "info",
      event: "request",
      route: "POST /api/v2/workspaces/:workspace/feature-services/:service/get-features",
      status: 200,
      workspace: "prod",
      service: "fraud",
      principal: "key_1",
      request_id: "r-1",
      duration_ms: 4.25,
      store_ms: 1.5,
      rows: 3,
      bytes: 1_234,
      trace_id: traceId,
    }),
  );
});

test("writeLogLine() drops what is no field, and what is not of its field's shape", () => {
  const secret = "canary 4711";
  const record = {
    ts: secret,
    level: "info",
    event: "follow",
    route: `POST /ingest?key=${secret}`,
    status: secret,
    code: secret,
    workspace: secret,
    service: { secret },
    principal: secret,
    request_id: `${secret}\n`,
    duration_ms: Number.NaN,
    rows: 1.5,
    trace_id: secret,
    error_class: `Error: ${secret}`,
    message: secret,
    stack: secret,
    join_keys: { secret },
  };
  expect(writeLogLine(record as unknown as LogRecord)).toBe('{"level":"info","event":"follow"}');
});

test("errorClassOf() names classes and no text", () => {
  const cause = new TypeError("canary", { cause: "canary" });
  const error = new FeatureError("STORE_UNAVAILABLE", "canary", { cause });
  expect(errorClassOf(error)).toBe("FeatureError/TypeError/string");
  expect(errorClassOf(Object.assign(new RangeError(), { name: "canary" }))).toBe("RangeError");
  class Odd extends Error {}
  Object.defineProperty(Odd, "name", { value: "canary 4711" });
  expect(errorClassOf(new Odd())).toBe("Error");
  const round = new Error();
  round.cause = round;
  expect(errorClassOf(round)).toBe("Error/Error/Error/Error");
});

test("isFailure() tells faults of this side, and leaves out what was shed", () => {
  const failure = { code: "INTERNAL", errorClass: "Error" } as const;
  expect(isFailure(summary)).toBe(false);
  expect(isFailure({ ...summary, status: 500, failure })).toBe(true);
  expect(isFailure({ ...summary, status: 400, failure })).toBe(false);
  // A transform that throws leaves the rest of the answer alone.
  expect(isFailure({ ...summary, failure: { ...failure, code: "TRANSFORM_FAILED" } })).toBe(true);
  const shed = { ...failure, code: "OVERLOADED" } as const;
  expect(isFailure({ ...summary, status: 503, failure: shed })).toBe(false);
});
