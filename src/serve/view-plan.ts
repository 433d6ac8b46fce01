/** What answering a view takes, decided once: its distinct windows, and who needs which state. */

import type { FeatureDefinition, ViewDefinition, Window } from "../define/definition.ts";

/** A window with the features that end in it. */
export interface PlannedWindow {
  readonly window: Window;
  /** Indexes into `view.features`. */
  readonly featureIndexes: readonly number[];
}

export interface ViewPlan {
  readonly view: ViewDefinition;
  /** Distinct by (size, offset); those that share an offset follow one another, shortest first. */
  readonly windows: readonly PlannedWindow[];
  /** Indexes of the slots of each value column. */
  readonly slotsOfColumn: readonly (readonly number[])[];
}

const plans = new WeakMap<ViewDefinition, ViewPlan>();

/** The plan of a view; made once. */
export function planView(view: ViewDefinition): ViewPlan {
  const known = plans.get(view);
  if (known !== undefined) return known;
  const plan = {
    view,
    windows: planWindows(view.features),
    slotsOfColumn: view.valueColumns.map((_, columnIndex) =>
      view.slots.flatMap((slot, i) => (slot.columnIndex === columnIndex ? [i] : [])),
    ),
  };
  plans.set(view, plan);
  return plan;
}

function planWindows(features: readonly FeatureDefinition[]): PlannedWindow[] {
  const windows = new Map<string, { window: Window; featureIndexes: number[] }>();
  features.forEach(({ window }, i) => {
    const key = `${window.sizeMs} ${window.offsetMs}`;
    const planned = windows.get(key);
    if (planned === undefined) windows.set(key, { window, featureIndexes: [i] });
    else planned.featureIndexes.push(i);
  });
  return [...windows.values()].sort(
    (a, b) =>
      b.window.offsetMs - a.window.offsetMs ||
      (a.window.sizeMs ?? Infinity) - (b.window.sizeMs ?? Infinity),
  );
}
