/** Marks what the builders made, so that nothing unvalidated passes for a definition. */

import { DefinitionError } from "../core/errors.ts";

// Registered, so that two copies of the package in one process know each other's definitions.
const brand = Symbol.for("tilemark.definition");

/** Freezes a definition and marks it as built. */
export function brandDefinition<Definition extends { readonly kind: string }>(
  definition: Definition,
): Definition {
  Object.defineProperty(definition, brand, { value: true });
  return Object.freeze(definition);
}

/** Whether a value is what one of these kinds' builders returned. */
export function isDefinition(value: unknown, ...kinds: readonly string[]): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    brand in value &&
    kinds.includes(String((value as { readonly kind?: unknown }).kind))
  );
}

/** @throws DefinitionError naming the field that holds something else. */
export function checkDefinition(value: unknown, field: FieldOfDefinition): void {
  if (isDefinition(value, ...field.kinds)) return;
  const builders = field.kinds.map((kind) => `${kind}()`).join(" or ");
  throw new DefinitionError(
    `${field.prefix}: ${field.name} is ${describe(value)}, expected what ${builders} returned`,
  );
}

export interface FieldOfDefinition {
  /** The head of the error: `Cannot define view "user_spend"`. */
  readonly prefix: string;
  readonly name: string;
  readonly kinds: readonly string[];
}

/** What a value is, in words for an error. */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") {
    const kind = (value as { readonly kind?: unknown }).kind;
    return typeof kind === "string" ? `an object of kind "${kind}"` : "an object";
  }
  return `a ${typeof value}`;
}
