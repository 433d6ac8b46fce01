/** Starts a redis-server of one's own on this machine, which ends with this process however that ends. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";

export interface RedisProcess {
  readonly url: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** A large append-only file takes its time to be read. */
const startMsMax = 60_000;
/** What a shell answers where there is no such program. */
const notFoundCode = 127;

/**
 * Waits for the end of its input, which comes with the end of this process too, and then asks the
 * server to end: two servers must never append to one file.
 */
const guard = `
exec 3<&0
redis-server "$@" 3<&- </dev/null &
server=$!
{ cat <&3; kill $server; } >/dev/null 2>&1 &
exec 3<&-
wait $server`;

/**
 * Resolves when it accepts connections, on a free port of 127.0.0.1 alone. What it has acknowledged
 * is on disk: the log beside it has forgotten what it must not lose.
 *
 * @param directory - It exists; one server at a time may have it.
 * @throws an error that says whether redis-server is missing, or what it said when it ended.
 */
export async function startRedis(directory: string): Promise<RedisProcess> {
  const port = await freePort();
  const settings = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory];
  settings.push("--save", "", "--appendonly", "yes", "--appendfsync", "always");
  // In a group of its own: a signal from the terminal reaches this process, which stops it last.
  const shell = spawn("sh", ["-c", guard, "sh", ...settings], {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = once(shell, "exit").then(([code]) => code as number | null);
  let output = "";
  const ready = new Promise<"ready">((resolve) => {
    shell.stdout.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-2_000);
      if (output.includes("Ready to accept connections")) resolve("ready");
    });
  });
  shell.stderr.resume();
  const stop = async () => {
    shell.stdin.destroy();
    await ended;
  };
  const timeout = new AbortController();
  const first = await Promise.race([
    ready,
    ended,
    setTimeout(startMsMax, "late" as const, { signal: timeout.signal }),
  ]);
  timeout.abort();
  if (first === "ready") {
    return { url: `redis://127.0.0.1:${port}`, ended: ended.then(() => undefined), stop };
  }
  await stop();
  throw new Error(`Cannot start redis-server: ${first === notFoundCode ? missing : late(output)}`);
}

const missing = "it is not installed, install it or give the address of a Redis with --redis";

function late(output: string): string {
  const lastLine = output.trim().split("\n").at(-1) ?? "";
  return `it did not come up, it said last "${lastLine}"`;
}

/** Free a moment ago: the system gives the same port out again late. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
