/** The request for one vector, in either spelling of its field names. */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import { camelCaseFields, fieldOf, jsonObject, parseEnvelope } from "./parse-envelope.ts";
import type { JsonObject } from "./parse-envelope.ts";

export interface GetFeaturesRequest {
  readonly serviceName: string;
  readonly workspaceName: string | null;
  readonly joinKeyMap: JsonObject;
  readonly requestContextMap: JsonObject;
  readonly metadataOptions: MetadataOptions;
  readonly requestOptions: RequestOptions;
}

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
const paramsSchema = z.object(
  {
    featureServiceName: text,
    featureServiceId: text,
    workspaceName: text,
    joinKeyMap: z.optional(jsonObject),
    requestContextMap: z.optional(jsonObject),
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
        { coerceNullCountsToZero: flag, ignoreExtraRequestContextFields: flag },
        "an object",
      ),
    ),
  },
  "an object",
);

const bodySchema = z.object({ params: paramsSchema }, "an object");

/** @throws FeatureError INVALID_REQUEST naming the field that is wrong. */
export function readGetFeatures(body: unknown): GetFeaturesRequest {
  const { params } = parseEnvelope(bodySchema, respell(body));
  const { metadataOptions = {}, requestOptions = {} } = params;
  return {
    serviceName: readServiceName(params),
    workspaceName: params.workspaceName ?? null,
    joinKeyMap: params.joinKeyMap ?? {},
    requestContextMap: params.requestContextMap ?? {},
    metadataOptions: Object.fromEntries(
      metadataOptionNames.map((name) => [name, metadataOptions[name] ?? false]),
    ) as MetadataOptions,
    requestOptions: {
      coerceNullCountsToZero: requestOptions.coerceNullCountsToZero ?? false,
      ignoreExtraRequestContextFields: requestOptions.ignoreExtraRequestContextFields ?? false,
    },
  };
}

/** The envelope under one spelling; what lies in the two maps is the user's and stays. */
function respell(body: unknown): unknown {
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
function readServiceName(params: z.infer<typeof paramsSchema>): string {
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
