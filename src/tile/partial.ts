/**
 * A partial: what a set of events comes to under a cover. Some of its tiles are states, the others
 * stay raw events, whichever is smaller. Tiles are disjoint and sorted; events are sorted by
 * (timestamp, tie); no event lies in a tile's interval.
 */

import { compareScalars, compareUtf8 } from "../core/value.ts";
import type { Scalar, ScalarType } from "../core/value.ts";
import type { StateAlgebra } from "../aggregate/aggregate.ts";

/** What a record's bytes depend on: fixed by the view's definition, named by its fingerprint. */
export interface RecordLayout {
  readonly fingerprint: string;
  readonly valueColumns: readonly { readonly name: string; readonly type: ScalarType }[];
  readonly slots: readonly { readonly columnIndex: number; readonly algebra: StateAlgebra }[];
  readonly ordered: boolean;
}

export interface StateTile {
  /** Half open `[startMs, endMs)`; the ends may be infinite. */
  readonly startMs: number;
  readonly endMs: number;
  /** One state a slot, in the layout's order. */
  readonly states: readonly unknown[];
}

export interface RawEvent {
  readonly timestampMs: number;
  /** The event id where the layout is ordered, else "". */
  readonly tie: string;
  /** One a value column, in the layout's order; null where the event has none. */
  readonly values: readonly (Scalar | null)[];
}

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
    const slot = slots[i] as RecordLayout["slots"][number];
    const value = event.values[slot.columnIndex];
    if (value !== null && value !== undefined) slot.algebra.addInto(states[i], value, event);
  }
}

export function emptyStates(layout: RecordLayout): unknown[] {
  return layout.slots.map((slot) => slot.algebra.empty());
}

/** By time, then tie, then values: a total order on events that are not equal. */
export function compareEvents(a: RawEvent, b: RawEvent): number {
  if (a.timestampMs !== b.timestampMs) return a.timestampMs - b.timestampMs;
  if (a.tie !== b.tie) return compareUtf8(a.tie, b.tie);
  for (let i = 0; i < a.values.length; i++) {
    const order = compareNullable(a.values[i] ?? null, b.values[i] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareNullable(a: Scalar | null, b: Scalar | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  return compareScalars(a, b);
}
