/** What the command prints of an error: one line for each thing that went wrong. */

import { FeatureError } from "../../src/core/errors.ts";

/** Its message, and the reason where a store or server could not be reached. */
export function errorText(error: unknown): string {
  if (!(error instanceof FeatureError) || error.code !== "STORE_UNAVAILABLE") return textOf(error);
  return error.cause === undefined ? error.message : `${error.message}: ${causeText(error.cause)}`;
}

/** The innermost reason of a failed call: what wraps it says only that a call failed. */
export function causeText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isWrapper = error.message === "fetch failed" || error.message.startsWith("Failed to parse");
  if (isWrapper && error.cause !== undefined) return causeText(error.cause);
  // The error of a name with several addresses has none but a code.
  return textOf(error) || ((error as NodeJS.ErrnoException).code ?? error.name);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
