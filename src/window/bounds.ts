/**
 * The edges of a window for a request at T, with interval s, length w, offset o <= 0:
 *
 *   sliding      lead = floor(T)    [lead+o-w, lead+o)
 *   sawtooth     lead = T           [floor(T+o-w), T+o)
 *   continuous   lead = T           [T+o-w, T+o)
 *
 * A lifetime window starts at the view's feature start time, or never.
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
  const endMs = leadAt(geometry, atMs) + window.offsetMs;
  return { startMs: Math.min(startEdge(geometry, window, atMs), endMs), endMs };
}

/** Where the trailing edge stands for a request at `atMs`. */
export function startEdge(geometry: WindowGeometry, window: WindowSpan, atMs: number): number {
  if (window.sizeMs === null) return geometry.featureStartTimeMs ?? -Infinity;
  const edgeMs = atMs + window.offsetMs - window.sizeMs;
  return geometry.windowing === "continuous" ? edgeMs : floorTo(edgeMs, geometry.intervalMs);
}

/** The step on which an edge moves: the interval, or one millisecond where it is free. */
export function edgeStepMs(geometry: WindowGeometry, edge: "start" | "end"): number {
  if (geometry.windowing === "continuous") return 1;
  return edge === "end" && geometry.windowing === "sawtooth" ? 1 : geometry.intervalMs;
}
