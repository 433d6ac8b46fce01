/** The join keys of a request, each of the type that the service's views declare. */

import { FeatureError } from "../core/errors.ts";
import type { Scalar } from "../core/value.ts";
import type { Column, EntityDefinition, ServiceDefinition } from "../define/definition.ts";
import { ScalarError, scalarReader } from "../define/read-scalar.ts";
import { fieldOf } from "./parse-envelope.ts";
import type { JsonObject } from "./parse-envelope.ts";

/** @throws FeatureError INVALID_REQUEST naming the key that is missing or of another type. */
export function readJoinKeys(
  service: ServiceDefinition,
  joinKeyMap: JsonObject,
): ReadonlyMap<string, Scalar> {
  const joinKeys = new Map<string, Scalar>();
  for (const { joinKeys: columns } of service.views) {
    for (const { name, type } of columns) {
      if (!joinKeys.has(name)) joinKeys.set(name, readKey({ name, type }, joinKeyMap));
    }
  }
  return joinKeys;
}

/** The join keys of one entity, in its order. @throws FeatureError as `readJoinKeys` does. */
export function readEntityKeys(
  entity: EntityDefinition,
  joinKeyMap: JsonObject,
): readonly Scalar[] {
  return entity.joinKeys.map((column) => readKey(column, joinKeyMap));
}

function readKey({ name, type }: Column, joinKeyMap: JsonObject): Scalar {
  const value = fieldOf(joinKeyMap, name) ?? null;
  if (value === null) {
    throw new FeatureError("INVALID_REQUEST", `Missing required join key: ${name}`);
  }
  try {
    return scalarReader(type)(value);
  } catch (cause) {
    if (!(cause instanceof ScalarError)) throw cause;
    throw new FeatureError("INVALID_REQUEST", `Cannot read join key "${name}": it ${cause.reason}`);
  }
}
