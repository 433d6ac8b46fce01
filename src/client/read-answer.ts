/** What a response says: its body, or why there is none. */

import type { ErrorCode } from "../core/errors.ts";
import { TilemarkError } from "./tilemark-error.ts";

export interface HttpAnswer {
  /** Parsed JSON of which nothing is known. */
  readonly body: unknown;
  readonly headers: Headers;
}

/** Answers with an error rather than throwing it: the sender may send again. */
export function readAnswer(
  action: string,
  { status, ok, headers }: Response,
  text: string,
): HttpAnswer | TilemarkError {
  const body = parseJson(text);
  if (ok) return body === undefined ? invalidAnswer(action, status) : { body, headers };
  const code = headers.get("x-tilemark-error") as ErrorCode | null;
  const message = messageOf(body) ?? `Cannot ${action}: the server answered with status ${status}`;
  return new TilemarkError(message, {
    code: code ?? `HTTP_${status}`,
    status,
    retryable: isRetryable(status, headers.get("x-tilemark-retryable")),
  });
}

export function invalidAnswer(action: string, status: number, cause?: unknown): TilemarkError {
  return new TilemarkError(
    `Cannot ${action}: the answer is not of the API's form, expected what its version has`,
    { code: "INVALID_ANSWER", status, cause },
  );
}

export function networkError(action: string, cause: unknown): TilemarkError {
  return new TilemarkError(`Cannot ${action}: the server could not be reached or broke off`, {
    code: "NETWORK",
    retryable: true,
    cause,
  });
}

/** A fault of the request stays one; of the others the server knows, and where it is silent HTTP does. */
function isRetryable(status: number, header: string | null): boolean {
  if (status < 500 && status !== 429) return false;
  return header === null ? status === 429 || status === 503 : header === "true";
}

/** The text of the API's errors, of ingest's, and of the first record that ingest refused. */
function messageOf(body: unknown): string | undefined {
  const { message, requestError, recordErrors } = (body ?? {}) as ErrorBody;
  const text = message ?? requestError?.errorMessage ?? recordErrors?.[0]?.errorMessage;
  return typeof text === "string" ? text : undefined;
}

interface ErrorBody {
  readonly message?: unknown;
  readonly requestError?: { readonly errorMessage?: unknown };
  readonly recordErrors?: readonly { readonly errorMessage?: unknown }[];
}

/** Undefined for anything that is not JSON, such as a proxy's page. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
