/** The answer for one vector: values in the wire's order, and what was asked of their metadata. */

import { formatInstant } from "../core/instant.ts";
import type { Value } from "../core/value.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import type { ServedFeature } from "../serve/answer-service.ts";
import type { FeatureDescription } from "../serve/service-features.ts";
import type { FeatureAnswer } from "../serve/view-answer.ts";
import { encodeDataType, encodeValue } from "./encode-value.ts";
import type { Json } from "./encode-value.ts";
import type { MetadataOptions, RequestHead } from "./read-get-features.ts";
import { encodeSloInfo, sloInfoOf } from "./slo-info.ts";
import type { Explanation } from "./write-explanation.ts";
import type { AnswerCost } from "./slo-info.ts";

export interface Answer {
  readonly service: ServiceDefinition;
  readonly request: Pick<RequestHead, "metadataOptions" | "requestOptions">;
  readonly cost: AnswerCost;
  /** Of one vector, where it was asked for. */
  readonly explanation: Explanation | null;
}

/** `result` holds nothing but `features`: clients break on any other key. */
export function writeGetFeatures(features: readonly ServedFeature[], answer: Answer): Json {
  const result = writeResult(features, answer);
  const metadata = writeMetadata(features, answer);
  return metadata === null ? { result } : { result, metadata };
}

/** The values of one vector. */
export function writeResult(
  features: readonly ServedFeature[],
  answer: Answer,
): { readonly features: readonly Json[] } {
  return {
    features: features.map((feature) => encodeValue(feature.type, servedValue(feature, answer))),
  };
}

/**
 * The value as it goes out in any encoding. Where a service asks for null in the place of an empty
 * count, an unknown entity has nothing but nulls; a request may still ask for zeros, in counts alone.
 */
export function servedValue(
  { isCount, answer }: ServedFeature,
  { service, request }: Answer,
): Value {
  if (answer.fault !== null) return null;
  if (service.emptyCount === "null") {
    if (isCount && request.requestOptions.coerceNullCountsToZero) return answer.value;
    if (missing.has(answer.status)) return null;
    if (isCount) return zerosAsNull(answer.value);
  }
  return answer.value;
}

const missing: ReadonlySet<string> = new Set(["MISSING_DATA", "CACHED_MISSING_DATA"]);

/** Of counts by window or by key each for itself. */
function zerosAsNull(value: Value): Value {
  if (value === 0) return null;
  return Array.isArray(value) ? value.map(zerosAsNull) : value;
}

/** Null where nothing was asked for. */
export function writeMetadata(
  features: readonly ServedFeature[],
  { request, cost, explanation }: Answer,
): Json {
  const { includeSloInfo, ...perFeature } = request.metadataOptions;
  const asked = explanation !== null || Object.values(perFeature).includes(true);
  if (!asked && !includeSloInfo) return null;
  return {
    ...(asked && {
      features: features.map((feature, i) => ({
        ...(writeFeature(feature, request.metadataOptions) as object),
        ...(explanation !== null && { explain: explanation.features[i] as Json }),
      })),
    }),
    ...(includeSloInfo && { sloInfo: writeSloInfo(cost) }),
    ...(explanation !== null && { explain: explanation.request }),
  };
}

function writeFeature(feature: ServedFeature, asked: MetadataOptions): Json {
  const { effectiveTimeMs } = feature.answer;
  const details = asked.includeDetails ? writeDetails(feature) : null;
  return {
    ...writeDefinition(feature, effectiveTimeMs, asked),
    ...(asked.includeServingStatus && { status: statusOf(feature) }),
    ...(details !== null && { details }),
  };
}

/** What is said of a feature once, however many vectors there are. */
export function writeDefinition(
  { name, type, description, tags }: FeatureDescription,
  effectiveTimeMs: number | null,
  asked: MetadataOptions,
): { readonly [key: string]: Json } {
  return {
    ...(asked.includeNames && { name }),
    ...(asked.includeEffectiveTimes &&
      effectiveTimeMs !== null && { effectiveTime: formatInstant(effectiveTimeMs) }),
    ...(asked.includeDataTypes && { dataType: encodeDataType(type) }),
    ...(asked.includeFeatureDescriptions && description !== null && { description }),
    ...(asked.includeFeatureTags && { tags }),
  };
}

export function statusOf({ answer }: ServedFeature): string {
  return answer.status;
}

/** Null where the value is all that it should be. */
export function writeDetails(served: ServedFeature): Json {
  const { answer, waitingCount, staleness, cachedAtMs } = served;
  const details = {
    ...(cachedAtMs !== null && { cachedAt: formatInstant(cachedAtMs) }),
    ...(staleness !== null && {
      stale: true,
      asOf: formatInstant(staleness.asOfMs),
      reason: staleness.reason,
    }),
    ...(writeFault(answer) as object | null),
    // Late events that the history has yet to tell of: the value is exact for what it has told.
    ...((waitingCount ?? 0) > 0 && { lateEventsWaiting: waitingCount }),
  };
  return Object.keys(details).length === 0 ? null : details;
}

function writeFault({ fault, degraded }: FeatureAnswer): Json {
  if (fault !== null) {
    return {
      ...(fault.code === "GAP" && { gap: true }),
      ...(fault.code === "BEHIND" && { behind: true }),
      reason: fault.message,
    };
  }
  if (degraded === null) return null;
  return {
    degraded: true,
    reason: "The compaction is late: the window is rounded to coarser tiles",
    ...(Number.isFinite(degraded.startMs) && { startTime: formatInstant(degraded.startMs) }),
    endTime: formatInstant(degraded.endMs),
  };
}

export function writeSloInfo(cost: AnswerCost): { readonly [key: string]: Json } {
  return encodeSloInfo(sloInfoOf(cost));
}
