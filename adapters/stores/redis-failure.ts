/** What a failure of Redis tells: an error of ioredis carries its command, and so keys and values. */

import { FeatureError } from "../../src/core/errors.ts";

/** The cause is made anew: of an answer's text only its first word, as READONLY or OOM. */
export function redisFailure(action: "read" | "write", error: unknown): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", `Cannot ${action} Redis: the ${action} failed`, {
    cause: new Error(describe(error)),
    retryable: true,
  });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return "it failed without an error";
  if (error.name !== "ReplyError") return `${error.name}: ${error.message}`;
  return `${error.name}: ${/^[A-Z]+\b/.exec(error.message)?.[0] ?? "unknown"}`;
}
