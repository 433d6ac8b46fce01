/**
 * The cover: the coarsest partition of the time axis into tiles such that no window edge falls
 * inside a tile, for any request between `earliestMs` and `latestMs`.
 *
 * While requests move from `earliest` to `latest`, each window edge sweeps a *zone*. Inside a zone
 * the tiles have the step on which the edge moves: the interval for an edge on the grid, one
 * millisecond for a free one. Everything between two zones is one tile.
 *
 *   windows 1 h and 30 d, compaction at B, exact until B+H
 *
 *        B-30d        B-30d+H                          B-1h   B
 *   ─────┼─||||||||||||──┼──┼────┼───────────┼──────────┼||||┼|||► head, always fine
 *          zone of the     H   2H     4H ...     zone of
 *          30 d edge       past the horizon      the 1 h edge
 *
 * Past the horizon a zone goes on in tiles of H, 2H, 4H, ...: a compaction that is late rounds the
 * trailing edge by at most as much as it is late, and costs a logarithm of tiles.
 *
 * Worked example: sliding, s = 5 m, w = 1 h, B = 12:00, H = 1 h, requests from 12:00 to 13:00. The
 * trailing edge sweeps 11:00, 11:05, ..., 12:00, the leading edge 12:00, 12:05, ... So an event at
 * 10:59 is dropped, one at 11:07 falls in [11:05, 11:10), one at 12:31 in [12:30, 12:35).
 *
 * As `earliestMs` grows the boundaries only become fewer: a record rewritten later merges tiles,
 * and never has to split one.
 */

import { floorTo, instantMsMax } from "../core/instant.ts";
import { edgeStepMs, leadAt, startEdge } from "./bounds.ts";
import type { Interval, WindowGeometry, WindowSpan } from "./bounds.ts";

/** The requests that a cover serves exactly. */
export interface CoveredReads {
  /** The earliest `at` of a request that may meet the record. */
  readonly earliestMs: number;
  /** The latest `at` for which the cover is exact: the end of the horizon. */
  readonly latestMs: number;
  /** The first tile past the horizon is this long; 0 where no request can come later. */
  readonly overtimeMs: number;
}

/** Boundaries at every multiple of `stepMs` in `[firstMs, lastMs]`, then at doubling distances. */
interface Zone {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly stepMs: number;
  readonly overtimeMs: number;
}

export interface Cover {
  readonly zones: readonly Zone[];
  /** A boundary; no request at or after `earliestMs` sees an event before this instant. */
  readonly keepFromMs: number;
}

/** The cover of a view's windows for the given requests. */
export function planCover(
  geometry: WindowGeometry,
  windows: readonly WindowSpan[],
  reads: CoveredReads,
): Cover {
  const zones = new Map<string, Zone>();
  let keepFromMs = Infinity;
  for (const window of windows) {
    for (const zone of [startZone(geometry, window, reads), endZone(geometry, window, reads)]) {
      if (zone.firstMs === -Infinity) continue;
      zones.set(`${zone.firstMs} ${zone.lastMs} ${zone.stepMs} ${zone.overtimeMs}`, zone);
    }
    keepFromMs = Math.min(keepFromMs, startEdge(geometry, window, reads.earliestMs));
  }
  const cover = { zones: [...zones.values()], keepFromMs };
  return { ...cover, keepFromMs: tileAt(cover, keepFromMs).startMs };
}

/** The tile that holds an instant. Its ends may be infinite. */
export function tileAt(cover: Cover, timestampMs: number): Interval {
  let startMs = -Infinity;
  let endMs = Infinity;
  for (const zone of cover.zones) {
    startMs = Math.max(startMs, boundaryAtOrBefore(zone, timestampMs));
    endMs = Math.min(endMs, boundaryAfter(zone, timestampMs));
  }
  // Past the last instant there is nothing to be told apart.
  return {
    startMs: startMs < -instantMsMax ? -Infinity : startMs,
    endMs: endMs > instantMsMax ? Infinity : endMs,
  };
}

function startZone(geometry: WindowGeometry, window: WindowSpan, reads: CoveredReads): Zone {
  const firstMs = startEdge(geometry, window, reads.earliestMs);
  if (window.sizeMs === null) return { firstMs, lastMs: firstMs, stepMs: 1, overtimeMs: 0 };
  const lastMs = startEdge(geometry, window, reads.latestMs);
  return sweep(firstMs, lastMs, { stepMs: edgeStepMs(geometry, "start"), reads });
}

function endZone(geometry: WindowGeometry, window: WindowSpan, reads: CoveredReads): Zone {
  const firstMs = leadAt(geometry, reads.earliestMs) + window.offsetMs;
  const stepMs = edgeStepMs(geometry, "end");
  // The leading edge of a live window meets every event as it becomes due, however late it is.
  if (window.offsetMs === 0 && reads.overtimeMs > 0) {
    return { firstMs, lastMs: Infinity, stepMs, overtimeMs: 0 };
  }
  const lastMs = leadAt(geometry, reads.latestMs) + window.offsetMs;
  return sweep(firstMs, lastMs, { stepMs, reads });
}

function sweep(
  firstMs: number,
  lastMs: number,
  { stepMs, reads }: { readonly stepMs: number; readonly reads: CoveredReads },
): Zone {
  return { firstMs, lastMs, stepMs, overtimeMs: -floorTo(-reads.overtimeMs, stepMs) };
}

function boundaryAtOrBefore(zone: Zone, timestampMs: number): number {
  const { firstMs, lastMs } = zone;
  if (timestampMs >= lastMs) return lastMs + overtimeReached(zone, timestampMs, 0);
  return timestampMs >= firstMs ? firstMs + floorTo(timestampMs - firstMs, zone.stepMs) : -Infinity;
}

function boundaryAfter(zone: Zone, timestampMs: number): number {
  const { firstMs, lastMs } = zone;
  if (timestampMs >= lastMs) {
    return zone.overtimeMs === 0 ? Infinity : lastMs + overtimeReached(zone, timestampMs, 1);
  }
  if (timestampMs < firstMs) return Math.min(firstMs, lastMs);
  return firstMs + floorTo(timestampMs - firstMs, zone.stepMs) + zone.stepMs;
}

/** The sum of H, 2H, 4H, ... up to the instant, or one tile past it for `next`. */
function overtimeReached(zone: Zone, timestampMs: number, next: 0 | 1): number {
  if (zone.overtimeMs === 0) return 0;
  const distanceMs = timestampMs - zone.lastMs;
  let reachedMs = 0;
  let tileMs = zone.overtimeMs;
  while (reachedMs + tileMs <= distanceMs) {
    reachedMs += tileMs;
    tileMs *= 2;
  }
  return next === 0 ? reachedMs : reachedMs + tileMs;
}
