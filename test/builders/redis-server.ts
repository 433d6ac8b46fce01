/** A real Redis of its own for a test: on a free port of this machine, its files in a folder. */

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBoundProcess } from "./bound-process.ts";
import type { BoundProcess } from "./bound-process.ts";

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Of the server as it runs now: a restarted one has another. */
  readonly pid: number;
  /** Ends it and removes its folder, unless that was given. */
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and folder; resolves when it accepts connections. */
  restart(): Promise<void>;
  /** Halts it, so that it takes connections and answers nothing, until `resume`. */
  pause(): void;
  resume(): void;
}

export interface RedisServerOptions {
  /** Whether each write is on disk before it is acknowledged. Left out: nothing is kept. */
  readonly appendOnly?: boolean;
  readonly directory?: string;
  readonly port?: number;
  /** Whether it is to become a node of a Cluster. */
  readonly cluster?: boolean;
}

const startMsMax = 20_000;

/** @throws Error where no Redis is installed: a test that needs one then fails. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { port = await freePort(), directory = mkdtempSync(join(tmpdir(), "tilemark-")) } = options;
  const command = await redisCommand({ ...options, port, directory });
  let current = await start(command);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return current.pid;
    },
    stop: async () => {
      current.signal("SIGCONT");
      await current.stop();
      if (options.directory === undefined) rmSync(directory, { recursive: true });
    },
    kill: async () => {
      current.signal("SIGKILL");
      await current.ended;
    },
    restart: async () => {
      await current.stop();
      current = await start(command);
    },
    pause: () => current.signal("SIGSTOP"),
    resume: () => current.signal("SIGCONT"),
  };
}

async function redisCommand(
  options: RedisServerOptions & { readonly port: number; readonly directory: string },
): Promise<string[]> {
  const { port, directory, appendOnly = false, cluster = false } = options;
  const command = ["redis-server", "--bind", "127.0.0.1", "--port", String(port)];
  command.push("--dir", directory, "--daemonize", "no", "--save", "");
  if (appendOnly) command.push("--appendonly", "yes", "--appendfsync", "always");
  // The port that nodes talk to each other on would be 10,000 higher, which may be none.
  const clusterPort = ["--cluster-port", String(await freePort())];
  if (cluster) command.push("--cluster-enabled", "yes", ...clusterPort);
  return command;
}

async function start(command: readonly string[]): Promise<BoundProcess> {
  const server = await startBoundProcess(command);
  try {
    await server.written("Ready to accept connections", startMsMax);
  } catch (cause) {
    await server.stop();
    const code = await server.ended;
    // What a shell answers where there is no such program.
    const wanted = code === 127 ? "install it, as by apt-get install redis-server" : "see why";
    throw new Error(`Cannot start redis-server: it did not come up, ${wanted}`, { cause });
  }
  return server;
}

/** Free a moment ago: the system gives the same port out again late. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
