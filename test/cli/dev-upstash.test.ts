import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "@upstash/redis";
import { expect, onTestFinished, test } from "vitest";
import { bundleWorker } from "../../scripts/cli/bundle-worker.ts";
import { startServerProcess } from "../end-to-end/server-process.ts";
import type { ServerProcess } from "../end-to-end/server-process.ts";
import { featuresFile, root, runCommand, temporaryDirectory, writeText } from "./run-command.ts";

test("tilemark dev --upstash keeps records in Redis over REST, past restarts and crashes", async () => {
  const state = await temporaryDirectory();
  const offline = await temporaryDirectory();
  // This machine's time, as the file system has it: tests read no clock.
  const nowMs = (await stat(state)).mtimeMs;
  let server = await serve(state);
  onTestFinished(() => server.stop());
  const { url } = server;
  const on = ["--features", featuresFile, "--url", url];
  const ingest = async (id: string) =>
    runCommand("ingest", "events", await writeEvent(id, nowMs), ...on);

  expect(await ingest("a")).toMatchObject({ status: 0, errors: "" });
  expect(await ingest("b")).toMatchObject({ status: 0, errors: "" });
  const compacted = await runCommand("compact", ...on, "--offline", offline);
  expect(compacted.output).toMatch(/user_ids: 2 rows, 1 keys/);
  expect(await ingest("c")).toMatchObject({ status: 0, errors: "" });
  expect(await featuresOf(url)).toEqual(["3", ["a", "b", "c"], "3", ["a", "b", "c"]]);

  const { redis, redisPid } = await openRedis(server);
  const keys = await redis.keys("tm/*");
  expect(keys.filter((key) => /\/u1\/[bs]$/.test(key))).toHaveLength(2);
  const [batchKey = ""] = keys.filter((key) => key.endsWith("/u1/b"));
  expect(await redis.get<string>(batchKey)).toMatch(/^[\w-]{12}[A-Za-z0-9+/]+=*$/);

  const token = variableOf(server, "TOKEN");
  await server.stop();
  await expectEnded(redisPid);
  server = await serve(state);
  expect(await featuresOf(server.url)).toEqual(["3", ["a", "b", "c"], "3", ["a", "b", "c"]]);
  expect(variableOf(server, "TOKEN")).not.toBe(token);

  const { redisPid: nextPid } = await openRedis(server);
  expect(isRunning(nextPid)).toBe(true);
  await server.kill();
  await expectEnded(nextPid);
  server = await serve(state);
  expect(await featuresOf(server.url)).toEqual(["3", ["a", "b", "c"], "3", ["a", "b", "c"]]);
}, 120_000);

test("tilemark dev --upstash says in one line that redis-server is not installed", async () => {
  // A place with a shell, which finds nothing else.
  const bin = join(await temporaryDirectory(), "bin");
  await mkdir(bin);
  for (const program of ["sh", "cat"]) await symlink(`/bin/${program}`, join(bin, program));
  const args = ["--features", featuresFile, "--state", await temporaryDirectory()];
  const { status, errors } = await runWithPath(bin, ["dev", "--upstash", ...args]);
  expect(errors).toBe(
    "Cannot start redis-server: it is not installed, install it or give the address of a Redis with --redis\n",
  );
  expect(status).toBe(1);
});

test("tilemark dev takes --redis with --upstash alone", async () => {
  const result = await runCommand("dev", "--features", featuresFile, "--redis", "redis://x");
  expect(result).toEqual({
    status: 1,
    output: "",
    errors: "Cannot use --redis: records are kept elsewhere, expected --upstash with it\n",
  });
});

test("tilemark dev --upstash says in one line where no Redis is, and keeps its password", async () => {
  const state = await temporaryDirectory();
  const args = [
    "--features",
    featuresFile,
    "--state",
    state,
    "--redis",
    "redis://:secret@127.0.0.1:9",
  ];
  expect(await runCommand("dev", "--upstash", ...args)).toEqual({
    status: 1,
    output: "",
    errors:
      "Cannot start the bridge: no Redis answers at 127.0.0.1:9: connect ECONNREFUSED 127.0.0.1:9\n",
  });
});

test("the SDK of Upstash is in the bundle where it is used alone", async () => {
  const [plain, upstash] = await Promise.all([
    bundleWorker(featuresFile),
    bundleWorker(featuresFile, { stores: "upstash" }),
  ]);
  expect(plain).not.toMatch(/upstash/i);
  expect(upstash).toMatch(/@upstash\/redis/);
});

function serve(state: string): Promise<ServerProcess> {
  return startServerProcess([
    "--no-keys",
    "--upstash",
    "--features",
    featuresFile,
    "--state",
    state,
  ]);
}

function writeEvent(id: string, nowMs: number): Promise<string> {
  const ts = new Date(nowMs - 60_000 + id.charCodeAt(0)).toISOString();
  return writeText("events.jsonl", JSON.stringify({ id, ts, user_id: "u1", group_id: "g1" }));
}

async function featuresOf(url: string): Promise<readonly unknown[]> {
  const keys = ["--key", "user_id=u1", "--key", "group_id=g1"];
  const { output, errors } = await runCommand("get", "ids", ...keys, "--url", url, "--json");
  expect(errors).toBe("");
  const answer = JSON.parse(output) as { readonly result: { readonly features: unknown[] } };
  return answer.result.features;
}

/** What the command printed for users' own clients. */
function variableOf({ lines }: ServerProcess, name: "URL" | "TOKEN"): string {
  const prefix = `UPSTASH_REDIS_REST_${name}=`;
  return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length) ?? "";
}

/** A client of a user's own, and the process of the Redis behind the bridge. */
async function openRedis(
  server: ServerProcess,
): Promise<{ readonly redis: Redis; readonly redisPid: number }> {
  const [url, token] = [variableOf(server, "URL"), variableOf(server, "TOKEN")];
  const redis = new Redis({ url, token, enableTelemetry: false, automaticDeserialization: false });
  const info = await redis.exec<string>(["INFO", "server"]);
  return { redis, redisPid: Number(/^process_id:(\d+)/m.exec(info)?.[1]) };
}

async function expectEnded(pid: number): Promise<void> {
  await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ESRCH");
    return false;
  }
}

async function runWithPath(
  path: string,
  args: readonly string[],
): Promise<{ readonly status: number | null; readonly errors: string }> {
  const child = spawn(process.execPath, ["scripts/cli/tilemark.ts", ...args], {
    cwd: root,
    env: { PATH: path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  onTestFinished(() => {
    child.kill();
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString("utf8")));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, errors };
}
