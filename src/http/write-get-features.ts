/** The answer for one vector: values in the wire's order, and what was asked of their metadata. */

import { formatInstant } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import type { ServedFeature } from "../serve/answer-service.ts";
import type { FeatureAnswer } from "../serve/view-answer.ts";
import { encodeDataType, encodeValue } from "./encode-value.ts";
import type { Json } from "./encode-value.ts";
import type { MetadataOptions, RequestHead } from "./read-get-features.ts";

/** What answering took. */
export interface AnswerCost {
  readonly storeBytes: number;
  readonly serverMs: number;
  /** Of `serverMs`, what transforms took. */
  readonly transformMs: number;
}

export interface Answer {
  readonly service: ServiceDefinition;
  readonly request: Pick<RequestHead, "metadataOptions" | "requestOptions">;
  readonly cost: AnswerCost;
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
  { service, request }: Answer,
): { readonly features: readonly Json[] } {
  const rule: CountRule = {
    emptyCount: service.emptyCount,
    coerceNullCountsToZero: request.requestOptions.coerceNullCountsToZero,
  };
  return { features: features.map((feature) => encodeFeature(feature, rule)) };
}

interface CountRule {
  readonly emptyCount: ServiceDefinition["emptyCount"];
  readonly coerceNullCountsToZero: boolean;
}

/**
 * Where a service asks for null in the place of an empty count, an unknown entity has nothing but
 * nulls; a request may still ask for zeros, in counts alone.
 */
function encodeFeature({ type, isCount, answer }: ServedFeature, rule: CountRule): Json {
  if (answer.fault !== null) return null;
  if (rule.emptyCount === "null") {
    if (isCount && answer.value === 0) return rule.coerceNullCountsToZero ? "0" : null;
    if (answer.status === "MISSING_DATA") return null;
  }
  return encodeValue(type, answer.value);
}

/** Null where nothing was asked for. */
function writeMetadata(features: readonly ServedFeature[], { request, cost }: Answer): Json {
  const { includeSloInfo, ...perFeature } = request.metadataOptions;
  const asked = Object.values(perFeature).includes(true);
  if (!asked && !includeSloInfo) return null;
  return {
    ...(asked && {
      features: features.map((feature) => writeFeature(feature, request.metadataOptions)),
    }),
    ...(includeSloInfo && { sloInfo: writeSloInfo(cost) }),
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
  { name, type, description }: ServedFeature,
  effectiveTimeMs: number | null,
  asked: MetadataOptions,
): { readonly [key: string]: Json } {
  return {
    ...(asked.includeNames && { name }),
    ...(asked.includeEffectiveTimes &&
      effectiveTimeMs !== null && { effectiveTime: formatInstant(effectiveTimeMs) }),
    ...(asked.includeDataTypes && { dataType: encodeDataType(type) }),
    ...(asked.includeFeatureDescriptions && description !== null && { description }),
    ...(asked.includeFeatureTags && { tags: {} }),
  };
}

export function statusOf({ answer }: ServedFeature): string {
  return answer.fault === null ? answer.status : "UNKNOWN";
}

/** Null where the value is all that it should be. */
export function writeDetails({ answer, waitingCount, staleness }: ServedFeature): Json {
  const details = {
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

export function writeSloInfo({ storeBytes, serverMs, transformMs }: AnswerCost): {
  readonly [key: string]: Json;
} {
  const sloEligible = storeBytes <= limits.objectiveStoreBytesMax;
  return {
    sloEligible,
    // Of the reasons that clients know, this one speaks of a size; they break on any other word.
    ...(!sloEligible && { sloIneligibilityReasons: ["DYNAMODB_RESPONSE_SIZE_LIMIT_EXCEEDED"] }),
    sloServerTimeSeconds: Math.max(0, serverMs - transformMs) / 1_000,
    serverTimeSeconds: Math.max(0, serverMs) / 1_000,
    storeResponseSizeBytes: storeBytes,
  };
}
