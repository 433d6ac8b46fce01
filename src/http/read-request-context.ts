/** The request values that a service's on-demand views take, each of its declared type. */

import { FeatureError } from "../core/errors.ts";
import type { DataType, ScalarType, Value } from "../core/value.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import { ScalarError, scalarReader } from "../define/read-scalar.ts";
import { describeValue, fieldOf, isJsonObject } from "./parse-envelope.ts";
import type { JsonObject } from "./parse-envelope.ts";

export interface RequestContextOptions {
  /** Whether fields that a struct does not declare are passed over rather than refused. */
  readonly ignoreExtraRequestContextFields: boolean;
}

/**
 * The values by name. Those that nobody declared are passed over; null is as good as missing.
 *
 * @throws FeatureError INVALID_REQUEST naming the value that is missing or of another type.
 */
export function readRequestContext(
  service: ServiceDefinition,
  requestContextMap: JsonObject,
  options: RequestContextOptions,
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const { request } of service.onDemandViews) {
    for (const [name, type] of Object.entries(request)) {
      if (values.has(name)) continue;
      const value = fieldOf(requestContextMap, name) ?? null;
      if (value === null) {
        throw new FeatureError("INVALID_REQUEST", `Missing required request context key: ${name}`);
      }
      values.set(name, readValue(type, value, { path: name, options }));
    }
  }
  return values;
}

interface Place {
  /** From the name of the request value: `items[3].price`. */
  readonly path: string;
  readonly options: RequestContextOptions;
}

/** The depth is that of the declared type, however deep the value. */
function readValue(type: DataType, value: unknown, place: Place): Value {
  if (value === null) return null;
  if (typeof type === "string") return readScalar(type, value, place);
  if ("array" in type) {
    if (!Array.isArray(value)) throw refused(place, describeValue(value), "an array");
    return value.map((element: unknown, i) =>
      readValue(type.array, element, { ...place, path: `${place.path}[${i}]` }),
    );
  }
  if (!isJsonObject(value)) throw refused(place, describeValue(value), "an object");
  if ("struct" in type) return readStruct(type.struct, value, place);
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [
      key,
      readValue(type.map, element, { ...place, path: `${place.path}[${pathKey(key)}]` }),
    ]),
  );
}

/** Positional, in the order of its fields; a field left out is null. */
function readStruct(
  fields: Readonly<Record<string, DataType>>,
  value: JsonObject,
  place: Place,
): Value {
  if (!place.options.ignoreExtraRequestContextFields) {
    const extra = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
    if (extra !== undefined) {
      const known = Object.keys(fields).join(", ");
      throw refused(place, `an object with a field ${pathKey(extra)}`, `only ${known}`);
    }
  }
  return Object.entries(fields).map(([name, type]) =>
    readValue(type, fieldOf(value, name) ?? null, { ...place, path: `${place.path}.${name}` }),
  );
}

function readScalar(type: ScalarType, value: unknown, place: Place): Value {
  if (type === "float64") return readFloat64(value, place);
  if (type === "boolean") {
    if (typeof value === "boolean") return value;
    throw refused(place, describeValue(value), "true or false");
  }
  try {
    return scalarReader(type)(value);
  } catch (cause) {
    if (!(cause instanceof ScalarError)) throw cause;
    throw new FeatureError("INVALID_REQUEST", `${headOf(place)} ${cause.reason}`);
  }
}

const nonFinite: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

/** JSON has no words for NaN and the infinities, so strings stand for them; for nothing else. */
function readFloat64(value: unknown, place: Place): number {
  const number = nonFinite.get(value) ?? value;
  if (typeof number !== "number") throw refused(place, describeValue(value), "a float64");
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw refused(place, "past the largest double", "a float64");
  }
  return number;
}

function refused(place: Place, found: string, expected: string): FeatureError {
  return new FeatureError("INVALID_REQUEST", `${headOf(place)} is ${found}, expected ${expected}`);
}

function headOf({ path }: Place): string {
  return `Cannot read request context key "${path}": it`;
}

function pathKey(key: string): string {
  return JSON.stringify(key.slice(0, 64));
}
