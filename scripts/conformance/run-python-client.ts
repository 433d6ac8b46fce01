/** The Python client, tecton-client of PyPI in its newest version, in an environment of its own. */

import { join } from "node:path";
import { install, readCases, runProgram } from "./run-program.ts";
import type { ClientPlan, ClientRun } from "./run-program.ts";

const program = new URL("python-client.py", import.meta.url).pathname;
const packageName = "tecton-client";

/** @throws Error where the program itself fails, which none of its cases may bring about. */
export async function runPythonClient(directory: string, plan: ClientPlan): Promise<ClientRun> {
  const python = join(directory, "python", "bin", "python");
  const pip = ["-m", "pip", "--disable-pip-version-check"];
  const reason = await install(directory, [
    { command: "python3", args: ["-m", "venv", "python"] },
    { command: python, args: [...pip, "install", "--quiet", packageName] },
  ]);
  if (reason !== null) return { client: packageName, cases: [], leftOut: reason };
  const list = await runProgram(directory, {
    command: python,
    args: [...pip, "list", "--format", "json"],
  });
  const packages = JSON.parse(list) as readonly { name: string; version: string }[];
  const { version = "" } = packages.find(({ name }) => /^tecton[-_]client$/.test(name)) ?? {};
  const input = JSON.stringify(plan);
  const output = await runProgram(directory, { command: python, args: [program], input });
  return { client: `${packageName} ${version}`, cases: readCases(output), leftOut: null };
}
