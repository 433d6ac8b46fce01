/** The request for one vector, in either spelling of its field names. */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import { camelCaseFields, fieldOf, jsonObject, parseEnvelope } from "./parse-envelope.ts";
import type { JsonObject } from "./parse-envelope.ts";

/** What requests for one vector and for many have in common. */
export interface RequestHead {
  readonly serviceName: string;
  readonly workspaceName: string | null;
  readonly metadataOptions: MetadataOptions;
  readonly requestOptions: RequestOptions;
}

/** What an answer is for: join keys, and values for on-demand views. */
export interface RequestRow {
  readonly joinKeyMap: JsonObject;
  readonly requestContextMap: JsonObject;
}

export interface GetFeaturesRequest extends RequestHead, RequestRow {}

export type MetadataOptions = Readonly<Record<MetadataOption, boolean>>;
export type MetadataOption = (typeof metadataOptionNames)[number];

export interface RequestOptions {
  readonly coerceNullCountsToZero: boolean;
  readonly ignoreExtraRequestContextFields: boolean;
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

/** Unknown fields are left to other servers and later versions. */
export const headFields = {
  featureServiceName: text,
  featureServiceId: text,
  workspaceName: text,
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
    z.object({ coerceNullCountsToZero: flag, ignoreExtraRequestContextFields: flag }, "an object"),
  ),
};

export const rowFields = {
  joinKeyMap: z.optional(jsonObject),
  requestContextMap: z.optional(jsonObject),
};

const paramsSchema = z.object({ ...headFields, ...rowFields }, "an object");
type Head = z.infer<z.ZodMiniObject<typeof headFields>>;
type Row = z.infer<z.ZodMiniObject<typeof rowFields>>;

const bodySchema = z.object({ params: paramsSchema }, "an object");

/** @throws FeatureError INVALID_REQUEST naming the field that is wrong. */
export function readGetFeatures(body: unknown): GetFeaturesRequest {
  const { params } = parseEnvelope(bodySchema, respellHead(body));
  return { ...readHead(params), ...readRow(params) };
}

export function readHead(params: Head): RequestHead {
  const { metadataOptions = {}, requestOptions = {} } = params;
  return {
    serviceName: readServiceName(params),
    workspaceName: params.workspaceName ?? null,
    metadataOptions: Object.fromEntries(
      metadataOptionNames.map((name) => [name, metadataOptions[name] ?? false]),
    ) as MetadataOptions,
    requestOptions: {
      coerceNullCountsToZero: requestOptions.coerceNullCountsToZero ?? false,
      ignoreExtraRequestContextFields: requestOptions.ignoreExtraRequestContextFields ?? false,
    },
  };
}

export function readRow({ joinKeyMap = {}, requestContextMap = {} }: Row): RequestRow {
  return { joinKeyMap, requestContextMap };
}

/** The envelope under one spelling; what lies in the two maps is the user's and stays. */
export function respellHead(body: unknown): unknown {
  const params = camelCaseFields(fieldOf(body, "params"));
  if (typeof params !== "object" || params === null) return body;
  return {
    params: {
      ...params,
      metadataOptions: camelCaseFields(fieldOf(params, "metadataOptions")),
      requestOptions: camelCaseFields(fieldOf(params, "requestOptions")),
    },
  };
}

/** Services have no ids but their names. */
function readServiceName(params: Head): string {
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
