/** The error of every call that got no answer it can use. */

import type { ErrorCode } from "../core/errors.ts";

/**
 * Codes of the server, and the client's own: `DEADLINE` where the time was up, `NETWORK` where the
 * server could not be reached or broke off, `INVALID_ANSWER` where it said something else than
 * features, `HTTP_502` and the like where something between the two answered.
 */
export type TilemarkErrorCode =
  ErrorCode | "DEADLINE" | "NETWORK" | "INVALID_ANSWER" | `HTTP_${number}`;

export interface TilemarkErrorOptions {
  readonly code: TilemarkErrorCode;
  /** Null where there was no response. */
  readonly status?: number;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/**
 * @example
 * try {
 *   return await client.getFeatures(fraud, { joinKeys: { user_id: "u1" }, request: { amt: 3 } });
 * } catch (error) {
 *   if (error instanceof TilemarkError && error.retryable) return null;
 *   throw error;
 * }
 */
export class TilemarkError extends Error {
  readonly code: TilemarkErrorCode;
  /** The HTTP status; null where there was no response. */
  readonly status: number | null;
  /** Whether the same call may succeed later. The client's own retries are over by then. */
  readonly retryable: boolean;

  constructor(message: string, options: TilemarkErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    // What platforms call the error of `AbortSignal.timeout`.
    this.name = options.code === "DEADLINE" ? "TimeoutError" : "TilemarkError";
    this.code = options.code;
    this.status = options.status ?? null;
    this.retryable = options.retryable ?? false;
  }
}
