/** `POST /ingest`: events into their logs. All records of a request are accepted, or none. */

import { Hono } from "hono";
import type { Context } from "hono";
import type { ErrorCode } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { ingestRecords } from "../ingest/ingest-records.ts";
import type { IngestOutcome, SourceCounts, ViewCounts } from "../ingest/ingest-records.ts";
import type { RecordError } from "../ingest/validate-records.ts";
import type { Json } from "./encode-value.ts";
import { failureHeaders, handleFailure, recordErrorsStatus } from "./errors.ts";
import type { ReportError } from "./errors.ts";
import { readJson } from "./read-body.ts";
import { idempotencyKeyHeader, readIngest } from "./read-ingest.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireGrant } from "./require-grant.ts";
import { chooseWorkspace, homeOf } from "./workspace.ts";
import type { WorkspacesParts } from "./workspace.ts";

export interface IngestRouteParts extends WorkspacesParts {
  readonly report: ReportError;
}

export function ingestRoute(parts: IngestRouteParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>().post("/ingest", async (c) => {
    try {
      return await answerIngest(c, parts);
    } catch (error) {
      const failure = handleFailure(c, error, parts.report);
      const requestError = { errorMessage: failure.message, errorType: errorTypes[failure.code] };
      return c.json({ requestError }, failure.status, failureHeaders(failure));
    }
  });
}

async function answerIngest(c: Context<HttpEnv>, parts: IngestRouteParts): Promise<Response> {
  const body = await readJson(c.req.raw, limits.ingestBodyBytesMax);
  const request = readIngest(body, c.req.header(idempotencyKeyHeader));
  const { workspaceName } = request;
  requireGrant(c, { scope: "ingest", workspace: workspaceName, service: null });
  const workspace = chooseWorkspace(parts, workspaceName);
  const home = { ...homeOf(workspace), repository: workspace.repository };
  const outcome = await ingestRecords(home, request, c.var.nowMs);
  if (!request.dryRun) {
    c.var.observed.endIngest({ workspace: workspace.name, outcome, nowMs: c.var.nowMs });
  }
  if (outcome.kind === "refused") {
    const recordErrors = outcome.errors.map(writeRecordError);
    return c.json({ workspaceName, recordErrors }, recordErrorsStatus);
  }
  return c.json({ workspaceName, ingestMetrics: writeMetrics(outcome) });
}

/** Names of the API where it has one, else of the same kind. */
const errorTypes: Readonly<Record<ErrorCode, string>> = {
  INVALID_REQUEST: "RequestValidationError",
  INVALID_RECORD: "TectonObjectValidationError",
  TOO_LATE: "TooLateError",
  NOT_FOUND: "NotFoundError",
  NOT_ACCEPTABLE: "NotAcceptableError",
  TOO_LARGE: "TooLargeError",
  FAILED_PRECONDITION: "FailedPreconditionError",
  UNAUTHENTICATED: "UnauthenticatedError",
  FORBIDDEN: "ForbiddenError",
  FENCED: "FencedError",
  CONFLICT: "ConflictError",
  KEY_REUSED: "IdempotencyKeyReusedError",
  RESOURCE_EXHAUSTED: "ResourceExhaustedError",
  OVERLOADED: "UnavailableError",
  DEADLINE_EXCEEDED: "UnavailableError",
  STORE_UNAVAILABLE: "UnavailableError",
  INVALID_DEFINITION: "InternalError",
  OVERFLOW: "InternalError",
  CORRUPT_RECORD: "InternalError",
  TRANSFORM_FAILED: "InternalError",
  INTERNAL: "InternalError",
};

function writeRecordError({ source, index, view, code, message }: RecordError): Json {
  return {
    featureViewName: view ?? "",
    pushSourceName: source.name,
    recordIndex: index,
    errorType: errorTypes[code],
    errorMessage: message,
  };
}

/**
 * For each view and source what was appended: counts are texts, and those of what was not are left
 * out where they are 0. A request that is repeated under its key has all its records counted as
 * duplicates.
 *
 *   { featureViewIngestMetrics: [{ featureViewName, onlineRecordIngestCount, offlineRecordIngestCount,
 *       featureViewId }],
 *     dataSourceIngestMetrics: [{ dataSourceName, offlineRecordIngestCount, dataSourceId,
 *       duplicateRecordCount?, conflictingRecordCount?, filteredRecordCount? }] }
 */
function writeMetrics({ sources, views }: Extract<IngestOutcome, { kind: "accepted" }>): Json {
  return {
    featureViewIngestMetrics: views.map(writeViewMetrics),
    dataSourceIngestMetrics: sources.map(writeSourceMetrics),
  };
}

function writeViewMetrics({ view, acceptedCount }: ViewCounts): Json {
  return {
    featureViewName: view.name,
    onlineRecordIngestCount: String(acceptedCount),
    offlineRecordIngestCount: String(acceptedCount),
    featureViewId: view.fingerprint,
  };
}

function writeSourceMetrics(counts: SourceCounts): Json {
  const { source, acceptedCount, duplicateCount, conflictCount, filteredCount } = counts;
  return {
    dataSourceName: source.name,
    offlineRecordIngestCount: String(acceptedCount),
    dataSourceId: source.name,
    ...(duplicateCount > 0 && { duplicateRecordCount: String(duplicateCount) }),
    ...(conflictCount > 0 && { conflictingRecordCount: String(conflictCount) }),
    ...(filteredCount > 0 && { filteredRecordCount: String(filteredCount) }),
  };
}
