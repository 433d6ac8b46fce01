/** The distinct windows of a view: features share them, and a series has many. */

import { seriesWindows } from "../window/series.ts";
import type { ViewDefinition, Window } from "./definition.ts";

export interface ViewWindow {
  readonly window: Window;
  /** Who is answered over it. */
  readonly uses: readonly WindowUse[];
}

export interface WindowUse {
  /** Index into `view.features`. */
  readonly featureIndex: number;
  /** Which of the feature's windows it is, counted from the oldest; 0 where there is one. */
  readonly position: number;
}

const known = new WeakMap<ViewDefinition, readonly ViewWindow[]>();

/**
 * The windows of a view, distinct by size, offset and grid; those that share an end follow one
 * another, shortest first. Worked out once a view.
 */
export function viewWindows(view: ViewDefinition): readonly ViewWindow[] {
  const before = known.get(view);
  if (before !== undefined) return before;
  const windows = new Map<string, { window: Window; uses: WindowUse[] }>();
  view.features.forEach((feature, featureIndex) => {
    seriesWindows(feature.window, feature.series).forEach((window, position) => {
      const key = `${window.sizeMs} ${window.offsetMs} ${window.gridMs}`;
      const same = windows.get(key);
      if (same === undefined) windows.set(key, { window, uses: [{ featureIndex, position }] });
      else same.uses.push({ featureIndex, position });
    });
  });
  const sorted = [...windows.values()].sort((a, b) => compareWindows(a.window, b.window));
  known.set(view, sorted);
  return sorted;
}

function compareWindows(a: Window, b: Window): number {
  return (
    (a.gridMs ?? 0) - (b.gridMs ?? 0) ||
    b.offsetMs - a.offsetMs ||
    (a.sizeMs ?? Infinity) - (b.sizeMs ?? Infinity)
  );
}
