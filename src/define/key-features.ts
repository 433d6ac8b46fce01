/** Turns the features of a view with a secondary key into arrays, and adds the keys they go by. */

import type { BoundFunction } from "../aggregate/aggregate.ts";
import { bindKeyed, bindKeys, createKeyedStates } from "../aggregate/keyed-states.ts";
import type { ColumnSlot, KeyedAlgebra } from "../aggregate/keyed-states.ts";
import { formatDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import type { Column, FeatureDefinition, SourceDefinition, ViewDefinition } from "./definition.ts";
import { describe } from "./brand.ts";
import { offsetParts } from "./read-aggregation.ts";

/** A feature whose states are of its column alone. */
export type ColumnFeature = Omit<FeatureDefinition, "bound"> & { readonly bound: BoundFunction };

export interface KeyScope {
  /** The head of errors: `Cannot define view "user_spend"`. */
  readonly prefix: string;
  readonly secondaryKey: Column;
  readonly valueColumns: readonly Column[];
}

/** @throws DefinitionError for a series, and for an aggregation of the key itself. */
export function keyFeatures(
  features: readonly ColumnFeature[],
  slots: readonly ColumnSlot[],
  scope: KeyScope,
): Pick<ViewDefinition, "features" | "slots"> {
  const { secondaryKey, valueColumns } = scope;
  for (const feature of features) checkFeature(feature, scope);
  const algebra = createKeyedStates({
    keyIndex: valueColumns.findIndex(({ name }) => name === secondaryKey.name),
    keyType: secondaryKey.type,
    slots,
  });
  return {
    features: [
      ...features.map((feature) => keyFeature(feature, algebra)),
      ...keysFeatures(features, secondaryKey, algebra),
    ],
    slots: [{ column: null, columnIndex: null, algebra }],
  };
}

/**
 * The column of a secondary key; null for none.
 *
 * @throws DefinitionError
 */
export function readSecondaryKey(
  name: unknown,
  scope: {
    readonly prefix: string;
    readonly source: SourceDefinition;
    readonly joinKeys: readonly Column[];
  },
): Column | null {
  if (name === undefined) return null;
  const { prefix, source, joinKeys } = scope;
  if (typeof name !== "string") {
    throw new DefinitionError(
      `${prefix}: secondaryKey is ${describe(name)}, expected the name of a column`,
    );
  }
  const column = source.columns.find((each) => each.name === name);
  if (column === undefined) {
    const names = source.columns.map((each) => each.name).join(", ");
    throw new DefinitionError(
      `${prefix}: secondaryKey is "${name}", which is not a column of source "${source.name}", expected one of ${names}`,
    );
  }
  if (column.type !== "string" && column.type !== "int64") {
    throw new DefinitionError(
      `${prefix}: secondaryKey "${name}" has type "${column.type}", expected "string" or "int64"`,
    );
  }
  if (joinKeys.some((key) => key.name === name)) {
    throw new DefinitionError(
      `${prefix}: secondaryKey "${name}" is a join key, expected another column`,
    );
  }
  return column;
}

function checkFeature(feature: ColumnFeature, { prefix, secondaryKey }: KeyScope): void {
  if (feature.column === secondaryKey.name) {
    throw new DefinitionError(
      `${prefix}: features.${feature.column} aggregates the secondary key, remove it or choose another key`,
    );
  }
  if (feature.series !== null) {
    throw new DefinitionError(
      `${prefix}: feature "${feature.name}" is a series in a view with a secondary key, give it a single window`,
    );
  }
}

function keyFeature(feature: ColumnFeature, algebra: KeyedAlgebra): FeatureDefinition {
  return placeInRow(feature, bindKeyed(algebra, feature.bound, feature.slotIndexes));
}

/** One a distinct window: `{key}_keys_{window}`. */
function keysFeatures(
  features: readonly ColumnFeature[],
  { name, type }: Column,
  algebra: KeyedAlgebra,
): readonly FeatureDefinition[] {
  const byName = new Map<string, FeatureDefinition>();
  for (const { window } of features) {
    const size = window.sizeMs === null ? "lifetime" : formatDuration(window.sizeMs);
    const named = {
      name: [name, "keys", size, ...offsetParts(window)].join("_"),
      column: name,
      functionName: "keys",
      n: null,
      option: null,
      window,
      series: null,
      description: null,
    };
    byName.set(named.name, placeInRow(named, bindKeys(algebra, type)));
  }
  return [...byName.values()];
}

/** The view has one slot, with all that its features need. */
function placeInRow(
  feature: Omit<FeatureDefinition, "bound" | "output" | "emptyValue" | "slotIndexes">,
  bound: FeatureDefinition["bound"],
): FeatureDefinition {
  const { output, emptyValue } = bound;
  return { ...feature, bound, output, emptyValue, slotIndexes: [0] };
}
