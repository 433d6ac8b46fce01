/** About how many bytes an answer takes in memory, for a cache that has so many and no more. */

import type { Value } from "../core/value.ts";
import type { ViewAnswer } from "./view-answer.ts";

/** What an entry takes beside its key and its features, and a feature beside its value. */
const entryBytes = 400;
const featureBytes = 100;
const valueBytes = 16;

export function sizeOfAnswer(key: string, { features }: ViewAnswer): number {
  return features.reduce(
    (total, { value }) => total + featureBytes + sizeOfValue(value),
    entryBytes + 2 * key.length,
  );
}

function sizeOfValue(value: Value): number {
  if (typeof value === "string") return valueBytes + 2 * value.length;
  if (typeof value !== "object" || value === null) return valueBytes;
  const parts: readonly Value[] = Array.isArray(value) ? value : Object.values(value);
  const keyBytes = Array.isArray(value) ? 0 : 2 * Object.keys(value).join("").length;
  return parts.reduce((total: number, each) => total + sizeOfValue(each), valueBytes + keyBytes);
}
