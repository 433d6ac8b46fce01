/** Runs a TypeScript program of this project under each runtime, as installed with the project. */

import { fileURLToPath } from "node:url";
import { startBoundProcess } from "./bound-process.ts";
import type { BoundProcess } from "./bound-process.ts";

export type Runtime = "node" | "deno" | "bun";

export const runtimes: readonly Runtime[] = ["node", "deno", "bun"];

export interface Program {
  /** A file's URL, as `import.meta.resolve` gives it. */
  readonly file: string;
  readonly values?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const root = fileURLToPath(import.meta.resolve("../../"));

/** Deno takes packages from `node_modules` as they are, and fetches nothing. */
const denoFlags = [
  "--allow-all",
  "--unstable-kv",
  "--node-modules-dir=manual",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--cached-only",
];

const flags: Readonly<Record<Runtime, readonly string[]>> = {
  node: [],
  deno: ["run", "--quiet", ...denoFlags],
  bun: ["run", "--no-install"],
};

/** Starts the program. It ends with this process at the latest: a test stops it when it is done. */
export function startRuntime(runtime: Runtime, program: Program): Promise<BoundProcess> {
  const { file, values = [], environment = {} } = program;
  const command = [`${root}node_modules/.bin/${runtime}`, ...flags[runtime]];
  command.push(fileURLToPath(file), ...values);
  return startBoundProcess(command, {
    environment: { DENO_NO_UPDATE_CHECK: "1", ...environment },
    directory: root,
  });
}

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program that ends by itself; one that takes longer is killed, which its code tells. */
export async function runToEnd(
  runtime: Runtime,
  program: Program & { readonly timeoutMs: number },
): Promise<ProgramResult> {
  const started = await startRuntime(runtime, program);
  const timer = setTimeout(() => started.signal("SIGKILL"), program.timeoutMs);
  const code = await started.ended;
  clearTimeout(timer);
  return { code, ...started.output() };
}
