/** `tilemark` as a process of its own, which can be killed as a machine's failure would. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface ServerProcess {
  readonly url: string;
  /** What it printed until it was ready. */
  readonly lines: readonly string[];
  /** SIGKILL to the command and to the workerd it started; resolves when they are gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

const root = new URL("../..", import.meta.url).pathname;

/** `tilemark dev`; resolves when the server listens. */
export function startServerProcess(args: readonly string[]): Promise<ServerProcess> {
  return startProcess(["scripts/cli/tilemark.ts", "dev", ...args], /^Listening on (http:\S+)$/);
}

/** `npm start`; resolves when the curl line is there. */
export function startDemoProcess(args: readonly string[]): Promise<ServerProcess> {
  return startProcess(["scripts/cli/tilemark.ts", "demo", ...args], /^curl -s (http:\/\/[^/]+)\//);
}

async function startProcess(args: readonly string[], ready: RegExp): Promise<ServerProcess> {
  // A process group of its own: killing the group leaves nothing behind.
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const errors: string[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString("utf8")));
  const exited = once(child, "exit");
  const signal = async (name: NodeJS.Signals) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, name);
    await exited;
  };
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const url = ready.exec(line)?.[1];
    if (url !== undefined) {
      return { url, lines, kill: () => signal("SIGKILL"), stop: () => signal("SIGTERM") };
    }
  }
  throw new Error(`Cannot start the server: ${[...lines, ...errors].join("\n")}`);
}

/** A POST of JSON; the status and the parsed answer. */
export async function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}
