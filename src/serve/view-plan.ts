/** What answering a view takes, decided once: its distinct windows, and who needs which state. */

import type { RowAlgebra, StateAlgebra } from "../aggregate/aggregate.ts";
import type { ViewDefinition } from "../define/definition.ts";
import { viewWindows } from "../define/view-windows.ts";
import type { ViewWindow } from "../define/view-windows.ts";

/** A slot whose states events are added to. */
export interface PlannedSlot<Algebra> {
  readonly slotIndex: number;
  readonly algebra: Algebra;
}

export interface ViewPlan {
  readonly view: ViewDefinition;
  /** Those that share an end follow one another, shortest first. */
  readonly windows: readonly ViewWindow[];
  /** The slots of each value column. */
  readonly columnSlots: readonly (readonly PlannedSlot<StateAlgebra>[])[];
  /** The slots of whole rows. */
  readonly rowSlots: readonly PlannedSlot<RowAlgebra>[];
}

const plans = new WeakMap<ViewDefinition, ViewPlan>();

/** The plan of a view; made once. */
export function planView(view: ViewDefinition): ViewPlan {
  const known = plans.get(view);
  if (known !== undefined) return known;
  const columnSlots = view.valueColumns.map((): PlannedSlot<StateAlgebra>[] => []);
  const rowSlots: PlannedSlot<RowAlgebra>[] = [];
  view.slots.forEach((slot, slotIndex) => {
    if (slot.columnIndex === null) rowSlots.push({ slotIndex, algebra: slot.algebra });
    else columnSlots[slot.columnIndex]?.push({ slotIndex, algebra: slot.algebra });
  });
  const plan = { view, windows: viewWindows(view), columnSlots, rowSlots };
  plans.set(view, plan);
  return plan;
}
