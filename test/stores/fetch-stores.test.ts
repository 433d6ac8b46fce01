import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleEntry } from "../../scripts/cli/bundle-worker.ts";
import { compatibilityDate } from "../../scripts/cli/dev-server.ts";
import { storeContractNames } from "../../src/store/contract/store-contract.ts";
import { startLocalDynamodb } from "../builders/dynamodb-local.ts";
import type { LocalDynamodb } from "../builders/dynamodb-local.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import type { UpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import { contractOutcomes, unguarded } from "./contract-outcomes.ts";
import type { CaseOutcome } from "./run-contract.ts";

let upstash: UpstashOnRedis;
let dynamodb: LocalDynamodb;
beforeAll(async () => {
  upstash = await startUpstashOnRedis();
  dynamodb = await startLocalDynamodb();
});
afterAll(async () => {
  await upstash.close();
  await dynamodb.close();
});

const stores = ["upstash", "dynamodb"] as const;
const runs = stores.flatMap((store) =>
  (["deno", "bun", "workerd"] as const).map((runtime) => ({ store, runtime })),
);

test.each(runs)(
  "the store of $store passes its cases in $runtime",
  { timeout: 120_000 },
  async ({ store, runtime }) => {
    const outcomes = await (runtime === "workerd"
      ? workerdOutcomes(store)
      : contractOutcomes(runtime, [store, addressOf(store), `${runtime}/`]));
    expect(outcomes.map(({ name }) => name)).toEqual(storeContractNames);
    expect(outcomes.filter(({ status }) => status !== "passed")).toEqual([unguarded]);
  },
);

async function workerdOutcomes(store: (typeof stores)[number]): Promise<CaseOutcome[]> {
  const workerFile = fileURLToPath(import.meta.resolve("./fetch-stores-worker.ts"));
  const miniflare = new Miniflare({
    modules: true,
    script: await bundleEntry(`export { default } from ${JSON.stringify(workerFile)};`),
    compatibilityDate,
    cf: false,
    log: new Log(LogLevel.NONE),
  });
  try {
    const request = { method: "POST", body: addressOf(store) };
    const response = await miniflare.dispatchFetch(`http://localhost/${store}`, request);
    return (await response.json()) as CaseOutcome[];
  } finally {
    await miniflare.dispose();
  }
}

function addressOf(store: (typeof stores)[number]): string {
  if (store === "dynamodb") return dynamodb.options.endpoint;
  return upstash.url.replace("://", `://${upstash.token}@`);
}
