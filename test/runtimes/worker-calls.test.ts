/** A real worker over Workers KV and Durable Objects, whose calls to both are counted inside of it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleEntry } from "../../scripts/cli/bundle-worker.ts";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import type { DevServer } from "../../scripts/cli/dev-server.ts";

const root = new URL("../..", import.meta.url).pathname;
const featuresFile = join(root, "scripts/bench/serving-features.ts");
const streamShards = 4;

/** A call that begins after another was answered has waited for it: it is late. */
const entry = `
import * as features from ${JSON.stringify(featuresFile)};
import { createWorker } from ${JSON.stringify(join(root, "adapters/runtimes/cloudflare.ts"))};
const worker = createWorker(features);
const fresh = () => ({ kv: 0, shards: 0, answered: 0, late: 0 });
let counts = fresh();
function count(kind, call) {
  const own = counts;
  own[kind] += 1;
  if (own.answered > 0) own.late += 1;
  const answer = call();
  answer.then(() => { own.answered += 1; });
  return answer;
}
function tapped(env) {
  const { BATCH, STREAM_SHARDS } = env;
  return {
    ...env,
    BATCH: { get: (...values) => count("kv", () => BATCH.get(...values)) },
    STREAM_SHARDS: {
      idFromName: (name) => STREAM_SHARDS.idFromName(name),
      get: (id) => ({ readMany: (keys) => count("shards", () => STREAM_SHARDS.get(id).readMany(keys)) }),
    },
  };
}
let front = null;
export default {
  async fetch(request, env) {
    if (!new URL(request.url).pathname.startsWith("/api/")) return worker.handler.fetch(request, env);
    counts = fresh();
    const answer = await worker.handler.fetch(request, (front ??= tapped(env)));
    return new Response(JSON.stringify({ status: answer.status, ...counts }));
  },
};
export const { LogShard, StreamShard, PublisherShard, RegionShard } = worker;
`;

const stateDirectory = mkdtempSync(join(tmpdir(), "tilemark-calls-"));
let server: DevServer;

beforeAll(async () => {
  const script = await bundleEntry(entry);
  server = await startDevServer({ featuresFile, script, stateDirectory, streamShards });
});

afterAll(async () => {
  await server?.close();
  rmSync(stateDirectory, { recursive: true, force: true });
});

test.each([
  { entityCount: 1, kv: 1, shards: 1 },
  { entityCount: 100, kv: 5, shards: streamShards },
])(
  "$entityCount entities × 5 views take $kv calls to Workers KV and $shards to Durable Objects, all at once",
  async ({ entityCount, kv, shards }) => {
    const body = JSON.stringify({
      params: {
        workspaceName: "prod",
        featureServiceName: "bench_service",
        requestData: Array.from({ length: entityCount }, (_, i) => ({
          joinKeyMap: { user_id: `user-${i}` },
        })),
      },
    });
    const counted: Record<string, number>[] = [];
    for (let i = 0; i < 10; i++) {
      const path = "/api/v1/feature-service/get-features-batch";
      const response = await fetch(server.url + path, { method: "POST", body });
      counted.push((await response.json()) as Record<string, number>);
    }
    // A slow call is asked once more beside the first: none of that is in the plan, which is the least.
    const calls = counted.map((each) => (each["kv"] ?? 0) + (each["shards"] ?? 0));
    const least = counted[calls.indexOf(Math.min(...calls))];
    expect(least).toEqual({ status: 200, kv, shards, answered: kv + shards, late: 0 });
  },
);
