import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { expect, test } from "vitest";
import { openTelemetryTracing } from "../../adapters/tracing/open-telemetry.ts";
import type { RequestSummary } from "../../src/observe/request-summary.ts";

const startMs = 1_700_000_000_000.25;
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

const summary: RequestSummary = {
  method: "POST",
  route: "/api/v1/feature-service/get-features",
  status: 200,
  workspace: "prod",
  service: "fraud",
  principalId: "key_1",
  requestId: "r-1",
  traceparent: `00-${traceId}-${spanId}-01`,
  tracestate: "vendor=1",
  startMs,
  endMs: startMs + 9.5,
  rowCount: 2,
  trips: (["batch", "stream"] as const).map((home, i) => ({
    home,
    store: i === 0 ? "upstash" : null,
    startMs: startMs + 1,
    endMs: startMs + 2 + i,
    callCount: 1,
    keyCount: 4 - 3 * i,
    sizeBytes: 100,
    outcome: i === 0 ? "stale" : "failed",
  })),
  phases: [
    { name: "store", startMs: startMs + 1, endMs: startMs + 3 },
    { name: "combine", startMs: startMs + 3, endMs: startMs + 4 },
    { name: "transform", startMs: startMs + 4, endMs: startMs + 5 },
  ],
  failure: null,
};

function trace(recorded: RequestSummary, sampler?: ParentBasedSampler) {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(sampler !== undefined && { sampler }),
  });
  const id = openTelemetryTracing({ tracer: provider.getTracer("test") }).record(recorded);
  const spans = new Map(exporter.getFinishedSpans().map((span) => [span.name, span]));
  return { id, spans };
}

function durationMs({ duration: [seconds, nanoseconds] }: ReadableSpan): number {
  return seconds * 1_000 + nanoseconds / 1e6;
}

test("a request is a server span beneath its caller's, with what it waited for beneath it", () => {
  const { id, spans } = trace(summary);
  expect(id).toBe(traceId);
  const root = spans.get("POST /api/v1/feature-service/get-features") as ReadableSpan;
  expect(root.kind).toBe(SpanKind.SERVER);
  expect(root.parentSpanContext).toMatchObject({ traceId, spanId, isRemote: true });
  expect(root.spanContext().traceState?.serialize()).toBe("vendor=1");
  expect(root.startTime).toEqual([1_700_000_000, 250_000]);
  expect(durationMs(root)).toBeCloseTo(9.5, 3);
  expect(root.status.code).toBe(SpanStatusCode.UNSET);
  expect(root.attributes).toEqual({
    "http.request.method": "POST",
    "http.response.status_code": 200,
    "http.route": summary.route,
    "url.path": summary.route,
    "tilemark.workspace": "prod",
    "tilemark.service": "fraud",
    "tilemark.rows": 2,
    "tilemark.store.calls": 2,
    "tilemark.store.bytes": 200,
  });
  expect([...spans.keys()].sort()).toEqual(
    [root.name, "combine", "read batch", "read stream", "transform"].sort(),
  );
  for (const [name, span] of spans) {
    if (span === root) continue;
    expect(span.parentSpanContext?.spanId, name).toBe(root.spanContext().spanId);
    expect(span.spanContext().traceId, name).toBe(traceId);
  }
  const batch = spans.get("read batch") as ReadableSpan;
  expect([batch.kind, durationMs(batch)]).toEqual([SpanKind.CLIENT, expect.closeTo(1, 3)]);
  expect(batch.attributes).toEqual({
    "db.operation.name": "read",
    "db.operation.batch.size": 4,
    "db.system.name": "redis",
    "tilemark.store.home": "batch",
    "tilemark.store.calls": 1,
    "tilemark.store.bytes": 100,
    "tilemark.store.stale": true,
  });
  const stream = spans.get("read stream") as ReadableSpan;
  expect(stream.status.code).toBe(SpanStatusCode.ERROR);
  expect(stream.attributes["error.type"]).toBe("STORE_UNAVAILABLE");
});

test("an error is told by its code alone, and is the server's from 500 on", () => {
  const failure = { code: "STORE_UNAVAILABLE", errorClass: "FeatureError" } as const;
  const failed = trace({ ...summary, status: 503, failure, trips: [], phases: [] });
  const [span] = [...failed.spans.values()];
  expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(span?.attributes["error.type"]).toBe("STORE_UNAVAILABLE");
  expect(span?.events).toEqual([]);
  const refused = trace({ ...summary, status: 404, failure: { ...failure, code: "NOT_FOUND" } });
  expect([...refused.spans.values()].at(-1)?.status.code).toBe(SpanStatusCode.UNSET);
});

test("a request without a caller begins a trace, and one that is not sampled makes no spans", () => {
  const own = trace({ ...summary, traceparent: "canary", tracestate: null });
  expect(own.id).toMatch(/^[\da-f]{32}$/);
  expect(own.id).not.toBe(traceId);
  const sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() });
  const quiet = trace({ ...summary, traceparent: `00-${traceId}-${spanId}-00` }, sampler);
  expect([quiet.id, quiet.spans.size]).toEqual([traceId, 0]);
});

test("without an SDK nothing is traced", () => {
  expect(openTelemetryTracing().record({ ...summary, traceparent: null })).toBeNull();
});
