/**
 * Reads again what was replaced while it was read: files are taken away once later versions of them
 * are there. A query that sorts or joins reads all of its files before it brings its first row, and
 * so can be run again.
 */

import { FeatureError } from "../../../src/core/errors.ts";

/** A file was replaced by somebody else while its next version was written. */
export class ReplacedError extends Error {
  constructor(file: string) {
    super(`Cannot replace "${file}": somebody else has, expected the call again`);
    this.name = "ReplacedError";
  }
}

/** Each time somebody else has got on with it. */
const attemptsMax = 100;

export async function reread<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (cause) {
      if (attempt === attemptsMax || !isFileGone(cause)) throw cause;
    }
  }
}

export async function* rereadStream<T>(
  read: () => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  for (let attempt = 1; ; attempt++) {
    let hasBegun = false;
    try {
      for await (const piece of read()) {
        hasBegun = true;
        yield piece;
      }
      return;
    } catch (cause) {
      if (attempt === attemptsMax || !isFileGone(cause)) throw cause;
      if (hasBegun) throw interrupted(cause);
    }
  }
}

/** What it brought may be brought again, so only the caller can start over. */
function interrupted(cause: unknown): FeatureError {
  const message =
    "Cannot read on in the offline store: a file was replaced meanwhile, expected the call again";
  return new FeatureError("STORE_UNAVAILABLE", message, { cause, retryable: true });
}

/** DuckDB's errors have no codes. */
const gonePattern = /no files found that match the pattern|no such file or directory/i;

function isFileGone(cause: unknown): boolean {
  return (
    cause instanceof ReplacedError || (cause instanceof Error && gonePattern.test(cause.message))
  );
}
