/** Starts a region in a process that ends with this one. */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface RegionProcess {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** @param home - The address of the home that it follows; left out for the home itself. */
export async function startRegion(directory: string, home?: string): Promise<RegionProcess> {
  const file = join(import.meta.dirname, "region-process.ts");
  const args = home === undefined ? [directory] : [directory, home];
  // What a region that is cut off reports is not for the screen.
  const child = fork(file, args, { stdio: ["ignore", "pipe", "ignore", "ipc"] });
  const ended = once(child, "exit");
  let output = "";
  child.stdout?.setEncoding("utf8");
  for await (const text of child.stdout ?? []) {
    output += String(text);
    const url = /Listening on (\S+)\n/.exec(output)?.[1];
    if (url === undefined) continue;
    return {
      url,
      port: Number(new URL(url).port),
      stop: async () => {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }
  throw new Error("Cannot start a region: its process has ended");
}
