/** The request for one vector, in either spelling of its field names. */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { camelCaseFields, fieldOf, jsonObject, parseEnvelope } from "./parse-envelope.ts";
import type { JsonObject } from "./parse-envelope.ts";
import type { ServicePath } from "./service-path.ts";

/** What requests for one vector and for many have in common. */
export interface RequestHead {
  readonly serviceName: string;
  readonly workspaceName: string | null;
  /** Whether views past the size limit are left out rather than an error. */
  readonly allowPartialResults: boolean;
  readonly metadataOptions: MetadataOptions;
  readonly requestOptions: RequestOptions;
}

/** What an answer is for: join keys, and values for on-demand views. */
export interface RequestRow {
  readonly joinKeyMap: JsonObject;
  readonly requestContextMap: JsonObject;
}

export interface GetFeaturesRequest extends RequestHead, RequestRow {
  /** Whether the answer says what each value was made of. */
  readonly explain: boolean;
}

export type MetadataOptions = Readonly<Record<MetadataOption, boolean>>;
export type MetadataOption = (typeof metadataOptionNames)[number];

export interface RequestOptions {
  readonly coerceNullCountsToZero: boolean;
  readonly ignoreExtraRequestContextFields: boolean;
  /** Whether the answer may come from a serving cache, and be kept in one. */
  readonly readFromCache: boolean;
  readonly writeToCache: boolean;
  /**
   * How long the answer may take, from the request's start: views that are late then are left out.
   * Null where there is none: the deadline is the server's, and being late an error.
   */
  readonly latencyBudgetMs: number | null;
}

const metadataOptionNames = [
  "includeNames",
  "includeDataTypes",
  "includeEffectiveTimes",
  "includeSloInfo",
  "includeServingStatus",
  "includeFeatureDescriptions",
  "includeFeatureTags",
  /** Ours: why a value is not all that it should be, and the bounds that it is exact for. */
  "includeDetails",
] as const;

const text = z.optional(z.string("a string"));
const flag = z.optional(z.boolean("true or false"));

const wantedBudget = "a number of milliseconds, at least 1";
const decimalText = z.regex(/^0*[1-9]\d{0,8}(?:\.\d{1,9})?$/, wantedBudget);

/** A number, or its decimal text. */
const budget = z.optional(
  z.union(
    [
      z.number(wantedBudget).check(z.gte(1, wantedBudget)),
      z.string(wantedBudget).check(decimalText),
    ],
    wantedBudget,
  ),
);

const leadingEdge = z.optional(
  z.literal(
    "AGGREGATION_MODE_WALL_CLOCK_TIME",
    '"AGGREGATION_MODE_WALL_CLOCK_TIME": windows here end at the instant of the request, not of the latest event',
  ),
);

/** Unknown fields are left to other servers and later versions. */
export const headFields = {
  featureServiceName: text,
  featureServiceId: text,
  workspaceName: text,
  allowPartialResults: flag,
  metadataOptions: z.optional(
    z.object(
      Object.fromEntries(metadataOptionNames.map((name) => [name, flag])) as Record<
        MetadataOption,
        typeof flag
      >,
      "an object",
    ),
  ),
  requestOptions: z.optional(
    z.object(
      {
        coerceNullCountsToZero: flag,
        ignoreExtraRequestContextFields: flag,
        readFromCache: flag,
        writeToCache: flag,
        latencyBudgetMs: budget,
        aggregationLeadingEdge: leadingEdge,
      },
      "an object",
    ),
  ),
};

const nameSchema = z.object(
  {
    params: z.object(
      { featureServiceName: text, featureServiceId: text, workspaceName: text },
      "an object",
    ),
  },
  "an object",
);

export const rowFields = {
  joinKeyMap: z.optional(jsonObject),
  requestContextMap: z.optional(jsonObject),
};

/** What may be asked of one vector alone. */
export const vectorFields = { explain: flag };

const paramsSchema = z.object({ ...headFields, ...rowFields, ...vectorFields }, "an object");
type Head = z.infer<z.ZodMiniObject<typeof headFields>>;
type Row = z.infer<z.ZodMiniObject<typeof rowFields>>;

const bodySchema = z.object({ params: paramsSchema }, "an object");

/**
 * @param path - Of a v2 request; null where the body names the service.
 * @throws FeatureError INVALID_REQUEST naming the field that is wrong.
 */
export function readGetFeatures(body: unknown, path: ServicePath | null): GetFeaturesRequest {
  const { params } = parseEnvelope(bodySchema, respellHead(body, path));
  return { ...readHead(params), ...readRow(params), explain: params.explain ?? false };
}

/**
 * The service that a body names, whatever else is in it.
 *
 * @throws FeatureError INVALID_REQUEST naming the field that is wrong.
 */
export function readServiceName(body: unknown): Pick<RequestHead, "serviceName" | "workspaceName"> {
  const { params } = parseEnvelope(nameSchema, respellHead(body, null));
  return { serviceName: chooseName(params), workspaceName: params.workspaceName ?? null };
}

export function readHead(params: Head): RequestHead {
  const { metadataOptions = {}, requestOptions = {} } = params;
  return {
    serviceName: chooseName(params),
    workspaceName: params.workspaceName ?? null,
    allowPartialResults: params.allowPartialResults ?? false,
    metadataOptions: Object.fromEntries(
      metadataOptionNames.map((name) => [name, metadataOptions[name] ?? false]),
    ) as MetadataOptions,
    requestOptions: {
      coerceNullCountsToZero: requestOptions.coerceNullCountsToZero ?? false,
      ignoreExtraRequestContextFields: requestOptions.ignoreExtraRequestContextFields ?? false,
      readFromCache: requestOptions.readFromCache ?? true,
      writeToCache: requestOptions.writeToCache ?? true,
      latencyBudgetMs: readBudget(requestOptions.latencyBudgetMs),
    },
  };
}

/** A longer budget than there may be is kept by answering sooner. */
function readBudget(budgetMs: number | string | undefined): number | null {
  return budgetMs === undefined ? null : Math.min(Number(budgetMs), limits.latencyBudgetMsMax);
}

export function readRow({ joinKeyMap = {}, requestContextMap = {} }: Row): RequestRow {
  return { joinKeyMap, requestContextMap };
}

/** The envelope under one spelling; what lies in the two maps is the user's and stays. */
export function respellHead(body: unknown, path: ServicePath | null): unknown {
  const params = camelCaseFields(fieldOf(body, "params"));
  if (typeof params !== "object" || params === null) return body;
  const { serviceName: featureServiceName, workspaceName } = path ?? {};
  return {
    params: {
      ...params,
      ...(path !== null && { featureServiceName, workspaceName, featureServiceId: undefined }),
      metadataOptions: camelCaseFields(fieldOf(params, "metadataOptions")),
      requestOptions: camelCaseFields(fieldOf(params, "requestOptions")),
    },
  };
}

/** Services have no ids but their names. */
function chooseName(params: Pick<Head, "featureServiceName" | "featureServiceId">): string {
  const { featureServiceName: name, featureServiceId: id } = params;
  if (name !== undefined && id !== undefined) {
    throw new FeatureError(
      "INVALID_REQUEST",
      "Cannot read request: it has both featureServiceName and featureServiceId, expected one of them",
    );
  }
  const known = name ?? id;
  if (known !== undefined) return known;
  throw new FeatureError(
    "INVALID_REQUEST",
    'Cannot read request: "params.featureServiceName" is missing, expected a string',
  );
}
