/**
 * Which segments, loads and corrections of a source have been found without rows of deleted
 * entities, so that scans need not look at every row and purges not at every file. They never come to
 * hold one again, as long as they are the same and the deletions are.
 */

import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { SourceDefinition } from "../../../src/define/definition.ts";
import { overwriteFile, writeText } from "./commit.ts";
import { definitionOf, deletionsOfSource, findDeletions } from "./deletions.ts";
import type { RowDeletions } from "./deletions.ts";
import type { Layout } from "./layout.ts";
import type { StoreParts } from "./store-parts.ts";

interface CleanRows {
  /** The deletions that were looked for. */
  readonly deletions: string;
  /** When each of what was found clean was put, by its path in the source's directory. */
  readonly putAtMs: Readonly<Record<string, number>>;
}

/** When paths were put: directories of segments and loads, and files of corrections. */
export type PutTimes = ReadonlyMap<string, number>;

/** The deletions that may cover rows in what is at the paths; null where none can. */
export async function deletionsIn(
  parts: StoreParts,
  source: SourceDefinition,
  paths: readonly string[],
): Promise<RowDeletions | null> {
  const all = await findDeletions(parts);
  const deletions = all === null ? null : deletionsOfSource(all, source);
  if (deletions === null) return null;
  const unclean = await selectUnclean(parts.layout, source, {
    deletions,
    putTimes: await readPutTimes(paths),
  });
  return unclean.length === 0 ? null : deletions;
}

export async function readPutTimes(paths: readonly string[]): Promise<PutTimes> {
  const found = paths.map(async (path) => [path, (await stat(path)).mtimeMs] as const);
  return new Map(await Promise.all(found));
}

interface FoundRows {
  readonly deletions: RowDeletions;
  readonly putTimes: PutTimes;
}

/** The paths of what has not been found clean. */
export async function selectUnclean(
  layout: Layout,
  source: SourceDefinition,
  { deletions, putTimes }: FoundRows,
): Promise<readonly string[]> {
  const clean = await readClean(layout.clean(source.name));
  const isKnown = clean !== null && clean.deletions === (await nameDeletions(deletions));
  const paths = [...putTimes.keys()];
  if (!isKnown) return paths;
  return paths.filter((path) => clean.putAtMs[shortPath(path)] !== putTimes.get(path));
}

/** Remembers what was found clean. Of two that do so at once, the one that comes last is right too. */
export async function markClean(
  layout: Layout,
  source: SourceDefinition,
  { deletions, putTimes }: FoundRows,
): Promise<void> {
  const clean: CleanRows = {
    deletions: await nameDeletions(deletions),
    putAtMs: Object.fromEntries([...putTimes].map(([path, putAtMs]) => [shortPath(path), putAtMs])),
  };
  await overwriteFile(layout.clean(source.name), writeText(JSON.stringify(clean)));
}

async function readClean(path: string): Promise<CleanRows | null> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as CleanRows;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}

/** The file is another one with each deletion; a source may come to have more columns. */
async function nameDeletions({ file, entities }: RowDeletions): Promise<string> {
  const { mtimeMs } = await stat(file);
  return JSON.stringify([basename(file), mtimeMs, ...entities.map(definitionOf)]);
}

/** As in `segments/main-0-7`. */
function shortPath(path: string): string {
  return join(basename(dirname(path)), basename(path));
}
