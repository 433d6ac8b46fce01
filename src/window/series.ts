/**
 * The windows of a series: all of one size, each a step before the next.
 *
 *   from            step                     to
 *   ├──────────┬────┤                        │        size w, n = (to - from - w) / step + 1
 *   │── w 0 ───│    ·                        │
 *        │── w 1 ───│                        │
 *             ...           │─── w n-1 ──────│        the newest
 *
 * Worked example: from -7 d to 0 s, size 1 d, step 1 d are 7 windows, with offsets of -6 d to 0 s.
 */

import type { WindowSpan } from "./bounds.ts";

export interface WindowSeries {
  readonly count: number;
  readonly stepMs: number;
}

/** The windows, oldest first, of a series that ends with this one; of none, this one alone. */
export function seriesWindows(
  newest: WindowSpan,
  series: WindowSeries | null,
): readonly WindowSpan[] {
  if (series === null) return [newest];
  const { count, stepMs } = series;
  return Array.from({ length: count }, (_, i) => ({
    ...newest,
    offsetMs: newest.offsetMs - (count - 1 - i) * stepMs,
  }));
}
