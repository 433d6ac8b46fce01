/** A redis-server for a bench: on a free port of this machine, keeping nothing. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";

export interface RedisProcess {
  readonly url: string;
  stop(): Promise<void>;
}

/** Resolves when it accepts connections. It ends with this process at the latest. */
export async function startRedisProcess(): Promise<RedisProcess> {
  const port = await freePort();
  const server = spawn(
    "redis-server",
    ["--bind", "127.0.0.1", "--port", String(port), "--dir", tmpdir(), "--save", ""],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(server, "spawn");
  const kill = () => server.kill("SIGKILL");
  process.once("exit", kill);
  const ended = once(server, "exit");
  await untilReady(server.stdout);
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      process.off("exit", kill);
      kill();
      await ended;
    },
  };
}

async function untilReady(output: NodeJS.ReadableStream): Promise<void> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: output })) {
    lines.push(line);
    if (line.includes("Ready to accept connections")) {
      output.resume();
      return;
    }
  }
  throw new Error(`Cannot start redis-server: ${lines.join("\n")}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
