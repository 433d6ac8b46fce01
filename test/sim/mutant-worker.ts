/** A thread in which one mutant lives: runs seeds until the simulation sees it. */

import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { mutants } from "./mutants.ts";
import type { Patch } from "./mutants.ts";

export interface MutantTask {
  /** Null runs the source as it is. */
  readonly name: string | null;
  readonly seedsMax: number;
}

export interface MutantReport {
  /** The seed that saw it; null where none did. */
  readonly seed: number | null;
  readonly failure: string;
}

const { name, seedsMax } = workerData as MutantTask;
const mutant = mutants.find((each) => each.name === name);
if (name !== null && mutant === undefined) throw new Error(`There is no mutant "${name}"`);
const root = new URL("../../", import.meta.url);
const patched = patchedSources(mutant?.patches ?? []);
const met = new Set<string>();

registerHooks({
  load(url, context, nextLoad) {
    const source = patched.get(url);
    if (source === undefined) return nextLoad(url, context);
    met.add(url);
    return { format: "module", source: stripTypeScriptTypes(source), shortCircuit: true };
  },
});

const { runSeed } = await import("./run-seed.ts");
if (met.size !== patched.size)
  throw new Error(`Mutant "${name}" patches a file that nothing loads`);
parentPort?.postMessage(await hunt());

async function hunt(): Promise<MutantReport> {
  const { firstSeed = 1 } = mutant ?? {};
  const seeds = [firstSeed, ...Array.from({ length: seedsMax }, (_, i) => i + 1)];
  for (const seed of seeds) {
    const [first] = (await runSeed(seed)).failures;
    if (first !== undefined)
      return { seed, failure: `${first.kind}: ${first.what.split("\n")[0]}` };
  }
  return { seed: null, failure: "" };
}

/** By URL. @throws where a patch does not meet its text exactly once. */
function patchedSources(patches: readonly Patch[]): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (const { file, from, to } of patches) {
    const url = new URL(file, root).href;
    const source = sources.get(url) ?? readFileSync(fileURLToPath(url), "utf8");
    const count = source.split(from).length - 1;
    if (count !== 1) {
      throw new Error(
        `Mutant "${name}" does not fit ${file}: its text is there ${count} times, wanted once`,
      );
    }
    sources.set(
      url,
      source.replace(from, () => to),
    );
  }
  return sources;
}
