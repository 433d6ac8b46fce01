/** The states of windows that share an end: each is as long as the one before, or longer. */

import type { ViewDefinition } from "../define/definition.ts";
import type { SegmentStates } from "./segment-states.ts";
import type { UsedBounds } from "./used-bounds.ts";

/**
 * A window goes on from the states of the one before, so that a segment is merged once for all of
 * them, and only for the slots that are asked for.
 */
export class RunningStates {
  readonly #slots: ViewDefinition["slots"];
  readonly #segments: SegmentStates;
  readonly #endMs: number;
  #startMs: number;
  /** The first segment of the window. */
  #from: number;
  /** By slot; undefined for what was not asked for yet. */
  readonly #states: unknown[];
  /** By slot the first segment that its state holds. */
  readonly #held: number[];

  constructor(slots: ViewDefinition["slots"], segments: SegmentStates, endMs: number) {
    this.#slots = slots;
    this.#segments = segments;
    this.#endMs = endMs;
    this.#startMs = endMs;
    this.#from = segments.segmentAt(endMs);
    this.#states = slots.map(() => undefined);
    this.#held = slots.map(() => this.#from);
  }

  reaches(used: UsedBounds): boolean {
    return used.endMs === this.#endMs && used.startMs <= this.#startMs;
  }

  extendTo(startMs: number): void {
    this.#startMs = startMs;
    this.#from = this.#segments.segmentAt(startMs);
  }

  /** The state of a slot over the window; valid until the window is extended. */
  stateOf(slotIndex: number): unknown {
    const { algebra } = this.#slots[slotIndex] as ViewDefinition["slots"][number];
    const state = (this.#states[slotIndex] ??= algebra.empty());
    const until = this.#held[slotIndex] as number;
    for (let segment = this.#from; segment < until; segment++) {
      const held = this.#segments.stateOf(slotIndex, segment);
      if (held !== undefined) algebra.mergeInto(state, held);
    }
    this.#held[slotIndex] = this.#from;
    return state;
  }
}
