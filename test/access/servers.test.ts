/** Keys with real servers: a home and its region, a worker, the command, and headers as sockets send them. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { serveNode } from "../../adapters/runtimes/node.ts";
import type { RunningServer } from "../../adapters/runtimes/server/create-server.ts";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import * as features from "../../scripts/regions/features.ts";
import { newApiKey } from "../../src/access/api-key.ts";
import { sha256Hex } from "../../src/access/sha256.ts";
import { runCommand, writeText } from "../cli/run-command.ts";

const directory = mkdtempSync(join(tmpdir(), "tilemark-access-"));
const admin = newApiKey(randomBytes).key;
const adminKeySha256 = await sha256Hex(admin);
const featuresFile = new URL("../../scripts/regions/features.ts", import.meta.url).pathname;
let home: RunningServer;

beforeAll(async () => {
  home = await serveNode(features, {
    directory: join(directory, "home"),
    host: "0.0.0.0",
    access: { adminKeySha256 },
  });
});

afterAll(async () => {
  await home.close();
  rmSync(directory, { recursive: true, force: true });
});

async function post(url: string, body: object, key: string) {
  const headers = { authorization: `Tecton-key ${key}` };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as { key: string; id: string } };
}

async function create(url: string, scopes: readonly string[]) {
  const made = await post(`${url}/admin/keys/create`, { name: "t", grants: [{ scopes }] }, admin);
  expect(made.status).toBe(200);
  return made.body;
}

async function statusOf(url: string, key: string): Promise<number> {
  const params = {
    workspaceName: "prod",
    featureServiceName: "seen_service",
    joinKeyMap: { user_id: "u" },
  };
  return (await post(`${url}/api/v1/feature-service/get-features`, { params }, key)).status;
}

test("a region gets the keys of its home, and answers by them after a restart without it", async () => {
  const away = await serveNode(features, {
    directory: join(directory, "away"),
    access: { adminKeySha256 },
  });
  const follower = await create(away.url, ["follow"]);
  const reader = await create(away.url, ["read"]);
  const options = { directory: join(directory, "region"), home: away.url, access: {} };
  const first = await serveNode(features, { ...options, homeKey: follower.key });
  await expect.poll(() => statusOf(first.url, reader.key), { timeout: 10_000 }).toBe(200);
  expect(await statusOf(first.url, follower.key)).toBe(403);
  await first.close();
  await away.close();
  const again = await serveNode(features, { ...options, homeKey: follower.key });
  onTestFinished(() => again.close());
  expect(await statusOf(again.url, reader.key)).toBe(200);
  expect(await statusOf(again.url, newApiKey(randomBytes).key)).toBe(401);
});

test("a region whose key is not for following gets nothing, and lets nobody in", async () => {
  const reader = await create(home.url, ["read"]);
  const region = await serveNode(features, {
    directory: join(directory, "shut"),
    home: home.url,
    homeKey: reader.key,
    access: {},
  });
  onTestFinished(() => region.close());
  expect(await statusOf(region.url, reader.key)).toBe(503);
});

test("a server takes one authorization header, of any case, and no two or folded ones", async () => {
  const { key } = await create(home.url, ["metrics"]);
  const send = async (...lines: readonly string[]) => {
    const socket = connect(Number(new URL(home.url).port), "127.0.0.1");
    await once(socket, "connect");
    const head = ["GET /metrics HTTP/1.1", "Host: features.example", "Connection: close", ...lines];
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    onTestFinished(() => void socket.destroy());
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  };
  const own = `Tecton-key ${key}`;
  const taken = async () => send(`Authorization: ${own}`);
  await expect.poll(taken, { timeout: 5_000 }).toBe(200);
  expect(await send(`AUTHORIZATION: bearer ${key}`)).toBe(200);
  expect(await send(`Authorization: ${own}`, `Authorization: ${own}`)).toBe(401);
  expect(await send(`Authorization: ${own}`, `authorization: Bearer x`)).toBe(401);
  expect(await send(`Authorization: Bearer x`, `Authorization: ${own}`)).toBe(401);
  expect(await send("Authorization: Tecton-key", `\t${key}`)).toBeGreaterThanOrEqual(400);
  expect(await send(`Authorization: ${own}`, `X: ${"x".repeat(20_000)}`)).toBe(431);
  expect(await send()).toBe(401);
});

test("a worker takes keys of its book, made, rotated and revoked by the command, which verifies its log", async () => {
  const stateDirectory = join(directory, "worker");
  const server = await startDevServer({ featuresFile, stateDirectory, adminKey: admin });
  onTestFinished(() => server.close());
  const keyFile = await writeText("key", `${admin}\n`);
  const run = async (...args: readonly string[]) => {
    const ran = await runCommand(...args, "--url", server.url, "--api-key-file", keyFile);
    return { ...ran, lines: ran.output.trim().split("\n") };
  };
  const readScope = ["--scope", "read", "--service", "seen_service"];
  const made = await run(
    "key",
    "create",
    "--name",
    "shop",
    ...readScope,
    "--expires",
    "2099-01-01T00:00:00Z",
  );
  expect(made.errors).toBe("");
  const [key = "", line = ""] = made.lines;
  expect(await statusOf(server.url, admin)).toBe(200);
  await expect.poll(() => statusOf(server.url, key), { timeout: 5_000 }).toBe(200);
  expect((await post(`${server.url}/admin/start`, { views: ["seen"] }, key)).status).toBe(403);
  expect((await fetch(`${server.url}/admin/keys`)).status).toBe(401);

  const id = line.split(" ")[0] ?? "";
  const [rotated = ""] = (await run("key", "rotate", id)).lines;
  await expect.poll(() => statusOf(server.url, rotated), { timeout: 5_000 }).toBe(200);
  expect((await run("key", "list")).output).toMatch(
    new RegExp(
      `^${id}  shop  read of seen_service  until 2099-01-01T00:00:00Z, secrets \\w{8}, \\w{8}$`,
      "m",
    ),
  );
  expect((await run("key", "revoke", id)).output).toContain("revoked ");
  const verified = await run("audit", "verify");
  expect(verified.output).toMatch(/^The audit log is whole, 4 entries\nhead 4:[0-9a-f]{64}\n$/);
  const foreign = await run("audit", "verify", "--head", `4:${"0".repeat(64)}`);
  expect([foreign.status, foreign.errors]).toEqual([
    1,
    expect.stringContaining("does not lead through"),
  ]);
}, 60_000);

test("key new makes a key for a configuration, which a server takes", async () => {
  const ran = await runCommand("key", "new", "--name", "shop", "--scope", "read", "metrics");
  const [keyLine = "", , , json = ""] = ran.output.split("\n");
  const access = { keys: [JSON.parse(json) as never] };
  const server = await serveNode(features, { directory: ":memory:", access });
  onTestFinished(() => server.close());
  expect(await statusOf(server.url, keyLine.replace(/^key +/, ""))).toBe(200);
  expect(await statusOf(server.url, admin)).toBe(401);
});
