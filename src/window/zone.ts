/**
 * The boundaries that one window edge asks for, while requests move on and the edge sweeps
 * `[firstMs, lastMs]`:
 *
 *        behind                 the zone             ahead
 *   ─┼───────┼───┼───┼──┼─┼─┼─┼│││││││││││││││┼──┼────┼────────┼─►
 *     ...  2H      H         first          last  H   2H     4H
 *
 * - In the zone: every multiple of the step on which the edge moves.
 * - Ahead, past the horizon: one multiple of H in the next H, one of 2H in the next 2H, and so on,
 *   so that a compaction that is late rounds the edge by about as much as it is late.
 * - Behind, where asked: four multiples of H, then four of 2H, and so on. A request that meets an
 *   older batch record past its horizon rounds its edge to a multiple of H * 2^k that lies behind
 *   this zone; the record must have a boundary there too, or the rounding would run away.
 *
 * The multiples are counted from 1970, so that records with other zones have the same ones. Where
 * the edge is off the multiples of its step, so are they all, by the same phase.
 */

import { ceilTo, floorTo, instantMsMax } from "../core/instant.ts";

export interface Zone {
  /** Where the edge stands for the earliest request, and for the latest one within the horizon. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** First and last are a multiple of it apart. */
  readonly stepMs: number;
  /** H, a multiple of the step; 0 where no request comes later than the latest one. */
  readonly overtimeMs: number;
  readonly behind: boolean;
}

const multiplesPerLevelBehind = 4;

/** How far the edge is past a multiple of its step. */
export function phaseOf({ firstMs, stepMs }: Zone): number {
  return firstMs - floorTo(firstMs, stepMs);
}

/** The last boundary at or before an instant; -Infinity for none. */
export function boundaryAtOrBefore(zone: Zone, instantMs: number): number {
  const { firstMs, lastMs, stepMs } = zone;
  if (instantMs >= lastMs) return aheadAround(zone, instantMs).beforeMs;
  if (instantMs >= firstMs) return firstMs + floorTo(instantMs - firstMs, stepMs);
  return zone.behind ? behindAround(zone, instantMs).beforeMs : -Infinity;
}

/** The first boundary after an instant; Infinity for none. */
export function boundaryAfter(zone: Zone, instantMs: number): number {
  const { firstMs, lastMs, stepMs } = zone;
  if (instantMs >= lastMs) return aheadAround(zone, instantMs).afterMs;
  if (instantMs >= firstMs) return firstMs + floorTo(instantMs - firstMs, stepMs) + stepMs;
  const edgeMs = Math.min(firstMs, lastMs);
  return zone.behind ? Math.min(edgeMs, behindAround(zone, instantMs).afterMs) : edgeMs;
}

interface Neighbours {
  readonly beforeMs: number;
  readonly afterMs: number;
}

function aheadAround(zone: Zone, instantMs: number): Neighbours {
  let beforeMs = zone.lastMs;
  if (zone.overtimeMs === 0) return { beforeMs, afterMs: Infinity };
  const phaseMs = phaseOf(zone);
  let levelStartMs = zone.lastMs;
  for (let tileMs = zone.overtimeMs; levelStartMs <= instantMsMax; tileMs *= 2) {
    const boundaryMs = ceilTo(levelStartMs - phaseMs, tileMs) + phaseMs;
    if (boundaryMs > instantMs) return { beforeMs, afterMs: boundaryMs };
    beforeMs = boundaryMs;
    levelStartMs += tileMs;
  }
  return { beforeMs, afterMs: Infinity };
}

function behindAround(zone: Zone, instantMs: number): Neighbours {
  const phaseMs = phaseOf(zone);
  const multipleAtOrBefore = (atMs: number, tileMs: number) =>
    floorTo(atMs - phaseMs, tileMs) + phaseMs;
  let levelEndMs = zone.firstMs;
  let afterLevelMs = Infinity;
  for (let tileMs = zone.overtimeMs; levelEndMs >= -instantMsMax; tileMs *= 2) {
    const levelStartMs = levelEndMs - multiplesPerLevelBehind * tileMs;
    if (instantMs > levelStartMs) {
      const ownMs = multipleAtOrBefore(instantMs, tileMs);
      const nextMs = ownMs + tileMs;
      return {
        beforeMs: ownMs > levelStartMs ? ownMs : multipleAtOrBefore(levelStartMs, 2 * tileMs),
        afterMs: nextMs <= levelEndMs ? nextMs : afterLevelMs,
      };
    }
    afterLevelMs = multipleAtOrBefore(levelStartMs, tileMs) + tileMs;
    levelEndMs = levelStartMs;
  }
  return { beforeMs: -Infinity, afterMs: afterLevelMs };
}
