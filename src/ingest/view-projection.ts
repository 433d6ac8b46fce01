/** What the views of a source make of its events: the entity of a record, and the raw event in it. */

import type { RawEvent } from "../tile/partial.ts";
import { entityKey } from "../tile/keys.ts";
import type { Scalar } from "../core/value.ts";
import type { SourceDefinition, SourceEvent, ViewDefinition } from "../define/definition.ts";

/** Where a view finds its columns in a source's events: decided once a view. */
export interface ViewProjection {
  readonly view: ViewDefinition;
  readonly joinKeyIndexes: readonly number[];
  readonly valueIndexes: readonly number[];
}

export function projectView(view: ViewDefinition): ViewProjection {
  return {
    view,
    joinKeyIndexes: view.joinKeys.map(({ name }) => columnIndex(view.source, name)),
    valueIndexes: view.valueColumns.map(({ name }) => columnIndex(view.source, name)),
  };
}

/** The entity an event belongs to in a view; null where a join key is null: it belongs to none. */
export function entityOf(projection: ViewProjection, event: SourceEvent): string | null {
  const joinKeys: Scalar[] = [];
  for (const index of projection.joinKeyIndexes) {
    const value = event.values[index] ?? null;
    if (value === null) return null;
    joinKeys.push(value);
  }
  return entityKey(joinKeys);
}

/** What a record keeps of an event. */
export function rawEventOf(projection: ViewProjection, event: SourceEvent): RawEvent {
  return {
    timestampMs: event.timestampMs,
    tie: projection.view.ordered ? event.id : "",
    values: projection.valueIndexes.map((index) => event.values[index] ?? null),
  };
}

function columnIndex(source: SourceDefinition, name: string): number {
  return source.columns.findIndex((column) => column.name === name);
}
