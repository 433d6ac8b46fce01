/** The order of rows: what decides which of two is the newer one. */

import { compareScalars, compareUtf8 } from "../core/value.ts";
import type { Scalar } from "../core/value.ts";
import type { Row } from "./aggregate.ts";

/** By time, then tie, then values: a total order on rows that are not equal. */
export function compareRows(a: Row, b: Row): number {
  if (a.timestampMs !== b.timestampMs) return a.timestampMs - b.timestampMs;
  if (a.tie !== b.tie) return compareUtf8(a.tie, b.tie);
  for (let i = 0; i < a.values.length; i++) {
    const order = compareNullable(a.values[i] ?? null, b.values[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareNullable(a: Scalar | null, b: Scalar | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compareScalars(a, b);
}
