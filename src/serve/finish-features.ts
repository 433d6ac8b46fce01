/** Finishes the features of a view from the segments that its records were folded into. */

import { OverflowError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import type { FeatureDefinition } from "../define/definition.ts";
import { leadAt } from "../window/bounds.ts";
import type { Interval } from "../window/bounds.ts";
import { RunningStates } from "./running-states.ts";
import { faulty } from "./same-features.ts";
import type { SegmentStates } from "./segment-states.ts";
import type { UsedBounds } from "./used-bounds.ts";
import type { FeatureAnswer, FeatureFault } from "./view-answer.ts";
import type { ViewPlan } from "./view-plan.ts";

/** What the records of an entity come to for a request. */
export interface FoldedRecords {
  /** One a window of the plan. */
  readonly bounds: readonly UsedBounds[];
  readonly segments: SegmentStates;
  /** The instant of the request; for a batch view no later than its watermark. */
  readonly atMs: number;
}

/** What a window comes to for a feature. */
interface WindowAnswer {
  readonly used: UsedBounds;
  readonly value: Value;
  readonly fault: FeatureFault | null;
}

export const behindRecords = {
  code: "GAP",
  message: "The window reaches behind what the records still hold",
} as const;

/** Windows that share their end are finished shortest first, from the same running states. */
export function finishFeatures(plan: ViewPlan, folded: FoldedRecords): FeatureAnswer[] {
  const { view } = plan;
  const { bounds, segments, atMs } = folded;
  const finished = view.features.map((): WindowAnswer[] => []);
  let running: RunningStates | null = null;
  plan.windows.forEach(({ uses }, i) => {
    const used = bounds[i] as UsedBounds;
    if (running === null || !running.reaches(used)) {
      running = new RunningStates(view.slots, segments, used.endMs);
    }
    running.extendTo(used.startMs);
    for (const { featureIndex, position } of uses) {
      const feature = view.features[featureIndex] as FeatureDefinition;
      const answers = finished[featureIndex] as WindowAnswer[];
      answers[position] = finishWindow(feature, running, used);
    }
  });
  const effectiveTimeMs = leadAt(view, atMs);
  return view.features.map((feature, i) =>
    answerOf(feature, finished[i] as WindowAnswer[], effectiveTimeMs),
  );
}

function finishWindow(
  feature: FeatureDefinition,
  running: RunningStates,
  used: UsedBounds,
): WindowAnswer {
  if (used.gap) return { used, value: null, fault: behindRecords };
  try {
    const states = feature.slotIndexes.map((slot) => running.stateOf(slot));
    return { used, value: feature.bound.finish(states), fault: null };
  } catch (error) {
    if (!(error instanceof OverflowError)) throw error;
    return { used, value: null, fault: { code: "OVERFLOW", message: error.message } };
  }
}

/** One fault among a feature's windows is the fault of all: an array with a hole in it is no answer. */
function answerOf(
  { series }: FeatureDefinition,
  windows: readonly WindowAnswer[],
  effectiveTimeMs: number,
): FeatureAnswer {
  const fault = windows.find((each) => each.fault !== null)?.fault ?? null;
  if (fault !== null) return faulty(effectiveTimeMs, fault);
  const value =
    series === null ? (windows[0] as WindowAnswer).value : windows.map((each) => each.value);
  const degraded = degradedOf(windows);
  return { value, status: "PRESENT", effectiveTimeMs, degraded, fault: null };
}

/** From the first start to the last end, where any edge had to be rounded. */
function degradedOf(windows: readonly WindowAnswer[]): Interval | null {
  if (!windows.some(({ used }) => used.degraded)) return null;
  const { startMs } = (windows[0] as WindowAnswer).used;
  const { endMs } = (windows.at(-1) as WindowAnswer).used;
  return { startMs, endMs };
}
