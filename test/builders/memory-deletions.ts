/** Which rows and which records the deletions of an offline store in memory cover. */

import { FeatureError } from "../../src/core/errors.ts";
import type { Scalar } from "../../src/core/value.ts";
import type {
  Column,
  EntityDefinition,
  SourceDefinition,
  SourceEvent,
  ViewDefinition,
} from "../../src/define/definition.ts";
import type { Deletion } from "../../src/offline/offline-store.ts";

interface DeletedKeys {
  readonly entity: EntityDefinition;
  readonly keys: Set<string>;
}

type RowTest = (event: SourceEvent) => boolean;

export class MemoryDeletions {
  readonly #entities = new Map<string, DeletedKeys>();
  /** By the source's name; what was worked out for another definition of it does not count. */
  readonly #covers = new Map<
    string,
    { readonly source: SourceDefinition; readonly cover: RowTest | null }
  >();
  revision = 0;

  /** @throws FeatureError INVALID_REQUEST where join keys are not those of their entity. */
  add(deletions: readonly Deletion[]): void {
    const wrong = deletions.find(
      ({ entity, joinKeys }) => joinKeys.length !== entity.joinKeys.length,
    );
    if (wrong !== undefined) {
      throw new FeatureError(
        "INVALID_REQUEST",
        `Cannot delete an entity "${wrong.entity.name}": it is named by ${wrong.joinKeys.length} values, expected one for each of its join keys`,
      );
    }
    for (const { entity, joinKeys } of deletions) {
      const name = definitionText(entity);
      const known = this.#entities.get(name) ?? { entity, keys: new Set<string>() };
      known.keys.add(keyText(joinKeys));
      this.#entities.set(name, known);
    }
    this.#covers.clear();
    this.revision++;
  }

  /** Whether rows of a source name a deleted entity; null where none of them can. */
  coverOf(source: SourceDefinition): RowTest | null {
    const known = this.#covers.get(source.name);
    if (known?.source === source) return known.cover;
    const tests = [...this.#entities.values()].flatMap(({ entity, keys }) => {
      const indexes = entity.joinKeys.map((key) => columnIndex(source.columns, key));
      return indexes.includes(-1) ? [] : [coverBy(indexes, keys)];
    });
    const cover = tests.length === 0 ? null : (event: SourceEvent) => tests.some((is) => is(event));
    this.#covers.set(source.name, { source, cover });
    return cover;
  }

  /** Whether one of a record's own entities is deleted. */
  hides(view: ViewDefinition, joinKeys: readonly Scalar[]): boolean {
    let from = 0;
    return view.entities.some((entity) => {
      const values = joinKeys.slice(from, (from += entity.joinKeys.length));
      return this.#entities.get(definitionText(entity))?.keys.has(keyText(values)) === true;
    });
  }
}

function coverBy(indexes: readonly number[], keys: ReadonlySet<string>): RowTest {
  return ({ values }) => {
    const joinKeys = indexes.map((index) => values[index] ?? null);
    return joinKeys.every((value) => value !== null) && keys.has(keyText(joinKeys));
  };
}

function columnIndex(columns: readonly Column[], { name, type }: Column): number {
  return columns.findIndex((column) => column.name === name && column.type === type);
}

function definitionText({ name, joinKeys }: EntityDefinition): string {
  return JSON.stringify([name, ...joinKeys.map((key) => [key.name, key.type])]);
}

function keyText(joinKeys: readonly Scalar[]): string {
  return joinKeys
    .map(String)
    .map((text) => `${text.length} ${text}`)
    .join();
}
