/**
 * A partial: what a set of events comes to under a cover. Some of its tiles are states, the others
 * stay raw events, whichever is smaller. Tiles are disjoint and sorted; events are sorted by
 * (timestamp, tie); no event lies in a tile's interval.
 */

import type { ScalarType } from "../core/value.ts";
import type { Row, RowAlgebra, StateAlgebra } from "../aggregate/aggregate.ts";

/** What a record's bytes depend on: fixed by the view's definition, named by its fingerprint. */
export interface RecordLayout {
  readonly fingerprint: string;
  readonly valueColumns: readonly { readonly name: string; readonly type: ScalarType }[];
  readonly slots: readonly RecordSlot[];
  readonly ordered: boolean;
}

/** What a slot's states are of: one of the value columns, or whole rows where the index is null. */
export type RecordSlot =
  | { readonly columnIndex: number; readonly algebra: StateAlgebra }
  | { readonly columnIndex: null; readonly algebra: RowAlgebra };

export interface StateTile {
  /** Half open `[startMs, endMs)`; the ends may be infinite. */
  readonly startMs: number;
  readonly endMs: number;
  /** One state a slot, in the layout's order. */
  readonly states: readonly unknown[];
}

/** Its tie is the event id where the layout is ordered, else ""; its values go by value column. */
export type RawEvent = Row;

export interface Partial {
  /** The cover's `earliestMs` when it was written; a rewrite never goes back behind it. */
  readonly earliestMs: number;
  /** Events before this instant are not in it, whether there were any or not. */
  readonly keepFromMs: number;
  readonly tiles: readonly StateTile[];
  readonly events: readonly RawEvent[];
}

/** Adds an event to the states of a tile. */
export function addEventInto(
  states: readonly unknown[],
  event: RawEvent,
  layout: RecordLayout,
): void {
  const slots = layout.slots;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as RecordSlot;
    if (slot.columnIndex === null) {
      slot.algebra.addRowInto(states[i], event);
      continue;
    }
    const value = event.values[slot.columnIndex];
    if (value !== null && value !== undefined) slot.algebra.addInto(states[i], value, event);
  }
}

export function emptyStates(layout: RecordLayout): unknown[] {
  return layout.slots.map((slot) => slot.algebra.empty());
}
