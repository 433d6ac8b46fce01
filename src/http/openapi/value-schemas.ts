/** JSON Schemas of values of declared types, as requests may send them and as answers hold them. */

import type { ElementType, ScalarType } from "../../core/value.ts";
import { orNull } from "./json-schema.ts";
import type { JsonSchema } from "./json-schema.ts";

type Scalars = Readonly<Record<ScalarType | "float32", JsonSchema>>;

const decimal = { type: "string", pattern: "^-?\\d{1,19}$" };
const nonFinite = { enum: ["NaN", "Infinity", "-Infinity"] };
const anyNumber = { anyOf: [{ type: "number" }, nonFinite] };
const instant = { type: "string", format: "date-time" };

const answered: Scalars = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  int64: decimal,
  float64: anyNumber,
  float32: anyNumber,
  timestamp: instant,
};

const sent: Scalars = {
  ...answered,
  int64: { anyOf: [{ type: "integer" }, decimal] },
  timestamp: {
    anyOf: [{ type: "string" }, { type: "integer" }],
    description: "RFC 3339, or milliseconds since 1970",
  },
};

/** A value of an answer, which may be null at any depth. Structs are arrays in the order of their fields. */
export function answeredSchema(type: ElementType): JsonSchema {
  if (typeof type === "string") return orNull(answered[type]);
  if ("array" in type) return orNull({ type: "array", items: answeredSchema(type.array) });
  if ("map" in type) {
    return orNull({ type: "object", additionalProperties: answeredSchema(type.map) });
  }
  const fields = Object.entries(type.struct);
  return orNull({
    type: "array",
    prefixItems: fields.map(([name, field]) => ({ title: name, ...answeredSchema(field) })),
    minItems: fields.length,
    maxItems: fields.length,
  });
}

/** A value of a request, which is not null itself. Structs are objects, or arrays as in answers. */
export function sentSchema(type: ElementType): JsonSchema {
  if (typeof type === "string") return sent[type];
  if ("array" in type) return { type: "array", items: orNull(sentSchema(type.array)) };
  if ("map" in type) {
    return { type: "object", additionalProperties: orNull(sentSchema(type.map)) };
  }
  const fields = Object.entries(type.struct).map(
    ([name, field]) => [name, orNull(sentSchema(field))] as const,
  );
  return {
    anyOf: [
      { type: "object", properties: Object.fromEntries(fields) },
      { type: "array", prefixItems: fields.map(([title, field]) => ({ title, ...field })) },
    ],
  };
}

/** A value of the type, for an example. */
export function exampleOf(type: ElementType) {
  if (typeof type === "string") return examples[type];
  return "array" in type ? [] : {};
}

const examples = {
  string: "a",
  boolean: true,
  int64: "1",
  float64: 9.5,
  float32: 0.5,
  timestamp: "2026-01-31T12:00:00Z",
} as const;
