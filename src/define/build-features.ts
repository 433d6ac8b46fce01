/** Builds a view's features from its aggregations, and the slots that hold their states. */

import type { ColumnSlot } from "../aggregate/keyed-states.ts";
import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { describe } from "./brand.ts";
import { type AggregationScope, readAggregation } from "./read-aggregation.ts";
import { checkCount, checkObject } from "./check.ts";
import { keyFeatures } from "./key-features.ts";
import type { ColumnFeature } from "./key-features.ts";
import type {
  Column,
  FeatureDefinition,
  SourceDefinition,
  ViewDefinition,
  Windowing,
} from "./definition.ts";

/** What features are built within. */
export interface FeatureScope {
  /** The head of errors: `Cannot define view "user_spend"`. */
  readonly prefix: string;
  readonly source: SourceDefinition;
  readonly windowing: Windowing;
  readonly intervalMs: number;
}

export type FeatureFields = Pick<
  ViewDefinition,
  "features" | "secondaryKey" | "valueColumns" | "slots" | "ordered"
>;

/** A feature before its states have their places. */
export type UnplacedFeature = Omit<ColumnFeature, "slotIndexes">;

/** @throws DefinitionError */
export function buildFeatures(
  lists: unknown,
  secondaryKey: Column | null,
  scope: FeatureScope,
): FeatureFields {
  checkObject(scope.prefix, "features", lists);
  const entries = Object.entries(lists as Readonly<Record<string, unknown>>);
  const unplaced = entries.flatMap(([name, list]) => {
    const column = findColumn(name, scope);
    return readList(list, { ...scope, column });
  });
  checkCount(scope.prefix, "features", { count: unplaced.length, ...featureCounts });
  const valueColumns = sortedColumns(unplaced, secondaryKey, scope.source);
  const slots = placeSlots(unplaced, valueColumns);
  const features = unplaced.map((feature) => placeFeature(feature, slots));
  if (secondaryKey === null) {
    return sortFeatures({ features, slots, secondaryKey, valueColumns }, scope);
  }
  const keyed = keyFeatures(features, slots, { ...scope, secondaryKey, valueColumns });
  const { length: count } = keyed.features;
  checkCount(scope.prefix, "features and their keys", { count, ...featureCounts });
  return sortFeatures({ ...keyed, secondaryKey, valueColumns }, scope);
}

const featureCounts = { min: 1, max: limits.viewFeaturesMax };

function sortFeatures(
  fields: Omit<FeatureFields, "ordered">,
  { prefix }: FeatureScope,
): FeatureFields {
  const features = fields.features.toSorted((a, b) => compareText(a.name, b.name));
  refuseDuplicates(features, prefix);
  return { ...fields, features, ordered: fields.slots.some(({ algebra }) => algebra.ordered) };
}

function findColumn(name: string, scope: FeatureScope): Column {
  const column = scope.source.columns.find((each) => each.name === name);
  if (column !== undefined) return column;
  const names = scope.source.columns.map((each) => each.name).join(", ");
  throw new DefinitionError(
    `${scope.prefix}: features.${name} is not a column of source "${scope.source.name}", expected one of ${names}`,
  );
}

function readList(list: unknown, scope: AggregationScope): readonly UnplacedFeature[] {
  const field = `features.${scope.column.name}`;
  if (!Array.isArray(list)) {
    throw new DefinitionError(
      `${scope.prefix}: ${field} is ${describe(list)}, expected an array of aggregations`,
    );
  }
  checkCount(scope.prefix, field, { count: list.length, min: 1, max: limits.viewFeaturesMax });
  return list.map((aggregation: unknown) => readAggregation(aggregation, scope));
}

function refuseDuplicates(sorted: readonly FeatureDefinition[], prefix: string): void {
  sorted.forEach((feature, i) => {
    if (feature.name === sorted[i + 1]?.name) {
      throw new DefinitionError(
        `${prefix}: features.${feature.column} has "${feature.name}" twice, remove one`,
      );
    }
  });
}

/** By name, so that the records of a view do not depend on how its source orders its columns. */
function sortedColumns(
  features: readonly UnplacedFeature[],
  secondaryKey: Column | null,
  source: SourceDefinition,
): readonly Column[] {
  const names = new Set(features.map(({ column }) => column));
  if (secondaryKey !== null) names.add(secondaryKey.name);
  return source.columns
    .filter(({ name }) => names.has(name))
    .sort((a, b) => compareText(a.name, b.name));
}

/** Each state of each column once, by column and then by key. */
function placeSlots(
  features: readonly UnplacedFeature[],
  valueColumns: readonly Column[],
): readonly ColumnSlot[] {
  const slots = valueColumns.map(({ name }, columnIndex) => {
    const byKey = new Map<string, ColumnSlot>();
    for (const { column, bound } of features) {
      if (column !== name) continue;
      for (const algebra of bound.states) {
        if (!byKey.has(algebra.key)) byKey.set(algebra.key, { column, columnIndex, algebra });
      }
    }
    return [...byKey.values()].sort((a, b) => compareText(a.algebra.key, b.algebra.key));
  });
  return slots.flat();
}

function placeFeature(feature: UnplacedFeature, slots: readonly ColumnSlot[]): ColumnFeature {
  const slotIndexes = feature.bound.states.map(({ key }) =>
    slots.findIndex((slot) => slot.column === feature.column && slot.algebra.key === key),
  );
  return { ...feature, slotIndexes };
}

/** Names and keys are ASCII, so code units order as bytes do. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
