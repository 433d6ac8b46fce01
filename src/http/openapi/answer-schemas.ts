/** JSON Schemas of what routes answer. */

import { orNull, refTo } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";

const text = { type: "string" };
const flag = { type: "boolean" };
const count = { type: "integer", minimum: 0 };
const countText = { type: "string", pattern: "^\\d+$" };
const seconds = { type: "number", minimum: 0 };
const instant = { type: "string", format: "date-time" };
const status = {
  enum: [
    ...["PRESENT", "MISSING_DATA", "TIME_OUT", "UNKNOWN"],
    ...["CACHED_PRESENT", "CACHED_MISSING_DATA", "CACHED_UNKNOWN"],
  ],
};

const vector = object({
  features: {
    type: "array",
    items: {},
    description:
      "Values in one order: on-demand views by name, then views by name with their features by name. An int64 is a decimal string, NaN and the infinities are strings, a struct is an array of its fields, a timestamp is RFC 3339 in UTC.",
  },
});

const definition = {
  name: { ...text, description: "{view}.{feature}" },
  dataType: refTo("DataType"),
  effectiveTime: { ...instant, description: "The instant up to which events count." },
  description: text,
  tags: { type: "object", additionalProperties: text },
};

const details = orNull({
  type: "object",
  description: "Why a value is not all that it should be; left out where it is.",
  properties: {
    reason: text,
    stale: flag,
    degraded: flag,
    gap: flag,
    behind: flag,
    asOf: instant,
    cachedAt: instant,
    startTime: instant,
    endTime: instant,
    lateEventsWaiting: count,
  },
});

const explained = {
  type: "object",
  description:
    "What the value was made of: windows with what entered them, the row of an attribute, or the run of an on-demand view.",
};

const featureInputs = {
  type: "array",
  items: object({ name: text, dataType: refTo("DataType"), type: text }, ["type"]),
};

/** By the name that other schemas and routes refer to them by. */
export const answerSchemas: Readonly<Record<string, JsonSchema>> = {
  DataType: object(
    {
      type: {
        enum: [
          ...["boolean", "string", "int64", "float64", "float32"],
          ...["array", "map", "struct"],
        ],
      },
      elementType: refTo("DataType"),
      keyType: refTo("DataType"),
      valueType: refTo("DataType"),
      fields: { type: "array", items: object({ name: text, dataType: refTo("DataType") }) },
    },
    ["elementType", "keyType", "valueType", "fields"],
  ),
  SloInfo: object(
    {
      sloEligible: flag,
      sloIneligibilityReasons: { type: "array", items: text },
      sloServerTimeSeconds: seconds,
      serverTimeSeconds: seconds,
      storeResponseSizeBytes: count,
    },
    ["sloIneligibilityReasons", "sloServerTimeSeconds", "storeResponseSizeBytes"],
  ),
  FeatureVector: object(
    {
      result: vector,
      metadata: object(
        {
          features: {
            type: "array",
            items: object({ ...definition, status, details, explain: explained }, [
              ...Object.keys(definition),
              ...["status", "details", "explain"],
            ]),
          },
          sloInfo: refTo("SloInfo"),
          explain: {
            type: "object",
            description: "What the request met: stores, and of each view its records.",
          },
        },
        ["features", "sloInfo", "explain"],
      ),
    },
    ["metadata"],
  ),
  FeatureVectors: object(
    {
      result: { type: "array", items: vector },
      metadata: object(
        {
          features: {
            type: "array",
            items: object(
              {
                ...definition,
                status: { type: "array", items: status },
                details: { type: "array", items: details },
              },
              [...Object.keys(definition), ...["status", "details"]],
            ),
          },
          sloInfo: { type: "array", items: refTo("SloInfo") },
          batchSloInfo: refTo("SloInfo"),
        },
        ["features", "sloInfo", "batchSloInfo"],
      ),
    },
    ["metadata"],
  ),
  ServiceMetadata: object(
    {
      featureServiceType: { const: "DEFAULT" },
      inputJoinKeys: featureInputs,
      inputRequestContextKeys: featureInputs,
      featureValues: featureInputs,
    },
    ["inputRequestContextKeys"],
  ),
  IngestOutcome: object({
    workspaceName: text,
    ingestMetrics: object({
      featureViewIngestMetrics: {
        type: "array",
        items: object({
          featureViewName: text,
          onlineRecordIngestCount: countText,
          offlineRecordIngestCount: countText,
          featureViewId: text,
        }),
      },
      dataSourceIngestMetrics: {
        type: "array",
        items: object(
          {
            dataSourceName: text,
            offlineRecordIngestCount: countText,
            dataSourceId: text,
            duplicateRecordCount: countText,
            conflictingRecordCount: countText,
            filteredRecordCount: countText,
          },
          ["duplicateRecordCount", "conflictingRecordCount", "filteredRecordCount"],
        ),
      },
    }),
  }),
  IngestError: object(
    {
      requestError: object({ errorMessage: text, errorType: text }),
      workspaceName: text,
      recordErrors: {
        type: "array",
        items: object({
          featureViewName: text,
          pushSourceName: text,
          recordIndex: count,
          errorType: text,
          errorMessage: text,
        }),
      },
    },
    ["requestError", "workspaceName", "recordErrors"],
  ),
  RegionStatus: object({
    asOf: orNull({
      ...instant,
      description: "All that was acknowledged at home before it is here.",
    }),
    stale: flag,
    views: {
      type: "object",
      additionalProperties: object({
        cut: { type: "integer" },
        floor: orNull({ type: "integer" }),
      }),
    },
  }),
  Readiness: object(
    {
      status: { enum: ["ready", "notReady"] },
      failed: { type: "array", items: text, description: "Parts that do not answer." },
    },
    ["failed"],
  ),
  Health: object({ status: { const: "ok" } }),
  Error: object({
    error: text,
    code: { type: "integer", description: "The number that gRPC has for it." },
    message: { ...text, description: "As error." },
  }),
};

/** Every property is required but those that are named. */
function object(
  properties: Readonly<Record<string, JsonSchema>>,
  optional: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, ...(required.length > 0 && { required }) };
}
