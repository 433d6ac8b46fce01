/** Answers that are alike for every feature of a view. */

import type { ViewDefinition } from "../define/definition.ts";
import type { FeatureAnswer, FeatureFault } from "./view-answer.ts";

/** What is answered for an entity that nothing is known of. */
export function missingFeatures(
  view: ViewDefinition,
  effectiveTimeMs: number | null,
): FeatureAnswer[] {
  return view.features.map(({ emptyValue }) => ({
    value: emptyValue,
    status: "MISSING_DATA",
    effectiveTimeMs,
    degraded: null,
    fault: null,
  }));
}

/** The same fault for every feature of a view. */
export function faultyFeatures(
  view: ViewDefinition,
  effectiveTimeMs: number | null,
  fault: FeatureFault,
): FeatureAnswer[] {
  return view.features.map(() => faulty(effectiveTimeMs, fault));
}

export function faulty(effectiveTimeMs: number | null, fault: FeatureFault): FeatureAnswer {
  const status = fault.code === "TIME_OUT" ? "TIME_OUT" : "UNKNOWN";
  return { value: null, status, effectiveTimeMs, degraded: null, fault };
}
