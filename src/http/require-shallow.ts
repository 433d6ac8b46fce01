/** Refuses JSON that is nested deeper than anything that the API takes, before anyone walks it. */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";

/** @throws FeatureError INVALID_REQUEST past `limits.jsonDepthMax` levels of arrays and objects. */
export function requireShallow(value: unknown, depth = 0): void {
  if (typeof value !== "object" || value === null) return;
  if (depth === limits.jsonDepthMax) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot read request: its JSON has more than ${limits.jsonDepthMax} levels, expected at most that many`,
    );
  }
  const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const each of inner) requireShallow(each, depth + 1);
}
