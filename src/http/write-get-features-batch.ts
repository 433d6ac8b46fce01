/**
 * The answer for many vectors: their values, and what was asked of their metadata. A feature is
 * described once; what differs between rows is an array in the order of the rows.
 */

import type { ServedFeature } from "../serve/answer-service.ts";
import type { Json } from "./encode-value.ts";
import type { MetadataOptions } from "./read-get-features.ts";
import {
  statusOf,
  writeDefinition,
  writeDetails,
  writeResult,
  writeSloInfo,
} from "./write-get-features.ts";
import type { Answer } from "./write-get-features.ts";

/** @param rows the same features in each. */
export function writeGetFeaturesBatch(
  rows: readonly (readonly ServedFeature[])[],
  answer: Answer,
): Json {
  const result = rows.map((features) => writeResult(features, answer));
  const metadata = writeBatchMetadata(rows, answer);
  return metadata === null ? { result } : { result, metadata };
}

/** Null where nothing was asked for. */
export function writeBatchMetadata(
  rows: readonly (readonly ServedFeature[])[],
  answer: Answer,
): Json {
  const { includeSloInfo, ...perFeature } = answer.request.metadataOptions;
  const asked = Object.values(perFeature).includes(true);
  if (!asked && !includeSloInfo) return null;
  return {
    ...(asked && { features: writeFeatures(rows, answer.request.metadataOptions) }),
    ...(includeSloInfo && writeSloInfos(rows.length, answer)),
  };
}

function writeFeatures(
  rows: readonly (readonly ServedFeature[])[],
  asked: MetadataOptions,
): readonly Json[] {
  const [first = []] = rows;
  return first.map((feature, i) => {
    const column = rows.map((row) => row[i] as ServedFeature);
    const details = asked.includeDetails ? column.map(writeDetails) : [];
    return {
      ...writeDefinition(feature, earliestTime(column), asked),
      ...(asked.includeServingStatus && { status: column.map(statusOf) }),
      ...(details.some((each) => each !== null) && { details }),
    };
  });
}

/**
 * The wire has one time for all rows, and no row may be older than it says: where one of them was
 * cached, which has no time, there is none.
 */
export function earliestTime(column: readonly ServedFeature[]): number | null {
  if (column.some(({ cachedAtMs }) => cachedAtMs !== null)) return null;
  return column.reduce((earliest: number | null, { answer: { effectiveTimeMs } }) => {
    if (earliest === null || effectiveTimeMs === null) return earliest ?? effectiveTimeMs;
    return Math.min(earliest, effectiveTimeMs);
  }, null);
}

/** All rows are read and answered together: each took as long as the batch, whose size is told once. */
function writeSloInfos(rowCount: number, { cost }: Answer): { readonly [key: string]: Json } {
  const batchSloInfo = writeSloInfo(cost);
  const { storeResponseSizeBytes: _, ...sloInfo } = batchSloInfo;
  return { sloInfo: Array.from({ length: rowCount }, () => sloInfo), batchSloInfo };
}
