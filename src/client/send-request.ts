/** Sends a request, again where that may help and there is time for it. */

import type { Clock } from "../core/clock.ts";
import type { Patience } from "./batcher.ts";
import { clientLimits } from "./client-limits.ts";
import { networkError, readAnswer } from "./read-answer.ts";
import type { HttpAnswer } from "./read-answer.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { TilemarkError } from "./tilemark-error.ts";

export interface HttpRequest {
  readonly path: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it is for, as error messages have it: `get features of "fraud"`. */
  readonly action: string;
  /** Whether doing it twice is as good as doing it once. */
  readonly repeatable: boolean;
}

export interface SenderParts {
  /** Without a slash at its end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  /** In [0, 1): spreads retries. */
  readonly random: () => number;
  readonly retries: number;
  /** The first pause is at most this long, each further one at most twice the one before. */
  readonly backoffMs: number;
  readonly budget: RetryBudget;
}

/** @throws TilemarkError for anything but an answer with status 2xx. */
export async function sendRequest(
  parts: SenderParts,
  request: HttpRequest,
  patience: Patience,
): Promise<HttpAnswer> {
  parts.budget.earn();
  for (let retryCount = 0; ; retryCount++) {
    const outcome = await sendOnce(parts, request, patience.signal);
    if (!(outcome instanceof Failure)) return outcome;
    const waitMs = Math.max(outcome.retryAfterMs, backoff(parts, retryCount));
    const mayRetry =
      request.repeatable &&
      outcome.error.retryable &&
      retryCount < parts.retries &&
      parts.clock.now() + waitMs < patience.endsAtMs() &&
      parts.budget.spend();
    if (!mayRetry) throw outcome.error;
    await parts.clock.sleep(waitMs, patience.signal);
  }
}

/** Why a try failed, and how long the server wants to be left alone. */
class Failure {
  readonly error: TilemarkError;
  readonly retryAfterMs: number;

  constructor(error: TilemarkError, retryAfterMs = 0) {
    this.error = error;
    this.retryAfterMs = retryAfterMs;
  }
}

async function sendOnce(
  { fetch, url, headers, clock }: SenderParts,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer | Failure> {
  try {
    const response = await fetch(url + request.path, {
      method: "POST",
      body: request.body,
      headers: { ...headers, ...request.headers },
      signal,
    });
    const text = await response.text();
    const answer = readAnswer(request.action, response, text);
    if (!(answer instanceof TilemarkError)) return answer;
    return new Failure(answer, readRetryAfter(response.headers.get("retry-after"), clock.now()));
  } catch (cause) {
    if (signal.aborted) throw signal.reason as Error;
    return new Failure(networkError(request.action, cause));
  }
}

/** Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ */
function backoff({ random, backoffMs }: SenderParts, retryCount: number): number {
  return random() * Math.min(clientLimits.backoffMsMax, backoffMs * 2 ** retryCount);
}

/** Seconds, or an HTTP date (RFC 9110, section 10.2.3). */
function readRetryAfter(text: string | null, nowMs: number): number {
  if (text === null) return 0;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Math.max(0, Number.isNaN(waitMs) ? 0 : waitMs);
}
