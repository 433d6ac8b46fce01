/** Checks the envelope of a request: its own fields, not the values that users put in it. */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";

/** A JSON object of which nothing is known; read it with `Object.hasOwn` alone. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Any JSON object, not copied. */
export const jsonObject = z.custom<JsonObject>(isJsonObject, "an object");

/**
 * Checks a value against a schema whose messages each say what is expected: "a string".
 *
 * @throws FeatureError INVALID_REQUEST naming the first field that is wrong.
 */
export function parseEnvelope<Output>(schema: z.ZodMiniType<Output>, value: unknown): Output {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0] as z.core.$ZodIssue;
  const path = issue.path.map(String);
  const found = describeValue(path.reduce(fieldOf, value));
  const subject = path.length === 0 ? "its body" : `"${path.join(".").slice(0, 128)}"`;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot read request: ${subject} is ${found}, expected ${issue.message}`,
  );
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * An object's fields under their camel-case names: `join_key_map` is `joinKeyMap`. Null is as good
 * as absent, so null fields are left out. Anything else comes back as it is.
 */
export function camelCaseFields(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [camelCase(name), field]),
  );
}

/** An own field of an object; undefined where there is none. */
export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as JsonObject)[name];
}

/** What a value is, without the value: a message is no place for someone's data. */
export function describeValue(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
