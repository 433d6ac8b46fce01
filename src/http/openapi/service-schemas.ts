/** What each service takes and answers, from its definition. */

import type { DataType } from "../../core/value.ts";
import type { ServiceDefinition } from "../../define/definition.ts";
import { describeViews } from "../../serve/service-features.ts";
import type { Json } from "../encode-value.ts";
import type { JsonSchema } from "./json-schema.ts";
import { orNull, refTo } from "./json-schema.ts";
import { answeredSchema, exampleOf, sentSchema } from "./value-schemas.ts";

export interface NamedService {
  readonly workspace: string;
  readonly service: ServiceDefinition;
}

/** A service's own schemas, and where it says which they are. */
export interface ServiceDescription {
  readonly schemas: Readonly<Record<string, JsonSchema>>;
  readonly listing: { readonly [key: string]: Json };
  /** `{workspace}.{service}` */
  readonly name: string;
  /** What names it in a request, and a row of it. */
  readonly example: Readonly<Record<"head" | "row", { readonly [key: string]: Json }>>;
}

export function describeService({ workspace, service }: NamedService): ServiceDescription {
  const prefix = `${workspace.replace(/[^A-Za-z0-9_-]/g, "_")}.${service.name}`;
  const joinKeys = new Map(service.views.flatMap((view) => view.joinKeys).map(byName));
  const requestValues = new Map<string, DataType>(
    service.onDemandViews.flatMap((view) => Object.entries(view.request)),
  );
  const schemas = {
    [`${prefix}.JoinKeys`]: inputsSchema(joinKeys, (type) => orNull(sentSchema(type))),
    ...(requestValues.size > 0 && {
      [`${prefix}.RequestContext`]: inputsSchema(requestValues, sentSchema),
    }),
    [`${prefix}.Features`]: featuresSchema(service),
  };
  const [joinKeyMap, ...rest] = Object.keys(schemas).map(refTo) as [JsonSchema, ...JsonSchema[]];
  return {
    schemas,
    listing: {
      workspaceName: workspace,
      featureServiceName: service.name,
      joinKeyMap,
      ...(requestValues.size > 0 && { requestContextMap: rest[0] as JsonSchema }),
      features: rest.at(-1) as JsonSchema,
    },
    name: prefix,
    example: {
      head: { workspaceName: workspace, featureServiceName: service.name },
      row: {
        joinKeyMap: exampleMap(joinKeys),
        ...(requestValues.size > 0 && { requestContextMap: exampleMap(requestValues) }),
      },
    },
  };
}

function byName({ name, type }: { readonly name: string; readonly type: DataType }) {
  return [name, type] as const;
}

function inputsSchema(
  types: ReadonlyMap<string, DataType>,
  schemaOf: (type: DataType) => JsonSchema,
): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries([...types].map(([name, type]) => [name, schemaOf(type)])),
    required: [...types.keys()],
  };
}

function featuresSchema(service: ServiceDefinition): JsonSchema {
  const features = describeViews(service).flatMap((view) => view.features);
  return {
    type: "array",
    prefixItems: features.map(({ name, type, description }) => ({
      title: name,
      ...answeredSchema(type),
      ...(description !== null && { description }),
    })),
    minItems: features.length,
    maxItems: features.length,
  };
}

function exampleMap(types: ReadonlyMap<string, DataType>): Json {
  return Object.fromEntries([...types].map(([name, type]) => [name, exampleOf(type)]));
}
