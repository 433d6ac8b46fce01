/** Reads the join keys of a view: the columns that identify its records. */

import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { checkDefinition, describe } from "./brand.ts";
import { checkCount } from "./check.ts";
import type { Column, EntityDefinition, SourceDefinition } from "./definition.ts";

/**
 * The join keys of all entities, each once and each a column of the source.
 *
 * @throws DefinitionError
 */
export function readViewJoinKeys(
  prefix: string,
  config: {
    readonly entities: readonly EntityDefinition[];
    readonly source: SourceDefinition;
  },
): readonly Column[] {
  if (!Array.isArray(config.entities)) {
    throw new DefinitionError(
      `${prefix}: entities is ${describe(config.entities)}, expected an array`,
    );
  }
  checkCount(prefix, "entities", {
    count: config.entities.length,
    min: 1,
    max: limits.viewJoinKeysMax,
  });
  const joinKeys: Column[] = [];
  config.entities.forEach((entity, i) => {
    checkDefinition(entity, { prefix, name: `entities[${i}]`, kinds: ["entity"] });
    for (const key of entity.joinKeys) {
      checkJoinKey(`${prefix}: join key "${key.name}" of entity "${entity.name}"`, key, {
        source: config.source,
        earlier: joinKeys,
      });
      joinKeys.push(key);
    }
  });
  checkCount(prefix, "the join keys of its entities", {
    count: joinKeys.length,
    min: 1,
    max: limits.viewJoinKeysMax,
  });
  return joinKeys;
}

function checkJoinKey(
  prefix: string,
  key: Column,
  among: { readonly source: SourceDefinition; readonly earlier: readonly Column[] },
): void {
  const { source, earlier } = among;
  if (earlier.some(({ name }) => name === key.name)) {
    throw new DefinitionError(`${prefix} is a join key already, expected each one once`);
  }
  const column = source.columns.find(({ name }) => name === key.name);
  if (column === undefined) {
    throw new DefinitionError(
      `${prefix} is not a column of source "${source.name}", add it there with type "${key.type}"`,
    );
  }
  if (column.type !== key.type) {
    throw new DefinitionError(
      `${prefix} has type "${key.type}" and its column in source "${source.name}" has type "${column.type}", make them the same`,
    );
  }
}
