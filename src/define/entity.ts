/** An entity: whose features these are, and the join keys that identify one. */

import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ScalarType } from "../core/value.ts";
import { brandDefinition } from "./brand.ts";
import { checkCount, checkName, checkObject, checkScalarType } from "./check.ts";
import type { EntityDefinition } from "./definition.ts";
import type { carriedTypes } from "./feature-types.ts";

/** Join keys are compared for equality, which floating-point numbers do not lend themselves to. */
export type JoinKeyType = Exclude<ScalarType, "float64">;

export type JoinKeyTypes = Readonly<Record<string, JoinKeyType>>;

export interface Entity<
  Name extends string = string,
  Keys extends JoinKeyTypes = JoinKeyTypes,
> extends EntityDefinition {
  readonly name: Name;
  readonly [carriedTypes]?: { readonly joinKeys: Keys };
}

/**
 * Declares an entity by its join keys. Their order is part of the keys of its records.
 *
 * @throws DefinitionError when a name or a type is not allowed.
 * @example const user = entity("user", { user_id: "string" });
 */
export function entity<const Name extends string, const Keys extends JoinKeyTypes>(
  name: Name,
  joinKeys: Keys,
): Entity<Name, Keys> {
  const prefix = `Cannot define entity "${name}"`;
  checkName(prefix, "its name", name);
  checkObject(prefix, "joinKeys", joinKeys);
  const columns = Object.entries(joinKeys).map(([key, type]) => ({ name: key, type }));
  checkCount(prefix, "joinKeys", {
    count: columns.length,
    min: 1,
    max: limits.viewJoinKeysMax,
  });
  for (const column of columns) {
    checkName(prefix, "a join key", column.name);
    checkScalarType(prefix, `join key "${column.name}"`, column.type);
    if ((column.type as ScalarType) === "float64") {
      throw new DefinitionError(
        `${prefix}: join key "${column.name}" has type "float64", expected "string", "int64", "boolean" or "timestamp"`,
      );
    }
  }
  return brandDefinition<Entity<Name, Keys>>({ kind: "entity", name, joinKeys: columns });
}
