/** The simulation sees every mutant of the protocol. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { mutants } from "./mutants.ts";

const run = promisify(execFile);
const command = new URL("./run-mutants.ts", import.meta.url).pathname;

test("there are at least 30 mutants, each with a name of its own", () => {
  expect(mutants.length).toBeGreaterThanOrEqual(30);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test("the simulation sees every mutant", async () => {
  // The simulation's own test runs 2,000 seeds of the source as it is.
  const options = ["--seeds-max", "3000", "--no-sound-check"];
  const { stdout } = await run(process.execPath, [command, ...options]).catch((error: unknown) => {
    const { stdout: printed, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`A mutant survives, or does not fit:\n${printed}${stderr}`, { cause: error });
  });
  expect(stdout).toContain(`mutants ${mutants.length}, killed ${mutants.length}`);
}, 600_000);
