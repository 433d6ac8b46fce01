import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { storeContractNames } from "../../src/store/contract/store-contract.ts";
import { startRedis } from "../builders/redis-server.ts";
import type { RedisServer } from "../builders/redis-server.ts";
import { runToEnd } from "../builders/runtime-process.ts";
import type { Runtime } from "../builders/runtime-process.ts";
import type { CaseOutcome } from "./run-contract.ts";
import { sqliteHandleCases } from "./sqlite-handle-cases.ts";

let redis: RedisServer;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tilemark-"));
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const handleNames = sqliteHandleCases.map(({ name }) => `handle: ${name}`);
const unguarded: CaseOutcome = {
  name: "write() refuses a guard, and writes nothing of its call",
  status: "skipped",
  reason: "the store has compare-and-set",
};
const cannotFail = storeContractNames
  .filter((name) => name.startsWith("a store that fails"))
  .map((name): CaseOutcome => ({ name, status: "skipped", reason: "memory cannot fail" }));

const sqliteNames = [...storeContractNames, ...handleNames];
const runs: readonly {
  readonly runtime: Runtime;
  readonly store: string;
  readonly names: readonly string[];
  readonly skipped: readonly CaseOutcome[];
}[] = [
  ...(["deno", "bun"] as const).flatMap((runtime) => [
    { runtime, store: "memory", names: storeContractNames, skipped: [unguarded, ...cannotFail] },
    { runtime, store: "redis", names: storeContractNames, skipped: [unguarded] },
  ]),
  { runtime: "node", store: "node-sqlite", names: sqliteNames, skipped: [unguarded] },
  { runtime: "deno", store: "node-sqlite", names: sqliteNames, skipped: [unguarded] },
  { runtime: "bun", store: "bun-sqlite", names: sqliteNames, skipped: [unguarded] },
];

test.each(runs)("$runtime runs the contract of $store", async (run) => {
  const { runtime, store, names, skipped } = run;
  const file = import.meta.resolve("./run-contract.ts");
  const address = store === "redis" ? redis.url : join(folder, `${runtime}.sqlite`);
  const values = [store, address, `${runtime}/`];
  const { code, stdout, stderr } = await runToEnd(runtime, { file, values, timeoutMs: 50_000 });
  expect(stderr).toBe("");
  const outcomes = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as CaseOutcome);
  expect(outcomes.map(({ name }) => name)).toEqual(names);
  expect(outcomes.filter(({ status }) => status !== "passed")).toEqual(skipped);
  expect(code).toBe(0);
});

test("runToEnd() tells of a program that fails", async () => {
  const file = import.meta.resolve("./run-contract.ts");
  for (const runtime of ["node", "deno", "bun"] as const) {
    const result = await runToEnd(runtime, { file, values: ["none"], timeoutMs: 50_000 });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('Cannot open store "none"');
  }
});
