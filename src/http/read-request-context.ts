/** The request values that a service's on-demand views take, each of its declared type. */

import { FeatureError } from "../core/errors.ts";
import { roundToFloat32 } from "../core/float32.ts";
import type { DataType, ElementType, ScalarType, Value } from "../core/value.ts";
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
  return new Map(
    [...requestTypesOf(service)].map(([name, type]) => {
      const value = fieldOf(requestContextMap, name) ?? null;
      if (value === null) {
        throw new FeatureError("INVALID_REQUEST", `Missing required request context key: ${name}`);
      }
      return [name, readValue(type, value, { path: name, options })];
    }),
  );
}

/** What all on-demand views that a service runs take, each once; they agree on the types. */
export function requestTypesOf({
  onDemandViews,
}: ServiceDefinition): ReadonlyMap<string, DataType> {
  return new Map(onDemandViews.flatMap(({ request }) => Object.entries(request)));
}

interface Place {
  /** From the name of the request value: `items[3].price`. */
  readonly path: string;
  readonly options: RequestContextOptions;
}

/** The depth is that of the declared type, however deep the value. */
function readValue(type: ElementType, value: unknown, place: Place): Value {
  if (value === null) return null;
  if (typeof type === "string") return readScalar(type, value, place);
  if ("array" in type) {
    if (!Array.isArray(value)) throw refused(place, describeValue(value), "an array");
    return value.map((element: unknown, i) =>
      readValue(type.array, element, { ...place, path: `${place.path}[${i}]` }),
    );
  }
  if ("struct" in type) {
    return Array.isArray(value)
      ? readPositionalStruct(type.struct, value, place)
      : readStruct(type.struct, value, place);
  }
  if (!isJsonObject(value)) throw refused(place, describeValue(value), "an object");
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [
      key,
      readValue(type.map, element, { ...place, path: `${place.path}[${pathKey(key)}]` }),
    ]),
  );
}

type Fields = Readonly<Record<string, ElementType>>;

/** By name, as users write structs; a field left out is null. */
function readStruct(fields: Fields, value: unknown, place: Place): Value {
  if (!isJsonObject(value)) throw refused(place, describeValue(value), "an object or an array");
  if (!place.options.ignoreExtraRequestContextFields) {
    const extra = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
    if (extra !== undefined) {
      const known = Object.keys(fields).join(", ");
      throw refused(place, `an object with a field ${pathKey(extra)}`, `only ${known}`);
    }
  }
  return readFields(fields, place, (name) => fieldOf(value, name));
}

/** By position, as answers hold structs: a value for each field, none left out. */
function readPositionalStruct(fields: Fields, values: readonly unknown[], place: Place): Value {
  const count = Object.keys(fields).length;
  const hasExtra = values.length > count && !place.options.ignoreExtraRequestContextFields;
  if (values.length < count || hasExtra) {
    throw refused(place, `an array of ${values.length} values`, `one for each of ${count} fields`);
  }
  return readFields(fields, place, (_, i) => values[i]);
}

function readFields(
  fields: Fields,
  place: Place,
  valueOf: (name: string, index: number) => unknown,
): Value {
  return Object.entries(fields).map(([name, type], i) =>
    readValue(type, valueOf(name, i) ?? null, { ...place, path: `${place.path}.${name}` }),
  );
}

function readScalar(type: ScalarType | "float32", value: unknown, place: Place): Value {
  if (type === "float64") return readFloat64(value, place);
  if (type === "float32") return readFloat32(value, place);
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
  return number + 0; // -0 becomes 0.
}

function readFloat32(value: unknown, place: Place): number {
  const rounded = roundToFloat32(readFloat64(value, place));
  if (rounded === null) throw refused(place, "past the largest float32", "a float32");
  return rounded;
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
