/** What is made of several copies is as old as the oldest of them. */

import type { Staleness } from "../store/online-store.ts";

export function olderOf(a: Staleness | null, b: Staleness | null): Staleness | null {
  if (a === null || b === null) return a ?? b;
  return a.asOfMs <= b.asOfMs ? a : b;
}
