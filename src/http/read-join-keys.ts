/** The join keys of a request, each of the type that the service's views declare. */

import { FeatureError } from "../core/errors.ts";
import type { Scalar } from "../core/value.ts";
import type { Column, EntityDefinition, ServiceDefinition } from "../define/definition.ts";
import { ScalarError, scalarReader } from "../define/read-scalar.ts";
import type { JoinKeys } from "../serve/answer-service.ts";
import { fieldOf } from "./parse-envelope.ts";
import type { JsonObject } from "./parse-envelope.ts";

/**
 * A key that the request says is null stays null: clients send it for an entity that they do not
 * know. One that is left out is a mistake.
 *
 * @throws FeatureError INVALID_REQUEST naming the key that is missing or of another type.
 */
export function readJoinKeys(service: ServiceDefinition, joinKeyMap: JsonObject): JoinKeys {
  return new Map(
    joinKeysOf(service).map((column) => {
      const isNull = fieldOf(joinKeyMap, column.name) === null;
      return [column.name, isNull ? null : readKey(column, joinKeyMap)];
    }),
  );
}

/** Those of all its views, each once, in the order of the views. */
export function joinKeysOf({ views }: ServiceDefinition): readonly Column[] {
  const columns = views.flatMap(({ joinKeys }) => joinKeys);
  return [...new Map(columns.map((column) => [column.name, column])).values()];
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
