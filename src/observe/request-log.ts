/**
 * Log lines: JSON, at most one a request, with fields of a list and nothing else. What a field may
 * hold is checked by its shape, so that no key, value, header or text of an error gets into a log,
 * whoever hands it in.
 */

import { formatInstant } from "../core/instant.ts";
import type { RequestSummary } from "./request-summary.ts";
import { readTraceParent } from "./trace-parent.ts";

/** What a line may say. Durations are in milliseconds. */
export interface LogRecord {
  readonly ts: string;
  readonly level: "info" | "error";
  /** "request", or what goes on beside requests, as "follow". */
  readonly event: string;
  readonly route?: string;
  readonly status?: number;
  readonly code?: string;
  readonly workspace?: string;
  readonly service?: string;
  readonly principal?: string;
  readonly request_id?: string;
  readonly duration_ms?: number;
  readonly store_ms?: number;
  readonly rows?: number;
  readonly bytes?: number;
  readonly trace_id?: string;
  readonly error_class?: string;
}

export interface RequestLogOptions {
  /** Takes a line without its end. Must not throw. */
  readonly write: (line: string) => void;
  /** The share of requests that get a line, from 0, the default, to 1. Failures get one always. */
  readonly requestShare?: number;
}

const nameShape = matching(/^[\w.-]{1,64}$/);

/** In the order in which they are written. */
const fields: Readonly<Record<keyof LogRecord, (value: unknown) => boolean>> = {
  ts: matching(/^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/),
  level: matching(/^(info|error)$/),
  event: matching(/^[a-z][a-z-]{0,31}$/),
  route: matching(/^[A-Z]{3,7} (other|\/[\w/:*.-]{0,150})$/),
  status: isInteger,
  code: matching(/^[A-Z_]{1,40}$/),
  workspace: nameShape,
  service: nameShape,
  principal: matching(/^[\w.:@|-]{1,128}$/),
  request_id: matching(/^[\w-]{1,64}$/),
  duration_ms: isFinite,
  store_ms: isFinite,
  rows: isInteger,
  bytes: isInteger,
  trace_id: matching(/^[\da-f]{32}$/),
  error_class: matching(/^[A-Za-z_$][\w$]{0,63}(\/[A-Za-z_$][\w$]{0,63}){0,3}$/),
};

/** A field that is not of its shape, or that no line has, is left out. */
export function writeLogLine(record: LogRecord): string {
  const kept = Object.entries(fields).flatMap(([field, isRight]) => {
    const value: unknown = record[field as keyof LogRecord];
    return isRight(value) ? [[field, value] as const] : [];
  });
  return JSON.stringify(Object.fromEntries(kept));
}

/** Whether a request failed on this side. One that was shed did not: there would be too many lines. */
export function isFailure({ status, failure }: RequestSummary): boolean {
  if (failure?.code === "OVERLOADED") return false;
  return status >= 500 || (failure !== null && status < 400);
}

/** @param traceId - Of the trace that was made of it; else the caller's is taken. */
export function logRecordOf(summary: RequestSummary, traceId: string | null): LogRecord {
  const { failure, principalId, requestId, trips } = summary;
  const [store] = summary.phases;
  const trace = traceId ?? readTraceParent(summary.traceparent)?.traceId;
  return {
    ts: formatInstant(Math.floor(summary.startMs)),
    level: isFailure(summary) ? "error" : "info",
    event: "request",
    route: `${summary.method} ${summary.route}`,
    status: summary.status,
    workspace: summary.workspace,
    service: summary.service,
    duration_ms: round(summary.endMs - summary.startMs),
    ...(store?.name === "store" && { store_ms: round(store.endMs - store.startMs) }),
    ...(summary.rowCount > 0 && { rows: summary.rowCount }),
    ...(trips.length > 0 && { bytes: trips.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) }),
    ...(principalId !== null && { principal: principalId }),
    ...(requestId !== null && { request_id: requestId }),
    ...(trace !== undefined && { trace_id: trace }),
    ...(failure !== null && { code: failure.code, error_class: failure.errorClass }),
  };
}

function round(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}

function matching(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === "string" && pattern.test(value);
}

function isInteger(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

function isFinite(value: unknown): boolean {
  return Number.isFinite(value);
}
