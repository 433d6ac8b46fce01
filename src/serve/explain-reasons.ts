/** Why a feature's answer is what it is, in words, where there is more to say than its value. */

import { formatInstant } from "../core/instant.ts";
import type { ServedFeature } from "./answer-service.ts";
import type { FeatureExplanation } from "./explain-view.ts";
import type { FeatureFault } from "./view-answer.ts";
import type { ViewEvidence } from "./view-evidence.ts";

export interface ReasonParts {
  readonly served: ServedFeature;
  /** Null for on-demand features, and where no records were read. */
  readonly evidence: ViewEvidence | null;
  readonly explanation: FeatureExplanation | null;
}

/** Each a word for it, a colon, and a sentence without a full stop. */
export function explainReasons({ served, evidence, explanation }: ReasonParts): readonly string[] {
  const { answer, staleness, waitingCount, cachedAtMs } = served;
  const isMissing = answer.status === "MISSING_DATA";
  return [
    ...(cachedAtMs === null
      ? []
      : [
          `cached: it was read at ${formatInstant(cachedAtMs)}, ask without the cache for its parts`,
        ]),
    ...(staleness === null
      ? []
      : [`stale: as of ${formatInstant(staleness.asOfMs)}: ${staleness.reason}`]),
    ...(answer.fault === null ? [] : [`${words[answer.fault.code]}: ${answer.fault.message}`]),
    ...(answer.degraded === null
      ? []
      : ["degraded: the compaction is late: the window is rounded to coarser tiles"]),
    ...(isMissing ? [whyMissing(evidence, explanation)] : []),
    ...((waitingCount ?? 0) > 0
      ? [`waiting: ${waitingCount} late events are for the next compaction to tell of`]
      : []),
  ];
}

const words: Readonly<Record<FeatureFault["code"], string>> = {
  OVERFLOW: "overflow",
  GAP: "gap",
  BEHIND: "behind",
  CORRUPT_RECORD: "corrupt record",
  TRANSFORM_FAILED: "transform failed",
  TIME_OUT: "timeout",
  TOO_LARGE: "too large",
  INVALID_ROW: "invalid row",
};

function whyMissing(evidence: ViewEvidence | null, explanation: FeatureExplanation | null): string {
  if (evidence?.isDeleted === true) {
    return "deleted: the entity was deleted, and its records are hidden";
  }
  if ((explanation?.row ?? null) !== null) {
    return "expired: the newest row is older than its ttl";
  }
  if (evidence === null) {
    return "missing: one of the join keys is null, and nobody is known by that";
  }
  const { batch, stream } = evidence.records;
  return batch === null && stream === null
    ? "missing: there is no record of the entity in this view"
    : "missing: the records of the entity hold nothing to answer from";
}
