/** Builds the features of a view of attributes: columns of its entity's newest row. */

import { createNewestRow } from "../aggregate/newest-row.ts";
import type { NewestRowState } from "../aggregate/newest-row.ts";
import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { describe } from "./brand.ts";
import type { FeatureFields } from "./build-features.ts";
import { checkCount, readDuration } from "./check.ts";
import type { Column, FeatureDefinition, RowSlot, SourceDefinition } from "./definition.ts";

/** @throws DefinitionError */
export function buildAttributes(
  names: unknown,
  { prefix, source }: { readonly prefix: string; readonly source: SourceDefinition },
): FeatureFields {
  if (!Array.isArray(names)) {
    throw new DefinitionError(
      `${prefix}: attributes is ${describe(names)}, expected an array of column names`,
    );
  }
  checkCount(prefix, "attributes", { count: names.length, min: 1, max: limits.viewFeaturesMax });
  const columns = names.map((name: unknown) => findColumn(name, prefix, source));
  const valueColumns = columns.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  valueColumns.forEach(({ name }, i) => {
    if (name === valueColumns[i + 1]?.name) {
      throw new DefinitionError(`${prefix}: attributes has "${name}" twice, remove one`);
    }
  });
  const algebra = createNewestRow(valueColumns.map(({ type }) => type));
  const slot: RowSlot = { column: null, columnIndex: null, algebra };
  return {
    features: valueColumns.map((column, i) => attributeOf(column, i, slot)),
    secondaryKey: null,
    valueColumns,
    slots: [slot],
    ordered: true,
  };
}

/** How old a row may be, in milliseconds; null for as old as it is. @throws DefinitionError */
export function readTtl(prefix: string, ttl: unknown): number | null {
  return ttl === undefined ? null : readDuration(prefix, "ttl", ttl);
}

function findColumn(name: unknown, prefix: string, source: SourceDefinition): Column {
  const column = source.columns.find((each) => each.name === name);
  if (column !== undefined) return column;
  const found = typeof name === "string" ? `"${name}"` : describe(name);
  const names = source.columns.map((each) => each.name).join(", ");
  throw new DefinitionError(
    `${prefix}: attributes has ${found}, which is not a column of source "${source.name}", expected one of ${names}`,
  );
}

function attributeOf({ name, type }: Column, index: number, slot: RowSlot): FeatureDefinition {
  return {
    name,
    column: name,
    functionName: "attribute",
    n: null,
    option: null,
    window: { sizeMs: null, offsetMs: 0 },
    series: null,
    bound: {
      states: [slot.algebra],
      output: type,
      emptyValue: null,
      finish: ([state]) => (state as NewestRowState).row?.values[index] ?? null,
    },
    output: type,
    emptyValue: null,
    slotIndexes: [0],
    description: null,
  };
}
