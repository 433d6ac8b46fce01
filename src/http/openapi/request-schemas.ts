/** JSON Schemas of requests' bodies, from the schemas that their handlers check them with. */

import * as z from "zod/mini";
import { limits } from "../../core/limits.ts";
import { headFields, rowFields, vectorFields } from "../read-get-features.ts";
import { partitionTypes, placeTypes, requestTypes } from "../read-ingest.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";

type Fields = Readonly<Record<string, JsonSchema>>;

const { featureServiceName, featureServiceId, workspaceName, ...options } = headFields;
const names = propertiesOf({ featureServiceName, featureServiceId, workspaceName });
/** What may be asked beside; a path that names the service wins over names in the body. */
const asked = propertiesOf(options);
const row = propertiesOf(rowFields);
const vector = { ...row, ...propertiesOf(vectorFields) };

/** One of the names is there, and not both: services have no ids but their names. */
const namesService = {
  oneOf: ["featureServiceName", "featureServiceId"].map((name) => ({
    required: [name],
    properties: { [name]: { type: "string" } },
  })),
};

/** By the name that routes refer to them by. */
export const requestSchemas: Fields = {
  GetFeaturesRequest: inParams({ ...names, ...asked, ...vector }, namesService),
  GetFeaturesOfServiceRequest: inParams({ ...asked, ...vector }),
  GetFeaturesBatchRequest: inParams(withRows({ ...names, ...asked }), {
    required: ["requestData"],
    ...namesService,
  }),
  GetFeaturesBatchOfServiceRequest: inParams(withRows(asked), { required: ["requestData"] }),
  MetadataRequest: inParams(names, namesService),
  IngestRequest: ingestRequest(),
};

function withRows(fields: Fields): Fields {
  return {
    ...fields,
    requestData: {
      type: "array",
      items: { type: "object", properties: row },
      maxItems: limits.batchRowsMax,
    },
  };
}

function inParams(properties: Fields, more: JsonSchema = {}): JsonSchema {
  const params = { type: "object", properties, ...more };
  return { type: "object", properties: { params }, required: ["params"] };
}

/** Records are checked against their source one by one, which a schema of all sources cannot say. */
function ingestRequest(): JsonSchema {
  const request = jsonSchemaOf(requestTypes);
  const properties = request["properties"] as Fields;
  const entry = {
    type: "object",
    properties: { record: { type: "object" }, place: jsonSchemaOf(placeTypes) },
    required: ["record"],
  };
  return {
    ...request,
    properties: {
      ...properties,
      records: { type: "object", additionalProperties: { type: "array", items: entry } },
      partitions: {
        ...properties["partitions"],
        additionalProperties: jsonSchemaOf(partitionTypes),
      },
    },
  };
}

function propertiesOf(fields: Readonly<Record<string, z.ZodMiniType>>): Fields {
  return jsonSchemaOf(z.object(fields))["properties"] as Fields;
}
