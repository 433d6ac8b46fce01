import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleEntry } from "../../scripts/cli/bundle-worker.ts";
import { compatibilityDate } from "../../scripts/cli/dev-server.ts";
import { storeContractNames } from "../../src/store/contract/store-contract.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import type { UpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import { contractOutcomes, unguarded } from "./contract-outcomes.ts";
import type { CaseOutcome } from "./run-contract.ts";

let upstash: UpstashOnRedis;
beforeAll(async () => {
  upstash = await startUpstashOnRedis();
});
afterAll(() => upstash.close());

test.each(["deno", "bun"] as const)(
  "UpstashStore passes its cases in %s",
  { timeout: 120_000 },
  async (runtime) => {
    expectAllPassed(await contractOutcomes(runtime, ["upstash", address(), `${runtime}/`]));
  },
);

test("UpstashStore passes its cases in workerd", { timeout: 120_000 }, async () => {
  const workerFile = fileURLToPath(import.meta.resolve("./upstash-worker.ts"));
  const miniflare = new Miniflare({
    modules: true,
    script: await bundleEntry(`export { default } from ${JSON.stringify(workerFile)};`),
    compatibilityDate,
    cf: false,
    log: new Log(LogLevel.NONE),
  });
  try {
    const request = { method: "POST", body: address() };
    const response = await miniflare.dispatchFetch("http://localhost/", request);
    expectAllPassed((await response.json()) as CaseOutcome[]);
  } finally {
    await miniflare.dispose();
  }
});

function address(): string {
  return upstash.url.replace("://", `://${upstash.token}@`);
}

function expectAllPassed(outcomes: readonly CaseOutcome[]): void {
  expect(outcomes.map(({ name }) => name)).toEqual(storeContractNames);
  expect(outcomes.filter(({ status }) => status !== "passed")).toEqual([unguarded]);
}
