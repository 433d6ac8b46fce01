/** How much of a bare handler's throughput a batch of a hundred entities keeps, in Node over Redis. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import type { SourceDefinition } from "../../src/define/definition.ts";
import { loadRepository } from "../../src/define/load-repository.ts";
import { startRedis } from "../cli/start-redis.ts";
import { benchEntities } from "./bench-entities.ts";
import { runLoad } from "./load.ts";
import type { LoadTarget } from "./load.ts";
import { figureOf, ratioRounds } from "./measure.ts";
import type { Figure } from "./measure.ts";
import { randomEvents } from "./random-events.ts";
import * as features from "./serving-features.ts";
import type { ServingRedisUrls } from "./serving-redis-server.ts";

const dayMs = 86_400_000;
const rounds = 7;
const concurrency = 4;
/** About as long for one as for the other. */
const fullLoad = { requestCount: 60, concurrency };
const bareLoad = { requestCount: 600, concurrency };
const historyEvents = 2000;
const streamEvents = 100;
const repository = loadRepository(features);
const source = repository.sources.get("bench_events") as SourceDefinition;

export async function servingLimitNodeRedis(): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-bench-"));
  const redis = await startRedis(directory);
  const server = spawn(
    process.execPath,
    [new URL("serving-redis-server.ts", import.meta.url).pathname, redis.url],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = once(server, "exit");
  try {
    const urls = await readUrls(server.stdout);
    await loadEntities(urls.full);
    const full = {
      url: `${urls.full}/api/v1/feature-service/get-features-batch`,
      body: batchBody(),
    };
    const { lastBody } = await runLoad(full, { requestCount: 1, concurrency: 1 });
    const bare = { url: `${urls.bare}/bare/${lastBody.length}`, body: full.body };
    await checkSameReads(redis.url, [full, bare]);
    const ratios = await ratioRounds(
      rounds,
      async () => (await runLoad(full, fullLoad)).requestsPerSecond,
      async () => (await runLoad(bare, bareLoad)).requestsPerSecond,
    );
    return figureOf(ratios, "batch of 100 entities × 5 views / bare handler, requests per second");
  } finally {
    server.stdin.end();
    await ended;
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** @throws when the server ends before it answers. */
async function readUrls(output: NodeJS.ReadableStream): Promise<ServingRedisUrls> {
  for await (const line of createInterface({ input: output })) {
    return JSON.parse(line) as ServingRedisUrls;
  }
  throw new Error("Cannot start the server: it ended before it listened");
}

/** Thirty days of history of each entity, compacted, and a stream since. */
async function loadEntities(url: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-bench-"));
  const offline = await openOfflineStore({ directory, memoryBytesMax: 1024 ** 3 });
  try {
    const nowMs = Date.now();
    const cutMs = nowMs - dayMs / 2;
    const history = { startMs: cutMs - 30 * dayMs, endMs: cutMs, count: historyEvents };
    const rows = eventsOf(history).map((event) => JSON.stringify(event));
    const file = join(directory, "rows.jsonl");
    await writeFile(file, rows.join("\n"));
    await offline.load(source, [file]);
    const headers = { "x-tilemark-now": String(cutMs) };
    const api = httpCompactionApi({ baseUrl: url, fetch, headers });
    await compactViews({ api, offline, repository });
    await ingest(url, eventsOf({ startMs: cutMs, endMs: nowMs, count: streamEvents }));
  } finally {
    await offline.close();
    await rm(directory, { recursive: true });
  }
}

function eventsOf(span: {
  readonly startMs: number;
  readonly endMs: number;
  readonly count: number;
}) {
  return benchEntities.flatMap((user, i) => [...randomEvents({ ...span, user, seed: i + 1 })]);
}

async function ingest(url: string, events: readonly object[]): Promise<void> {
  const records = { bench_events: events.map((record) => ({ record })) };
  const response = await fetch(`${url}/ingest`, {
    method: "POST",
    body: JSON.stringify({ workspace_name: "prod", dry_run: false, records }),
  });
  if (!response.ok) throw new Error(`Cannot ingest: ${await response.text()}`);
  await response.arrayBuffer();
}

function batchBody(): string {
  const requestData = benchEntities.map((user_id) => ({ joinKeyMap: { user_id } }));
  const params = { workspaceName: "prod", featureServiceName: "bench_service", requestData };
  return JSON.stringify({ params });
}

/** @throws when the two do not find the same number of keys by the same number of calls. */
async function checkSameReads(redisUrl: string, targets: readonly LoadTarget[]): Promise<void> {
  const client = new Redis(redisUrl);
  const reads: string[] = [];
  for (const target of targets) {
    await client.config("RESETSTAT");
    await runLoad(target, { requestCount: 1, concurrency: 1 });
    const stats = await client.info("stats");
    const calls = /^cmdstat_mget:calls=\d+/m.exec(await client.info("commandstats"));
    const [hits, misses] = ["hits", "misses"].map((name) =>
      new RegExp(`^keyspace_${name}:\\d+`, "m").exec(stats),
    );
    reads.push([calls, hits, misses].join(" "));
  }
  client.disconnect();
  if (reads[0] !== reads[1]) {
    throw new Error(`Cannot compare: the full request reads ${reads[0]}, the bare one ${reads[1]}`);
  }
}
