/**
 * Spans of requests through the API of OpenTelemetry, for whichever SDK the process has set up.
 *
 *   POST /api/v1/feature-service/get-features        server; the caller's span is its parent
 *   ├─ read batch, read stream, read region          client; one a home, at the same time
 *   └─ combine, transform, encode                    internal; one after another
 *
 * Spans are made once their request is over, with the instants at which things were: so no context
 * has to follow the request, and hosts without AsyncLocalStorage trace as well as others. What a
 * store's own client traces is not beneath them. Join keys, values and the text of errors are in
 * none of them.
 *
 * Source of names: https://opentelemetry.io/docs/specs/semconv/http/http-spans/ and
 * https://opentelemetry.io/docs/specs/semconv/database/database-spans/
 */

import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  createTraceState,
  trace,
} from "@opentelemetry/api";
import type { Attributes, Context, HrTime, Span, Tracer } from "@opentelemetry/api";
import type {
  Phase,
  RequestSummary,
  StoreTrip,
  Stretch,
} from "../../src/observe/request-summary.ts";
import { readTraceParent } from "../../src/observe/trace-parent.ts";
import type { Tracing } from "../../src/observe/tracing.ts";
import { version } from "../../src/observe/version.ts";

export interface OpenTelemetryOptions {
  /** The global provider's, named "tilemark", if left out. */
  readonly tracer?: Tracer;
}

/**
 * Goes into `tracing` of a server's or a worker's options. Set up a provider first, and see to it
 * that it exports what it has before the process ends, or, on Workers, before the request does.
 *
 * @example
 * import { openTelemetryTracing } from "tilemark/tracing";
 * const server = await serveNode(features, { directory: "state", tracing: openTelemetryTracing() });
 */
export function openTelemetryTracing(options: OpenTelemetryOptions = {}): Tracing {
  const tracer = options.tracer ?? trace.getTracer("tilemark", version);
  return { record: (summary) => recordRequest(tracer, summary) };
}

function recordRequest(tracer: Tracer, summary: RequestSummary): string | null {
  const span = tracer.startSpan(
    summary.route === "other" ? summary.method : `${summary.method} ${summary.route}`,
    {
      kind: SpanKind.SERVER,
      startTime: hrTimeOf(summary.startMs),
      attributes: requestAttributes(summary),
    },
    parentOf(summary),
  );
  if (!span.isRecording()) return traceIdOf(span);
  const context = trace.setSpan(ROOT_CONTEXT, span);
  for (const trip of summary.trips) recordTrip(tracer, context, trip);
  for (const phase of summary.phases) recordPhase(tracer, context, phase);
  // What a caller did wrong is no error of the server's span.
  if (summary.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(hrTimeOf(summary.endMs));
  return traceIdOf(span);
}

function parentOf({ traceparent, tracestate }: RequestSummary): Context {
  const parent = readTraceParent(traceparent);
  if (parent === null) return ROOT_CONTEXT;
  const { traceId, spanId, flags: traceFlags } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags,
    isRemote: true,
    ...(tracestate !== null && { traceState: createTraceState(tracestate) }),
  });
}

/** The path is the route's: what stands for its parameters is in attributes of its own. */
function requestAttributes(summary: RequestSummary): Attributes {
  const { failure, trips } = summary;
  return {
    "http.request.method": summary.method === "OTHER" ? "_OTHER" : summary.method,
    "http.response.status_code": summary.status,
    ...(summary.route !== "other" && { "http.route": summary.route, "url.path": summary.route }),
    ...(failure !== null && { "error.type": failure.code }),
    "tilemark.workspace": summary.workspace,
    "tilemark.service": summary.service,
    ...(summary.rowCount > 0 && { "tilemark.rows": summary.rowCount }),
    "tilemark.store.calls": trips.reduce((sum, { callCount }) => sum + callCount, 0),
    "tilemark.store.bytes": trips.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

function recordTrip(tracer: Tracer, context: Context, trip: StoreTrip): void {
  const attributes = {
    "db.operation.name": "read",
    ...(trip.store !== null && { "db.system.name": systemNames[trip.store] ?? trip.store }),
    ...(trip.keyCount > 1 && { "db.operation.batch.size": trip.keyCount }),
    "tilemark.store.home": trip.home,
    "tilemark.store.calls": trip.callCount,
    "tilemark.store.bytes": trip.sizeBytes,
    "tilemark.store.stale": trip.outcome === "stale",
    ...(trip.outcome === "failed" && { "error.type": "STORE_UNAVAILABLE" }),
  };
  const span = startChild(tracer, context, {
    name: `read ${trip.home}`,
    kind: SpanKind.CLIENT,
    attributes,
    stretch: trip,
  });
  if (trip.outcome === "failed") span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(hrTimeOf(trip.endMs));
}

/** The trips are what the phase of the store is. */
function recordPhase(tracer: Tracer, context: Context, phase: Phase): void {
  if (phase.name === "store") return;
  const { name } = phase;
  const span = startChild(tracer, context, { name, kind: SpanKind.INTERNAL, stretch: phase });
  span.end(hrTimeOf(phase.endMs));
}

function startChild(
  tracer: Tracer,
  context: Context,
  child: {
    readonly name: string;
    readonly kind: SpanKind;
    readonly stretch: Stretch;
    readonly attributes?: Attributes;
  },
): Span {
  const { name, kind, stretch, attributes = {} } = child;
  return tracer.startSpan(
    name,
    { kind, startTime: hrTimeOf(stretch.startMs), attributes },
    context,
  );
}

/** Where OpenTelemetry's name is not the adapter's own. */
const systemNames: Readonly<Record<string, string>> = {
  upstash: "redis",
  dynamodb: "aws.dynamodb",
};

/** In seconds and nanoseconds: a number would be taken for one of the process's own clock. */
function hrTimeOf(instantMs: number): HrTime {
  const seconds = Math.floor(instantMs / 1_000);
  return [seconds, Math.round((instantMs - seconds * 1_000) * 1e6)];
}

/** Null where there is no SDK. */
function traceIdOf(span: Span): string | null {
  const { traceId } = span.spanContext();
  return /^0*$/.test(traceId) ? null : traceId;
}
