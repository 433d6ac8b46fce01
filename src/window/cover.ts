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
 * Past the horizon a zone goes on in tiles of about H, 2H, 4H, ...: a compaction that is late rounds
 * the trailing edge by about as much as it is late, and costs a logarithm of tiles. See `zone.ts`.
 *
 * Worked example: sliding, s = 5 m, w = 1 h, B = 12:00, H = 1 h, requests from 12:00 to 13:00. The
 * trailing edge sweeps 11:00, 11:05, ..., 12:00, the leading edge 12:00, 12:05, ... So an event at
 * 10:59 is dropped, one at 11:07 falls in [11:05, 11:10), one at 12:31 in [12:30, 12:35).
 *
 * As `earliestMs` grows the boundaries only become fewer: a record rewritten later merges tiles,
 * and never has to split one.
 */

import { ceilTo, instantMsMax } from "../core/instant.ts";
import { edgeStepMs, endEdge, startEdge } from "./bounds.ts";
import type { Interval, WindowGeometry, WindowSpan } from "./bounds.ts";
import { boundaryAfter, boundaryAtOrBefore, phaseOf } from "./zone.ts";
import type { Zone } from "./zone.ts";

/** The requests that a cover serves exactly. */
export interface CoveredReads {
  /** The earliest `at` of a request that may meet the record. */
  readonly earliestMs: number;
  /** The latest `at` for which the cover is exact: the end of the horizon. */
  readonly latestMs: number;
  /** Past the horizon the tiles are this long, then twice, and so on; 0 where no request is later. */
  readonly overtimeMs: number;
  /** Whether requests may meet an older batch record beside this one, and round their edges by it. */
  readonly behind: boolean;
}

/** The instants where a batch record may end and the stream take over: multiples of a step. */
export interface WatermarkZone {
  readonly fromMs: number;
  readonly stepMs: number;
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
  const gridZones: Zone[] = [];
  let keepFromMs = Infinity;
  for (const window of windows) {
    for (const zone of [startZone(geometry, window, reads), endZone(geometry, window, reads)]) {
      if (window.gridMs !== undefined) gridZones.push(zone);
      else if (zone.firstMs !== -Infinity) zones.set(Object.values(zone).join(" "), zone);
    }
    keepFromMs = Math.min(keepFromMs, startEdge(geometry, window, reads.earliestMs));
  }
  const cover = { zones: [...zones.values(), ...joinSteps(gridZones)], keepFromMs };
  return { ...cover, keepFromMs: tileAt(cover, keepFromMs).startMs };
}

/** The same cover with boundaries wherever a watermark may come to stand. */
export function withWatermarks(cover: Cover, { fromMs, stepMs }: WatermarkZone): Cover {
  const firstMs = ceilTo(Math.max(fromMs, -instantMsMax), stepMs);
  const zone = { firstMs, lastMs: Infinity, stepMs, overtimeMs: 0, behind: false };
  return { ...cover, zones: [...cover.zones, zone] };
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

/**
 * The zones of a series follow one another on one grid, each a step behind the next, and are one:
 * whatever the request, every boundary between the oldest edge and the newest is the edge of some
 * window. Which zones are one depends on the windows alone, so that later covers stay coarser.
 */
function joinSteps(zones: readonly Zone[]): Zone[] {
  const joined: Zone[] = [];
  const lastOf = new Map<string, { readonly index: number; readonly firstMs: number }>();
  for (const zone of zones.toSorted((a, b) => a.firstMs - b.firstMs)) {
    const { firstMs, stepMs } = zone;
    const grid = `${stepMs} ${phaseOf(zone)}`;
    const last = lastOf.get(grid);
    const follows = last !== undefined && firstMs - last.firstMs <= stepMs;
    const index = follows ? last.index : joined.length;
    const before = joined[index] ?? zone;
    joined[index] = { ...before, lastMs: Math.max(before.lastMs, zone.lastMs) };
    lastOf.set(grid, { index, firstMs });
  }
  return joined;
}

function startZone(geometry: WindowGeometry, window: WindowSpan, reads: CoveredReads): Zone {
  const firstMs = startEdge(geometry, window, reads.earliestMs);
  if (window.sizeMs === null) return fixedZone(firstMs);
  const lastMs = startEdge(geometry, window, reads.latestMs);
  return sweep(firstMs, lastMs, { stepMs: edgeStepMs(geometry, window, "start"), reads });
}

function endZone(geometry: WindowGeometry, window: WindowSpan, reads: CoveredReads): Zone {
  const firstMs = endEdge(geometry, window, reads.earliestMs);
  const stepMs = edgeStepMs(geometry, window, "end");
  // The leading edge of a live window meets every event as it becomes due, however late it is.
  if (window.offsetMs === 0 && reads.overtimeMs > 0) {
    return sweep(firstMs, Infinity, { stepMs, reads });
  }
  const lastMs = endEdge(geometry, window, reads.latestMs);
  return sweep(firstMs, lastMs, { stepMs, reads });
}

function sweep(
  firstMs: number,
  lastMs: number,
  { stepMs, reads }: { readonly stepMs: number; readonly reads: CoveredReads },
): Zone {
  const overtimeMs = ceilTo(reads.overtimeMs, stepMs);
  return { firstMs, lastMs, stepMs, overtimeMs, behind: reads.behind && overtimeMs > 0 };
}

/** One edge that never moves: where a lifetime starts. */
function fixedZone(edgeMs: number): Zone {
  return { firstMs: edgeMs, lastMs: edgeMs, stepMs: 1, overtimeMs: 0, behind: false };
}
