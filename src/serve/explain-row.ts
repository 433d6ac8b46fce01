/** Explains attributes: the row that they were read from, and how long it counts. */

import type { NewestRowState } from "../aggregate/newest-row.ts";
import { compareRows } from "../aggregate/row.ts";
import type { Row } from "../aggregate/aggregate.ts";
import { windowBounds } from "../window/bounds.ts";
import type { EntityRecords } from "./combine-view.ts";
import type { Origin } from "./section-lanes.ts";
import { SegmentStates } from "./segment-states.ts";
import { usedBounds } from "./used-bounds.ts";
import type { Section } from "./used-bounds.ts";
import type { ViewPlan } from "./view-plan.ts";

export interface RowExplanation {
  readonly timestampMs: number;
  readonly origin: Origin;
  readonly ttlMs: number | null;
  /** The last instant at which it counts; null where it always does. */
  readonly expiresAtMs: number | null;
}

/** The newest row before the end of the window, also where it is too old; null where there is none. */
export function explainRow(
  plan: ViewPlan,
  { batch }: EntityRecords,
  { sections, atMs }: { readonly sections: readonly Section[]; readonly atMs: number },
): RowExplanation | null {
  const { view, windows } = plan;
  const [first] = windows;
  if (first === undefined || view.attributes === null) return null;
  const used = usedBounds(windowBounds(view, first.window, atMs), sections);
  if (used.gap) return null;
  let newest: { readonly row: Row; readonly section: Section } | null = null;
  for (const section of sections) {
    const segments = new SegmentStates(plan, [used.startMs, used.endMs]);
    segments.foldInto(section);
    const row = (segments.stateOf(0, 0) as NewestRowState | undefined)?.row ?? null;
    if (row !== null && (newest === null || compareRows(row, newest.row) > 0)) {
      newest = { row, section };
    }
  }
  if (newest === null) return null;
  const { timestampMs } = newest.row;
  const { ttlMs } = view.attributes;
  const isBatch = newest.section.partial === batch?.partial;
  const isLate = view.history === null && timestampMs < (batch?.header.watermarkMs ?? -Infinity);
  return {
    timestampMs,
    origin: isBatch ? "batch" : isLate ? "late" : "stream",
    ttlMs,
    expiresAtMs: ttlMs === null ? null : timestampMs + ttlMs,
  };
}
