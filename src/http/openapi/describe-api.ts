/** The OpenAPI document of an app: https://spec.openapis.org/oas/v3.1.1.html */

import type { Json } from "../encode-value.ts";
import { errorCodeHeader, errorStatuses, retryableHeader } from "../errors.ts";
import { answerSchemas } from "./answer-schemas.ts";
import { refTo } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";
import { operations } from "./operations.ts";
import type { Content, Operation, Parameter } from "./operations.ts";
import { requestSchemas } from "./request-schemas.ts";
import { describeService } from "./service-schemas.ts";
import type { NamedService, ServiceDescription } from "./service-schemas.ts";

export interface ApiSubject {
  /** Those that the document tells of. */
  readonly services: readonly NamedService[];
  /** Whether credentials are asked for. */
  readonly secured: boolean;
}

export type OpenApiDocument = { readonly [key: string]: Json };

/**
 * Every route but those of the admin tools, and what each service takes and answers.
 *
 * @example
 * const [...services] = repository.services.values();
 * const named = services.map((service) => ({ workspace: "prod", service }));
 * JSON.stringify(describeApi({ services: named, secured: true }));
 */
export function describeApi({ services, secured }: ApiSubject): OpenApiDocument {
  const described = services.map(describeService);
  return {
    openapi: "3.1.1",
    info: {
      title: "tilemark",
      version: "1",
      summary: "Online feature serving",
      description:
        "Fields are told in camel case; snake case is read as well. Fields that are not told are passed over. Errors are JSON whatever is accepted.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: ["Features", "Ingest", "Operation"].map((name) => ({ name })),
    paths: pathsOf(described, secured),
    components: {
      schemas: Object.assign({}, requestSchemas, answerSchemas, ...described.map(schemasOf)) as {
        readonly [key: string]: Json;
      },
      ...(secured && { securitySchemes }),
    },
    "x-tilemark-services": described.map(({ listing }) => listing),
  };
}

const securitySchemes = {
  tectonKey: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: "`Tecton-key`, a space and the key.",
  },
  bearer: { type: "http", scheme: "bearer", description: "The key, or a token." },
};

function schemasOf({ schemas }: ServiceDescription): ServiceDescription["schemas"] {
  return schemas;
}

function pathsOf(described: readonly ServiceDescription[], secured: boolean): Json {
  const paths = new Map<string, Record<string, Json>>();
  for (const operation of operations) {
    const methods = paths.get(operation.path) ?? {};
    methods[operation.method] = describeOperation(operation, described, secured);
    paths.set(operation.path, methods);
  }
  return Object.fromEntries(paths);
}

function describeOperation(
  operation: Operation,
  described: readonly ServiceDescription[],
  secured: boolean,
): Json {
  const { id, tag, summary, description, scope, parameters = [], request } = operation;
  const scoped = secured && scope !== undefined;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(scoped && {
      security: [{ tectonKey: [] }, { bearer: [] }],
      "x-tilemark-scope": scope,
    }),
    ...(parameters.length > 0 && { parameters: parameters.map(writeParameter) }),
    ...(request !== undefined && {
      requestBody: {
        required: true,
        content: { "application/json": { schema: refTo(request), ...examplesOf(id, described) } },
      },
    }),
    responses: responsesOf(operation, secured),
  };
}

function writeParameter(parameter: Parameter): Json {
  const { name, in: place, description, schema } = parameter;
  return { name, in: place, description, schema, required: place === "path" };
}

/** One a service, where a body for it can be told from its definition. */
function examplesOf(id: string, described: readonly ServiceDescription[]): JsonSchema {
  if (described.length === 0) return {};
  const write = exampleWriters.get(id);
  if (write === undefined) return {};
  return {
    examples: Object.fromEntries(
      described.map(({ name, example }) => [name, { value: write(example) }]),
    ),
  };
}

type Example = ServiceDescription["example"];

const exampleWriters: ReadonlyMap<string, (example: Example) => Json> = new Map([
  ["getFeatures", ({ head, row }: Example): Json => ({ params: { ...head, ...row } })],
  [
    "getFeaturesBatch",
    ({ head, row }: Example): Json => {
      return { params: { ...head, requestData: [row] } };
    },
  ],
  ["getMetadata", ({ head }: Example): Json => ({ params: head })],
]);

function responsesOf(operation: Operation, secured: boolean): Json {
  const { answer, answerHeaders = [], failures, failure } = operation;
  const told = failures.filter((status) => secured || ![401, 403].includes(status));
  return {
    "200": {
      description: "The answer.",
      ...(answerHeaders.length > 0 && { headers: headersOf(answerHeaders) }),
      content: contentOf(answer),
    },
    ...Object.fromEntries(
      told.map((status) => [String(status), failureOf(status, failure ?? refTo("Error"))]),
    ),
  };
}

function failureOf(status: number, schema: JsonSchema): Json {
  const codes = errorStatuses.filter((each) => each.status === status).map(({ code }) => code);
  return {
    description: codes.join(", "),
    headers: headersOf(failureHeaders(status)),
    content: contentOf({ "application/json": schema }),
  };
}

function failureHeaders(status: number): readonly Parameter[] {
  const header = (name: string, description: string, schema: JsonSchema): Parameter => {
    return { name, in: "header", description, schema };
  };
  return [
    header(errorCodeHeader, "The error by name.", { type: "string" }),
    header(retryableHeader, "Whether the same request may succeed later.", {
      enum: ["true", "false"],
    }),
    ...([429, 503].includes(status)
      ? [header("retry-after", "When to come back, in seconds.", { type: "integer" })]
      : []),
  ];
}

function headersOf(headers: readonly Parameter[]): Json {
  return Object.fromEntries(
    headers.map(({ name, description, schema }) => [name, { description, schema }]),
  );
}

function contentOf(content: Content): Json {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}
