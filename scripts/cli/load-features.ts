/** Loads a feature repository from its file, the same one that the worker's bundle imports. */

import { statSync } from "node:fs";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { loadRepository } from "../../src/define/load-repository.ts";
import type { Repository, SourceDefinition } from "../../src/define/definition.ts";

const packageUrl = new URL("../../src/index.ts", import.meta.url).href;

/**
 * The file may lie anywhere: its "tilemark" is this package, as it is in the worker's bundle.
 *
 * @throws DefinitionError for what cannot work; an import error for a file that cannot be read.
 */
export async function loadFeatures(featuresFile: string): Promise<Repository> {
  if (statSync(featuresFile, { throwIfNoEntry: false })?.isFile() !== true) {
    // Node's own error would name a file of this package beside it.
    throw new Error(
      `Cannot load features "${featuresFile}": there is no such file, expected a module that exports them`,
    );
  }
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "tilemark" ? { url: packageUrl, shortCircuit: true } : next(specifier, context),
  });
  try {
    const module: unknown = await import(pathToFileURL(resolve(featuresFile)).href);
    return loadRepository(module as Record<string, unknown>);
  } finally {
    hooks.deregister();
  }
}

/** @throws an error that names the sources there are. */
export function sourceNamed(repository: Repository, name: string): SourceDefinition {
  const source = repository.sources.get(name);
  if (source !== undefined) return source;
  const known = [...repository.sources.keys()].sort().join(", ");
  throw new Error(`Cannot find source "${name}": the feature repository defines ${known}`);
}
