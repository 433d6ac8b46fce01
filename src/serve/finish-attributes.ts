/** Finishes a view of attributes: the columns of the newest row, unless there is none or it is too old. */

import type { NewestRowState } from "../aggregate/newest-row.ts";
import { behindRecords } from "./finish-features.ts";
import type { FoldedRecords } from "./finish-features.ts";
import { RunningStates } from "./running-states.ts";
import { faultyFeatures, missingFeatures } from "./same-features.ts";
import type { UsedBounds } from "./used-bounds.ts";
import type { FeatureAnswer } from "./view-answer.ts";
import type { ViewPlan } from "./view-plan.ts";

/** All its features share one window and one state, the newest row; its instant is theirs. */
export function finishAttributes(
  { view }: ViewPlan,
  { bounds, segments, atMs }: FoldedRecords,
): FeatureAnswer[] {
  const used = bounds[0] as UsedBounds;
  if (used.gap) return faultyFeatures(view, null, behindRecords);
  const running = new RunningStates(view.slots, segments, used.endMs);
  running.extendTo(used.startMs);
  const state = running.stateOf(0) as NewestRowState;
  const oldestMs = atMs - (view.attributes?.ttlMs ?? Infinity);
  if (state.row === null || state.row.timestampMs < oldestMs) return missingFeatures(view, null);
  const { timestampMs } = state.row;
  const degraded = used.degraded ? { startMs: used.startMs, endMs: used.endMs } : null;
  return view.features.map(({ bound }) => ({
    value: bound.finish([state]),
    status: "PRESENT",
    effectiveTimeMs: timestampMs,
    degraded,
    fault: null,
  }));
}
