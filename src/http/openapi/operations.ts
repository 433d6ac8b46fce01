/** The routes of the API as a document lists them. Those under `/admin` are of this version's own tools. */

import { contentTypes } from "../encodings/choose-encoding.ts";
import { idempotencyKeyHeader } from "../read-ingest.ts";
import { seenHeader } from "../seen-token.ts";
import { workspaceHeader } from "../workspace.ts";
import { refTo } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";

export interface Operation {
  readonly method: "get" | "post";
  /** With names of parameters in braces. */
  readonly path: string;
  readonly id: string;
  readonly tag: "Features" | "Ingest" | "Operation";
  readonly summary: string;
  readonly description?: string;
  /** Left out where it needs no credentials. */
  readonly scope?: string;
  readonly parameters?: readonly Parameter[];
  /** The name of a request's schema. */
  readonly request?: string;
  readonly answer: Content;
  readonly answerHeaders?: readonly Parameter[];
  /** Statuses of errors. */
  readonly failures: readonly number[];
  /** What errors are, where they are not what they are elsewhere. */
  readonly failure?: JsonSchema;
}

export interface Parameter {
  readonly name: string;
  readonly in: "header" | "path" | "query";
  readonly description: string;
  readonly schema: JsonSchema;
}

/** Schemas by content type. */
export type Content = Readonly<Record<string, JsonSchema>>;

const text = { type: "string" };

const seen: Parameter = {
  name: seenHeader,
  in: "header",
  schema: text,
  description:
    "What earlier answers for the entity carried, so that this one is not older; empty to begin with. The answer carries the next.",
};

const workspaceHere: Parameter = {
  name: workspaceHeader,
  in: "header",
  schema: text,
  description: "The workspace, where there are several.",
};

const workspacePath: Parameter = {
  name: "workspace",
  in: "path",
  schema: text,
  description: "The workspace.",
};
const servicePath: Parameter = {
  name: "service",
  in: "path",
  schema: text,
  description: "The feature service. It wins over names in the body.",
};
const inPath = [workspacePath, servicePath];

const servingFailures = [400, 401, 403, 404, 406, 413, 429, 500, 503, 504];
const v1 = "/api/v1/feature-service";
const v2 = "/api/v2/workspaces/{workspace}/feature-services/{service}";

const getFeatures = {
  method: "post",
  tag: "Features",
  scope: "read",
  answer: encoded("FeatureVector"),
  answerHeaders: [seen],
  failures: servingFailures,
} as const;

const getFeaturesBatch = {
  ...getFeatures,
  answer: encoded("FeatureVectors"),
  answerHeaders: [],
} as const;

const getMetadata = {
  tag: "Features",
  scope: "read",
  answer: json("ServiceMetadata"),
  failures: [400, 401, 403, 404, 413, 429, 500, 503],
} as const;

export const operations: readonly Operation[] = [
  {
    ...getFeatures,
    path: `${v1}/get-features`,
    id: "getFeatures",
    summary: "One feature vector",
    parameters: [seen],
    request: "GetFeaturesRequest",
  },
  {
    ...getFeaturesBatch,
    path: `${v1}/get-features-batch`,
    id: "getFeaturesBatch",
    summary: "Feature vectors of many rows, in their order",
    request: "GetFeaturesBatchRequest",
  },
  {
    ...getMetadata,
    method: "post",
    path: `${v1}/metadata`,
    id: "getMetadata",
    summary: "What a feature service takes and answers",
    request: "MetadataRequest",
  },
  {
    ...getFeatures,
    path: `${v2}/get-features`,
    id: "getFeaturesOfService",
    summary: "One feature vector of the service in the path",
    parameters: [...inPath, seen],
    request: "GetFeaturesOfServiceRequest",
  },
  {
    ...getFeaturesBatch,
    path: `${v2}/get-features-batch`,
    id: "getFeaturesBatchOfService",
    summary: "Feature vectors of many rows of the service in the path",
    parameters: inPath,
    request: "GetFeaturesBatchOfServiceRequest",
  },
  {
    ...getMetadata,
    method: "get",
    path: `${v2}/metadata`,
    id: "getMetadataOfService",
    summary: "What the service in the path takes and answers",
    parameters: inPath,
  },
  {
    method: "post",
    path: "/ingest",
    id: "ingest",
    tag: "Ingest",
    summary: "Events into the log: all records of a request, or none",
    description:
      "When it answers 200 the records are in the log and count in every answer of this region from then on.",
    scope: "ingest",
    parameters: [
      {
        name: idempotencyKeyHeader,
        in: "header",
        schema: text,
        description: "Names the request: one that is sent again under the same key counts once.",
      },
    ],
    request: "IngestRequest",
    answer: json("IngestOutcome"),
    failures: [400, 401, 403, 404, 413, 422, 429, 500, 503],
    failure: refTo("IngestError"),
  },
  {
    method: "get",
    path: "/region",
    id: "getRegion",
    tag: "Operation",
    summary: "How far a region has come in following its home",
    scope: "read",
    parameters: [workspaceHere],
    answer: json("RegionStatus"),
    failures: [401, 403, 404, 429, 500, 503],
  },
  {
    method: "get",
    path: "/healthz",
    id: "getHealth",
    tag: "Operation",
    summary: "Whether the server is there",
    answer: json("Health"),
    failures: [],
  },
  {
    method: "get",
    path: "/readyz",
    id: "getReadiness",
    tag: "Operation",
    summary: "Whether requests can be answered here",
    answer: json("Readiness"),
    failures: [503],
    failure: refTo("Readiness"),
  },
  ...["/metrics", "/api/v1/observability/metrics"].map((path, i): Operation => {
    return {
      method: "get",
      path,
      id: ["getMetrics", "getMetricsV1"][i] as string,
      tag: "Operation",
      summary: "What this process has measured, for Prometheus",
      scope: "metrics",
      answer: { "text/plain": text, "application/openmetrics-text": text },
      failures: [401, 403, 429],
    };
  }),
  {
    method: "get",
    path: "/openapi.json",
    id: "getDocument",
    tag: "Operation",
    summary: "This document",
    answer: { "application/json": { type: "object" } },
    failures: [401, 429],
  },
  {
    method: "get",
    path: "/docs",
    id: "getDocumentPage",
    tag: "Operation",
    summary: "This document as a page",
    answer: { "text/html": text },
    failures: [401, 429],
  },
];

function json(name: string): Content {
  return { [contentTypes.json]: refTo(name) };
}

function encoded(name: string): Content {
  return {
    ...json(name),
    [contentTypes.msgpack]: {
      description: "The same, with int64s as integers and float64s as doubles.",
      ...refTo(name),
    },
    [contentTypes.arrow]: {
      type: "string",
      format: "binary",
      description: "A column a feature, a row a vector, where the server has Arrow.",
    },
  };
}
