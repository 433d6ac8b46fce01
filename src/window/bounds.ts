/**
 * The edges of a window for a request at T, with interval s, length w, offset o <= 0:
 *
 *   sliding      lead = floor(T)    [lead+o-w, lead+o)
 *   sawtooth     lead = T           [floor(T+o-w), T+o)
 *   continuous   lead = T           [T+o-w, T+o)
 *
 * A lifetime window starts at the view's feature start time, or never. A window may have a grid of
 * its own instead, as those of a series do: both its edges then step together on the grid's size g.
 *
 *   grid g       floor(T, g) in the place of the lead      [floor(T, g)+o-w, floor(T, g)+o)
 *
 * Worked example: sliding, s = 5 m, w = 1 h, T = 12:07:30 gives [11:05, 12:05).
 */

import { floorTo } from "../core/instant.ts";

/** What a view says of all its windows. */
export interface WindowGeometry {
  readonly windowing: "sliding" | "sawtooth" | "continuous";
  /** Milliseconds; not looked at for `continuous`. */
  readonly intervalMs: number;
  readonly featureStartTimeMs: number | null;
}

/** `sizeMs` null is a lifetime window; `offsetMs` is zero or negative. */
export interface WindowSpan {
  readonly sizeMs: number | null;
  readonly offsetMs: number;
  /** The size of the grid on which its edges step; left out, the windowing decides. Never of a lifetime. */
  readonly gridMs?: number;
}

/** Half open: `[startMs, endMs)`. `startMs` may be -Infinity. */
export interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/** The instant up to which a request at `atMs` sees events: the effective time of its values. */
export function leadAt(geometry: WindowGeometry, atMs: number): number {
  return geometry.windowing === "sliding" ? floorTo(atMs, geometry.intervalMs) : atMs;
}

/** The bounds of a window for a request at `atMs`. For a batch view `atMs` is min(T, watermark). */
export function windowBounds(geometry: WindowGeometry, window: WindowSpan, atMs: number): Interval {
  const endMs = endEdge(geometry, window, atMs);
  return { startMs: Math.min(startEdge(geometry, window, atMs), endMs), endMs };
}

/** Where the leading edge stands for a request at `atMs`. */
export function endEdge(geometry: WindowGeometry, window: WindowSpan, atMs: number): number {
  const { gridMs, offsetMs } = window;
  return (gridMs === undefined ? leadAt(geometry, atMs) : floorTo(atMs, gridMs)) + offsetMs;
}

/** Where the trailing edge stands for a request at `atMs`. */
export function startEdge(geometry: WindowGeometry, window: WindowSpan, atMs: number): number {
  if (window.sizeMs === null) return geometry.featureStartTimeMs ?? -Infinity;
  if (window.gridMs !== undefined) return endEdge(geometry, window, atMs) - window.sizeMs;
  const edgeMs = atMs + window.offsetMs - window.sizeMs;
  return geometry.windowing === "continuous" ? edgeMs : floorTo(edgeMs, geometry.intervalMs);
}

/** The step on which an edge moves: the interval, or one millisecond where it is free. */
export function edgeStepMs(
  geometry: WindowGeometry,
  window: WindowSpan,
  edge: "start" | "end",
): number {
  if (window.gridMs !== undefined) return window.gridMs;
  if (geometry.windowing === "continuous") return 1;
  return edge === "end" && geometry.windowing === "sawtooth" ? 1 : geometry.intervalMs;
}
