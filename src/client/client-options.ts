/** How a client asks, and how a single call differs. */

import type { Clock } from "../core/clock.ts";

export interface ClientOptions {
  /** Of the server, as `https://features.example`; a path in it is kept. */
  readonly url: string;
  readonly apiKey?: string;
  /** "prod" if left out. */
  readonly workspace?: string;
  /** The platform's if left out. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** For one call in all, every try included, in milliseconds; 2,000 if left out. */
  readonly deadlineMs?: number;
  /** Tries after the first; 2 if left out, 0 for none. */
  readonly retries?: number;
  /** The first pause between tries is at most this long, in milliseconds; 50 if left out. */
  readonly backoffMs?: number;
  /** Retries as a share of requests; 0.1 if left out. */
  readonly retryShare?: number;
  /** How calls that are made at the same time go together; false for each by itself. */
  readonly batch?: BatchOptions | false;
  /** As `CallOptions.monotonic`, for every call; false if left out. */
  readonly monotonic?: boolean;
}

export interface BatchOptions {
  /** How long a call waits for others, in milliseconds; 0, for those of one tick, if left out. */
  readonly windowMs?: number;
  /** From 1 to 1,000; 100 if left out. */
  readonly rowsMax?: number;
}

/** What the host gives a client. */
export interface ClientHost {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly fetch: NonNullable<ClientOptions["fetch"]>;
}

export interface WaitingOptions {
  /** Ends the call with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The client's if left out. */
  readonly deadlineMs?: number;
}

export interface CallOptions extends WaitingOptions {
  /** Whether to tell the instant that each value is of. Such a call goes by itself. */
  readonly effectiveTimes?: boolean;
  /** Whether to tell why a value is stale, degraded or missing. */
  readonly details?: boolean;
  /**
   * Whether this entity's values never go back to what an earlier monotonic answer to this client had
   * moved past, whichever region answers: what a region has not got yet is `UNKNOWN` with the detail
   * `behind`. Such a call goes by itself. The client remembers the last 10,000 entities it asked for.
   */
  readonly monotonic?: boolean;
}

export interface IngestOptions extends WaitingOptions {
  /**
   * Names the request: sent again under its name it counts once. Only requests with a name are sent
   * again by the client itself.
   */
  readonly idempotencyKey?: string;
}
