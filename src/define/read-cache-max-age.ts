/** Validates a view's `cache`: how old its answers may be. */

import { formatDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { checkFields, checkObject, readDuration } from "./check.ts";

/** Milliseconds; null where there is no cache. @throws DefinitionError */
export function readCacheMaxAge(prefix: string, cache: unknown): number | null {
  if (cache === undefined) return null;
  checkObject(prefix, "cache", cache);
  checkFields(`${prefix}: cache`, cache as object, ["maxAge"]);
  const { maxAge } = cache as { readonly maxAge?: unknown };
  const maxAgeMs = readDuration(prefix, "cache.maxAge", maxAge);
  const { cacheMaxAgeMsMin: min, cacheMaxAgeMsMax: max } = limits;
  if (maxAgeMs >= min && maxAgeMs <= max) return maxAgeMs;
  throw new DefinitionError(
    `${prefix}: cache.maxAge is "${String(maxAge)}", expected ${formatDuration(min)} to ${formatDuration(max)}`,
  );
}
