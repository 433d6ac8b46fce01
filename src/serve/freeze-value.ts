/** Values as transforms get them: frozen, int64s as bigints, structs by the names of their fields. */

import type { ElementType, Value } from "../core/value.ts";

/** A frozen copy of a value of the type. Nulls stay null at any depth. */
export function freezeValue(type: ElementType, value: Value): unknown {
  if (value === null) return null;
  if (type === "int64") return BigInt(value as number | bigint);
  if (typeof type === "string") return value;
  if ("array" in type) {
    return Object.freeze((value as readonly Value[]).map((each) => freezeValue(type.array, each)));
  }
  const fields =
    "struct" in type
      ? Object.entries(type.struct).map(([name, field], i) => {
          return [name, freezeValue(field, (value as readonly Value[])[i] ?? null)] as const;
        })
      : Object.entries(value).map(([key, each]) => {
          return [key, freezeValue(type.map, each as Value)] as const;
        });
  return Object.freeze(Object.fromEntries(fields));
}
