/** The cases of a store as they end in another runtime. */

import { expect } from "vitest";
import { runToEnd } from "../builders/runtime-process.ts";
import type { Runtime } from "../builders/runtime-process.ts";
import type { CaseOutcome } from "./run-contract.ts";

/** The one case that a store with compare-and-set leaves out. */
export const unguarded: CaseOutcome = {
  name: "write() refuses a guard, and writes nothing of its call",
  status: "skipped",
  reason: "the store has compare-and-set",
};

/** Starts the runtime with `run-contract.ts`, which must end well and print nothing besides. */
export async function contractOutcomes(
  runtime: Runtime,
  values: readonly string[],
): Promise<CaseOutcome[]> {
  const file = import.meta.resolve("./run-contract.ts");
  const { code, stdout, stderr } = await runToEnd(runtime, { file, values, timeoutMs: 110_000 });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CaseOutcome);
}
