/**
 * The bounds that windows can be answered for. Within the horizon they are the windows' own. Past
 * it an edge may fall inside a tile; it is then rounded down to the tile's start, in every partial
 * at once, and the value is exact for what comes out.
 */

import type { PartialView } from "../tile/partial-codec.ts";
import type { Interval } from "../window/bounds.ts";

/** A partial, and the part of the time axis on which it counts: `[fromMs, untilMs)`. */
export interface Section {
  readonly partial: PartialView;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface UsedBounds extends Interval {
  /** Whether an edge had to be rounded. */
  readonly degraded: boolean;
  /** Whether events of the window may have been dropped: no number can be given. */
  readonly gap: boolean;
}

export function usedBounds(asked: Interval, sections: readonly Section[]): UsedBounds {
  const startMs = roundDown(asked.startMs, sections);
  const endMs = Math.max(startMs, roundDown(asked.endMs, sections));
  return {
    startMs,
    endMs,
    degraded: startMs !== asked.startMs || endMs !== asked.endMs,
    gap: startMs < endMs && sections.some(({ partial }) => partial.keepFromMs > startMs),
  };
}

/** The latest instant at or before `edgeMs` that is inside no tile. */
function roundDown(edgeMs: number, sections: readonly Section[]): number {
  let roundedMs = edgeMs;
  for (;;) {
    const beforeMs = roundedMs;
    for (const section of sections) roundedMs = outOfTile(roundedMs, section);
    if (roundedMs === beforeMs) return roundedMs;
  }
}

/** Where a section ends a tile ends too: what the tile's interval holds past that does not count. */
function outOfTile(edgeMs: number, { partial, fromMs, untilMs }: Section): number {
  if (edgeMs <= fromMs || edgeMs >= untilMs) return edgeMs;
  const { tileStartsMs, tileEndsMs } = partial;
  let low = 0;
  let high = tileStartsMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((tileStartsMs[middle] as number) < edgeMs) low = middle + 1;
    else high = middle;
  }
  if (low === 0 || (tileEndsMs[low - 1] as number) <= edgeMs) return edgeMs;
  return tileStartsMs[low - 1] as number;
}
