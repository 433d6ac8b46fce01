/** JSON Schemas of what handlers check requests with, so that a document cannot say anything else. */

import * as z from "zod/mini";
import { assert } from "../../core/errors.ts";
import type { Json } from "../encode-value.ts";
import { jsonObject } from "../parse-envelope.ts";

export type JsonSchema = { readonly [keyword: string]: Json };

/**
 * The schema of an envelope. A field that may be left out may be null, as requests are read.
 *
 * @param schema - As `parseEnvelope` takes it, of objects whose fields are respelled.
 */
export function jsonSchemaOf(schema: z.ZodMiniType): JsonSchema {
  const { $schema: _, ...converted } = z.toJSONSchema(schema, {
    target: "draft-2020-12",
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type !== "custom") return;
      assert(
        zodSchema === (jsonObject as unknown),
        "the one schema of a kind of its own is an object",
      );
      jsonSchema.type = "object";
    },
  });
  return allowNulls(converted as JsonSchema);
}

function allowNulls(schema: JsonSchema): JsonSchema {
  const {
    properties,
    required = [],
    items,
  } = schema as {
    readonly properties?: Readonly<Record<string, JsonSchema>>;
    readonly required?: readonly string[];
    readonly items?: JsonSchema;
  };
  return {
    ...schema,
    ...(items !== undefined && { items: allowNulls(items) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, each]) => {
          const inner = allowNulls(each);
          return [name, required.includes(name) ? inner : orNull(inner)];
        }),
      ),
    }),
  };
}

/** The schema, or null. */
export function orNull(schema: JsonSchema): JsonSchema {
  const { type, const: constant, enum: values } = schema;
  return typeof type === "string" && constant === undefined && values === undefined
    ? { ...schema, type: [type, "null"] }
    : { anyOf: [schema, { type: "null" }] };
}

/** A schema of the document, by its name. */
export function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}
