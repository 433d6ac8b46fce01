/** The only place that decides HTTP statuses, and what an error says to those outside. */

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { FeatureError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { HttpEnv } from "./request-clock.ts";

/** A failure as it is answered. */
export interface HttpFailure {
  readonly status: ContentfulStatusCode;
  /** The number that gRPC has for it, which clients of this API expect. */
  readonly grpcCode: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

/** For the host to log; the answer says nothing of it. */
export type ReportError = (error: unknown, context: { readonly route: string }) => void;

/** Headers that carry a FeatureError's code and whether to retry, beside the body's three fields. */
export const errorCodeHeader = "x-tilemark-error";
export const retryableHeader = "x-tilemark-retryable";

const pathCharactersMax = 200;

// gRPC's numbers: https://grpc.io/docs/guides/status-codes/
const statuses: Readonly<Record<ErrorCode, readonly [ContentfulStatusCode, number]>> = {
  INVALID_REQUEST: [400, 3],
  INVALID_RECORD: [400, 3],
  TOO_LATE: [400, 11],
  NOT_FOUND: [404, 5],
  NOT_ACCEPTABLE: [406, 12],
  // What this API's clients know is 7, where gRPC has 16.
  UNAUTHENTICATED: [401, 7],
  FORBIDDEN: [403, 7],
  FENCED: [409, 10],
  CONFLICT: [409, 10],
  // As draft-ietf-httpapi-idempotency-key-header has it.
  KEY_REUSED: [422, 9],
  TOO_LARGE: [413, 8],
  FAILED_PRECONDITION: [400, 9],
  RESOURCE_EXHAUSTED: [429, 8],
  OVERLOADED: [503, 14],
  DEADLINE_EXCEEDED: [504, 4],
  STORE_UNAVAILABLE: [503, 14],
  CORRUPT_RECORD: [500, 15],
  INVALID_DEFINITION: [500, 13],
  OVERFLOW: [500, 13],
  TRANSFORM_FAILED: [500, 13],
  INTERNAL: [500, 13],
};

/** Every error's code with its status. */
export const errorStatuses = Object.entries(statuses).map(([code, [status]]) => ({ code, status }));

/** Of an answer that lists what is wrong with records. */
export const recordErrorsStatus = 400;

/** Of an answer that lists what of a server does not answer. */
export const notReadyStatus = 503;

const methodNotAllowed = { status: 405, grpcCode: 12 } as const;

/** What an error is to those outside: a fault of this side keeps its text to itself. */
export function describeFailure(error: unknown): HttpFailure {
  const code = error instanceof FeatureError ? error.code : "INTERNAL";
  const [status, grpcCode] = statuses[code];
  const known = error instanceof FeatureError && status !== 500;
  return {
    status,
    grpcCode,
    code,
    message: known ? error.message : "Cannot answer the request: an internal error occurred",
    retryable: error instanceof FeatureError && error.retryable,
  };
}

/** Describes an error, and reports it when the fault is on this side. */
export function handleFailure(
  c: Context<HttpEnv>,
  error: unknown,
  report: ReportError,
): HttpFailure {
  const failure = describeFailure(error);
  c.var.observed.fail(failure.code, error);
  if (failure.status >= 500 && failure.code !== "OVERLOADED") report(error, { route: routeOf(c) });
  return failure;
}

export function answerFailure(c: Context<HttpEnv>, error: unknown, report: ReportError): Response {
  const failure = handleFailure(c, error, report);
  return c.json(
    { error: failure.message, code: failure.grpcCode, message: failure.message },
    failure.status,
    failureHeaders(failure),
  );
}

export function failureHeaders({ code, retryable }: HttpFailure): Record<string, string> {
  return { [errorCodeHeader]: code, [retryableHeader]: String(retryable) };
}

export function answerUnknownRoute(c: Context): Response {
  const message = `Cannot find "${routeOf(c)}": there is no such route`;
  const [status, code] = statuses.NOT_FOUND;
  return c.json({ error: message, code, message }, status);
}

export function answerWrongMethod(c: Context, methods: readonly string[]): Response {
  const message = `Cannot answer "${routeOf(c)}": the route has no such method, expected ${methods.join(" or ")}`;
  const { status, grpcCode } = methodNotAllowed;
  return c.json({ error: message, code: grpcCode, message }, status, {
    allow: methods.join(", "),
  });
}

/** A request as errors and reports call it. */
export function routeOf(c: Context): string {
  return `${c.req.method} ${c.req.path.slice(0, pathCharactersMax)}`;
}
