/** The command as a process, directories and files for it, and a server in this process. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import type { DevServer } from "../../scripts/cli/dev-server.ts";

export const root = new URL("../..", import.meta.url).pathname;

export const featuresFile = join(root, "test/end-to-end/crash-features.ts");

export interface CommandResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs `tilemark` until it exits. */
export async function runCommand(...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, ["scripts/cli/tilemark.ts", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => {
    child.kill();
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString("utf8")));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output, errors };
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-cli-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function writeText(name: string, text: string): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, text);
  return path;
}

/** A server for as long as the test runs. */
export async function serve(): Promise<DevServer> {
  const server = await startDevServer({ featuresFile, stateDirectory: await temporaryDirectory() });
  onTestFinished(() => server.close());
  return server;
}

/** A port of 127.0.0.1 where nothing listens. */
export const closedUrl = "http://127.0.0.1:9";
