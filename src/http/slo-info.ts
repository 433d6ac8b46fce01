/** What answering took, as the API's clients read it. */

import { limits } from "../core/limits.ts";
import type { Json } from "./encode-value.ts";

/** What answering took. */
export interface AnswerCost {
  readonly storeBytes: number;
  readonly serverMs: number;
  /** Of `serverMs`, what transforms took. */
  readonly transformMs: number;
}

/** Clients break on any other word. */
export type SloIneligibilityReason =
  | "UNKNOWN"
  | "DYNAMODB_RESPONSE_SIZE_LIMIT_EXCEEDED"
  | "REDIS_RESPONSE_SIZE_LIMIT_EXCEEDED"
  | "REDIS_LATENCY_LIMIT_EXCEEDED";

/** Fields that a server does not know are left out. */
export interface SloInfo {
  readonly sloEligible: boolean;
  readonly sloIneligibilityReasons?: readonly SloIneligibilityReason[];
  readonly sloServerTimeSeconds?: number;
  /** What `storeResponseSizeBytes` was once called. */
  readonly dynamodbResponseSizeBytes?: number;
  readonly serverTimeSeconds?: number;
  readonly storeMaxLatency?: number;
  readonly storeResponseSizeBytes?: number;
}

export function sloInfoOf({ storeBytes, serverMs, transformMs }: AnswerCost): SloInfo {
  const sloEligible = storeBytes <= limits.objectiveStoreBytesMax;
  return {
    sloEligible,
    // Of the reasons that clients know, this one speaks of a size.
    ...(!sloEligible && { sloIneligibilityReasons: ["DYNAMODB_RESPONSE_SIZE_LIMIT_EXCEEDED"] }),
    sloServerTimeSeconds: Math.max(0, serverMs - transformMs) / 1_000,
    serverTimeSeconds: Math.max(0, serverMs) / 1_000,
    storeResponseSizeBytes: storeBytes,
  };
}

/** In one order, whatever the order of the given fields. */
export function encodeSloInfo(info: SloInfo): { readonly [key: string]: Json } {
  const entries = sloFields.flatMap((field): [string, Json][] => {
    const value = info[field];
    return value === undefined ? [] : [[field, value]];
  });
  return Object.fromEntries(entries);
}

const sloFields = [
  "sloEligible",
  "sloIneligibilityReasons",
  "sloServerTimeSeconds",
  "dynamodbResponseSizeBytes",
  "serverTimeSeconds",
  "storeMaxLatency",
  "storeResponseSizeBytes",
] as const satisfies readonly (keyof SloInfo)[];
