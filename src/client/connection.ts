/** What all calls of a client share: where they go, how they wait and what they may use up. */

import { checkRange } from "./check-range.ts";
import { clientLimits } from "./client-limits.ts";
import type { ClientHost, ClientOptions, WaitingOptions } from "./client-options.ts";
import { RetryBudget } from "./retry-budget.ts";
import type { SenderParts } from "./send-request.ts";
import type { WaitOptions } from "./wait-for-answer.ts";

export interface Connection {
  readonly sender: SenderParts;
  readonly workspace: string;
  readonly deadlineMs: number;
}

const deadlineMsDefault = 2_000;
const retryShareDefault = 0.1;

/** @throws TypeError, RangeError as `createClient` does. */
export function connect(options: ClientOptions, host: ClientHost): Connection {
  const { apiKey, retries = 2, backoffMs = 50, retryShare = retryShareDefault } = options;
  const { deadlineMs = deadlineMsDefault } = options;
  checkRange("retries", retries, { min: 0, max: clientLimits.retriesMax });
  checkRange("backoffMs", backoffMs, { min: 0, max: clientLimits.backoffMsMax });
  checkRange("retryShare", retryShare, { min: 0, max: 1 });
  checkDeadline(deadlineMs);
  return {
    sender: {
      url: readUrl(options.url),
      headers: {
        "content-type": "application/json",
        ...(apiKey !== undefined && { authorization: `Tecton-key ${apiKey}` }),
      },
      fetch: options.fetch ?? host.fetch,
      clock: host.clock,
      random: host.random,
      retries,
      backoffMs,
      budget: new RetryBudget(retryShare),
    },
    workspace: options.workspace ?? "prod",
    deadlineMs,
  };
}

/** @throws the signal's reason where it is aborted already, RangeError for a deadline that cannot be. */
export function waitOptionsOf(connection: Connection, options: WaitingOptions): WaitOptions {
  const { signal, deadlineMs = connection.deadlineMs } = options;
  signal?.throwIfAborted();
  checkDeadline(deadlineMs);
  return { signal, deadlineMs };
}

/** JSON with what it has no words for as text: int64s, NaN and the infinities. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "bigint" || (typeof each === "number" && !Number.isFinite(each))
      ? String(each)
      : each,
  );
}

function readUrl(url: string): string {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new TypeError(
      'Cannot create a client: its url is not a URL, expected one as "https://features.example"',
    );
  }
  return url.replace(/\/+$/, "");
}

/** Timers hold no more. */
function checkDeadline(deadlineMs: number): void {
  checkRange("deadlineMs", deadlineMs, { min: 1, max: 2 ** 31 - 1 });
}
