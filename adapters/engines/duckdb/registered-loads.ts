/**
 * Loads of stream sources: no scan sees one before the log knows its ids, and then those scans whose
 * cut covers every event of these ids that is in the log.
 */

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { FeatureError } from "../../../src/core/errors.ts";
import type { SourceDefinition } from "../../../src/define/definition.ts";
import type { NewLoad } from "../../../src/offline/offline-store.ts";
import { commitNewFile, writeText } from "./commit.ts";
import type { Layout } from "./layout.ts";

/** Directories of the loads that scans with a cut see. */
export async function listVisibleLoads(
  layout: Layout,
  source: SourceDefinition,
  cut: number,
): Promise<readonly string[]> {
  const loads = await layout.listLoads(source.name);
  if (source.kind === "batchSource" || loads.length === 0) return loads;
  const registrations = await layout.listRegistrations(source.name);
  const found = registrations.map(async (path) => [basename(path), await readEpoch(path)] as const);
  const epochs = new Map(await Promise.all(found));
  return loads.filter((load) => (epochs.get(basename(load)) ?? Infinity) <= cut);
}

/** In the order of their names. */
export async function listNewLoads(
  layout: Layout,
  source: SourceDefinition,
): Promise<readonly NewLoad[]> {
  if (source.kind === "batchSource") return [];
  const registrations = await layout.listRegistrations(source.name);
  const registered = new Set(registrations.map((path) => basename(path)));
  const names = (await layout.listLoads(source.name)).map((path) => basename(path));
  return names.filter((name) => !registered.has(name)).map((name) => ({ name, source }));
}

/** @throws FeatureError NOT_FOUND where there is no such load. */
export async function registerLoad(layout: Layout, load: NewLoad, epoch: number): Promise<void> {
  await findLoad(layout, load);
  const { name, source } = load;
  await commitNewFile(layout.registration(source.name, name), writeText(String(epoch)));
}

/** Its directory. @throws FeatureError NOT_FOUND where there is no such load. */
export async function findLoad(layout: Layout, { name, source }: NewLoad): Promise<string> {
  const path = layout.load(source.name, name);
  if ((await layout.listLoads(source.name)).includes(path)) return path;
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot find load "${name}": source "${source.name}" has none of that name, expected one of its new loads`,
  );
}

async function readEpoch(path: string): Promise<number> {
  return Number(await readFile(path, "utf8"));
}
