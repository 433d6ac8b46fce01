/**
 * Folds partials into segments. The edges of all windows cut the time axis into segments; every
 * tile and every raw event lies in one of them and is folded once, however many windows there are:
 *
 *   edges       a         b        c          d
 *   segments    │── 0 ────│── 1 ───│─── 2 ────│      windows [a,d) [b,d) [c,d) and so on
 */

import type { MergeAlgebra, RowAlgebra, StateAlgebra } from "../aggregate/aggregate.ts";
import type { Scalar } from "../core/value.ts";
import type { PartialView } from "../tile/partial-codec.ts";
import type { Section } from "./used-bounds.ts";
import type { PlannedSlot, ViewPlan } from "./view-plan.ts";

/** The raw events of a partial, each with the segment it falls in, or -1. */
interface PlacedEvents {
  readonly partial: PartialView;
  readonly segments: Int32Array;
  readonly ties: readonly string[] | null;
}

export class SegmentStates {
  readonly #plan: ViewPlan;
  /** Sorted, distinct; segment i is [edges[i], edges[i+1]). */
  readonly #edgesMs: readonly number[];
  /** By slot, then segment; undefined for what nothing fell into. */
  readonly #states: (unknown[] | undefined)[];

  constructor(plan: ViewPlan, edgesMs: readonly number[]) {
    this.#plan = plan;
    this.#edgesMs = edgesMs;
    this.#states = plan.view.slots.map(() => undefined);
  }

  /** The segment that begins at an edge. */
  segmentAt(edgeMs: number): number {
    const edgesMs = this.#edgesMs;
    let low = 0;
    let high = edgesMs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((edgesMs[middle] as number) < edgeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The state of a slot in a segment; undefined where there is nothing. */
  stateOf(slotIndex: number, segment: number): unknown {
    return this.#states[slotIndex]?.[segment];
  }

  foldInto(section: Section): void {
    this.#foldTiles(section);
    this.#foldEvents(section);
  }

  #foldTiles({ partial, fromMs }: Section): void {
    const segments = this.#segmentsOf(partial.tileStartsMs, fromMs);
    const end = lastInside(segments) + 1;
    if (end === 0) return;
    this.#plan.view.slots.forEach(({ algebra }, slotIndex) => {
      const reader = partial.slotReader(slotIndex);
      const states = this.#statesOf(slotIndex);
      const outside = algebra.empty();
      for (let i = 0; i < end; i++) {
        const segment = segments[i] as number;
        algebra.readInto(segment < 0 ? outside : stateIn(states, segment, algebra), reader);
      }
    });
  }

  #foldEvents({ partial, fromMs }: Section): void {
    const segments = this.#segmentsOf(partial.eventTimestampsMs, fromMs);
    if (lastInside(segments) < 0) return;
    const ties = this.#plan.view.ordered ? partial.ties() : null;
    const events = { partial, segments, ties };
    const { columnSlots, rowSlots } = this.#plan;
    columnSlots.forEach((slots, columnIndex) => {
      if (slots.length === 0) return;
      const values = partial.columnValues(columnIndex);
      for (const slot of slots) this.#addColumn(slot, values, events);
    });
    if (rowSlots.length === 0) return;
    const columns = columnSlots.map((_, columnIndex) => partial.columnValues(columnIndex));
    for (const slot of rowSlots) this.#addRows(slot, columns, events);
  }

  #addColumn(
    { slotIndex, algebra }: PlannedSlot<StateAlgebra>,
    values: readonly (Scalar | null)[],
    { partial, segments, ties }: PlacedEvents,
  ): void {
    const states = this.#statesOf(slotIndex);
    const order = { timestampMs: 0, tie: "" };
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? null;
      const segment = segments[i] as number;
      if (value === null || segment < 0) continue;
      order.timestampMs = partial.eventTimestampsMs[i] as number;
      if (ties !== null) order.tie = ties[i] as string;
      algebra.addInto(stateIn(states, segment, algebra), value, order);
    }
  }

  #addRows(
    { slotIndex, algebra }: PlannedSlot<RowAlgebra>,
    columns: readonly (readonly (Scalar | null)[])[],
    { partial, segments, ties }: PlacedEvents,
  ): void {
    const states = this.#statesOf(slotIndex);
    segments.forEach((segment, i) => {
      if (segment < 0) return;
      const timestampMs = partial.eventTimestampsMs[i] as number;
      const values = columns.map((column) => column[i] ?? null);
      const row = { timestampMs, tie: ties?.[i] ?? "", values };
      algebra.addRowInto(stateIn(states, segment, algebra), row);
    });
  }

  /** For each of some sorted instants the segment it lies in, -1 for none or before `fromMs`. */
  #segmentsOf(instantsMs: Float64Array, fromMs: number): Int32Array {
    const edgesMs = this.#edgesMs;
    const segments = new Int32Array(instantsMs.length);
    let segment = -1;
    for (let i = 0; i < instantsMs.length; i++) {
      const instantMs = instantsMs[i] as number;
      while (segment + 1 < edgesMs.length && (edgesMs[segment + 1] as number) <= instantMs) {
        segment += 1;
      }
      const isOutside = segment === edgesMs.length - 1 || instantMs < fromMs;
      segments[i] = isOutside ? -1 : segment;
    }
    return segments;
  }

  #statesOf(slotIndex: number): unknown[] {
    return (this.#states[slotIndex] ??= []);
  }
}

function stateIn(states: unknown[], segment: number, algebra: MergeAlgebra): unknown {
  return (states[segment] ??= algebra.empty());
}

function lastInside(segments: Int32Array): number {
  let last = segments.length - 1;
  while (last >= 0 && (segments[last] as number) < 0) last -= 1;
  return last;
}
