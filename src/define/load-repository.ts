/** Collects what a feature repository exports, and all that its definitions stand on. */

import { DefinitionError } from "../core/errors.ts";
import { describe, isDefinition } from "./brand.ts";
import type {
  EntityDefinition,
  OnDemandViewDefinition,
  Repository,
  ServiceDefinition,
  SourceDefinition,
  ViewDefinition,
} from "./definition.ts";

type Definition =
  EntityDefinition | SourceDefinition | ViewDefinition | OnDemandViewDefinition | ServiceDefinition;

const kinds = [
  "entity",
  "streamSource",
  "batchSource",
  "streamView",
  "batchView",
  "onDemandView",
  "service",
];

/**
 * The repository of a module: its exports, and every entity, source and view they refer to, each
 * sorted by name.
 *
 * @param moduleExports - Export names to values, as `import * as repository` gives them.
 * @throws DefinitionError when an export is not a definition, or two definitions share a name.
 * @example
 * import * as features from "./features.ts";
 * const repository = loadRepository(features);
 */
export function loadRepository(moduleExports: Readonly<Record<string, unknown>>): Repository {
  const found = new Set<Definition>();
  for (const [exportName, value] of Object.entries(moduleExports)) {
    if (!isDefinition(value, ...kinds)) {
      throw new DefinitionError(
        `Cannot load export "${exportName}": it is ${describe(value)}, expected what a builder such as entity() or streamView() returned; keep other things in another module`,
      );
    }
    collectInto(found, value as Definition);
  }
  if (found.size === 0) {
    throw new DefinitionError(
      "Cannot load the feature repository: it exports nothing, expected at least one definition",
    );
  }
  const all = [...found];
  // The features of both kinds of view are told apart by the view's name alone.
  byName("view", all.filter(isAnyView));
  return {
    entities: byName(
      "entity",
      all.filter((each) => each.kind === "entity"),
    ),
    sources: byName("source", all.filter(isSource)),
    views: byName("view", all.filter(isView)),
    onDemandViews: byName(
      "on-demand view",
      all.filter((each) => each.kind === "onDemandView"),
    ),
    services: byName(
      "service",
      all.filter((each) => each.kind === "service"),
    ),
  };
}

function collectInto(found: Set<Definition>, definition: Definition): void {
  if (found.has(definition)) return;
  found.add(definition);
  for (const each of standsOn(definition)) collectInto(found, each);
}

function standsOn(definition: Definition): readonly Definition[] {
  switch (definition.kind) {
    case "entity":
    case "streamSource":
    case "batchSource":
      return [];
    case "streamView":
    case "batchView": {
      const { entities, source, history } = definition;
      return [...entities, source, ...(history === null ? [] : [history])];
    }
    case "onDemandView":
      return Object.values(definition.inputs);
    case "service":
      return [...definition.views, ...definition.onDemandViews];
  }
}

function byName<Each extends { readonly name: string }>(
  noun: string,
  definitions: readonly Each[],
): ReadonlyMap<string, Each> {
  const sorted = [...definitions].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  sorted.forEach(({ name }, i) => {
    if (name === sorted[i + 1]?.name) {
      throw new DefinitionError(
        `Cannot load ${noun} "${name}": two definitions have this name, rename one or refer to one object in both places`,
      );
    }
  });
  return new Map(sorted.map((each) => [each.name, each]));
}

function isSource(definition: Definition): definition is SourceDefinition {
  return definition.kind === "streamSource" || definition.kind === "batchSource";
}

function isView(definition: Definition): definition is ViewDefinition {
  return definition.kind === "streamView" || definition.kind === "batchView";
}

function isAnyView(definition: Definition): definition is ViewDefinition | OnDemandViewDefinition {
  return isView(definition) || definition.kind === "onDemandView";
}
