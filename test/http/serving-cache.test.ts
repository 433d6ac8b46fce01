/** The serving cache over HTTP: what is given again, what is not, and how it says so. */

import { expect, test, vi } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { createApp } from "../../src/http/app.ts";
import {
  count,
  entity,
  lastDistinct,
  loadRepository,
  onDemandView,
  service,
  streamSource,
  streamView,
} from "../../src/index.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { buildTestApp, testOrigin } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { MemoryOfflineStore } from "../builders/memory-offline-store.ts";
import { randomFrom } from "../builders/random.ts";

const route = "/api/v1/feature-service/get-features";
const nowMs = Date.parse("2024-01-10T12:00:00Z");
const maxAgeMs = 60_000;

const user = entity("user", { user_id: "string" });
const payments = streamSource("payments", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amt: "float64" },
});
const shared = { entities: [user], source: payments, compaction: { every: "1d" } } as const;
const kept = streamView("kept", {
  ...shared,
  windowing: "continuous",
  features: { id: [count("1h"), lastDistinct(100, "1h")] },
  cache: { maxAge: "60s" },
});
const fresh = streamView("fresh", {
  ...shared,
  windowing: "continuous",
  features: { id: [count("1h")] },
});
const doubled = onDemandView("doubled", {
  inputs: { kept },
  output: { count: "int64" },
  transform: ({ kept: { id_count_1h_continuous: known } }) => ({ count: (known ?? 0n) * 2n }),
});
const repository = loadRepository({
  kept,
  fresh,
  doubled,
  all_kept: service("all_kept", [kept]),
  both: service("both", [kept, fresh]),
  derived: service("derived", [doubled]),
});

async function ingest(app: TestApp, id: string, userId = "u"): Promise<void> {
  const record = { id, ts: new Date(app.clock.nowMs - 1_000).toISOString(), user_id: userId };
  const body = { workspace_name: "prod", dry_run: false, records: { payments: [{ record }] } };
  expect((await app.post("/ingest", body)).status).toBe(200);
}

async function build(): Promise<TestApp> {
  const app = buildTestApp(repository, { nowMs });
  await ingest(app, "a");
  return app;
}

async function compact(app: TestApp, offline = new MemoryOfflineStore()): Promise<void> {
  const fetch = (url: string, init: RequestInit) => app.app.request(url, init);
  const api = httpCompactionApi({ baseUrl: testOrigin, fetch });
  await compactViews({ api, offline, repository });
}

interface Feature {
  readonly name: string;
  readonly status: string;
  readonly effectiveTime?: string;
  readonly details?: { readonly cachedAt?: string };
}

interface Vector {
  readonly values: readonly unknown[];
  readonly features: readonly Feature[];
}

const asked = {
  includeNames: true,
  includeServingStatus: true,
  includeEffectiveTimes: true,
  includeDetails: true,
};

async function ask(
  app: TestApp,
  { userId = "u", of = "all_kept", options = {}, headers = {} } = {},
): Promise<Vector> {
  const params = {
    featureServiceName: of,
    joinKeyMap: { user_id: userId },
    metadataOptions: asked,
    requestOptions: options,
  };
  const answer = await app.post(route, { params }, headers);
  expect(answer.status, answer.text).toBe(200);
  const { result, metadata } = answer.body as {
    readonly result: { readonly features: readonly unknown[] };
    readonly metadata: { readonly features: readonly Feature[] };
  };
  return { values: result.features, features: metadata.features };
}

function statusesOf({ features }: Vector): string {
  return [...new Set(features.map(({ status }) => status))].join();
}

/** How often any store was read. */
function countReads(app: TestApp): () => number {
  const stores = [app.batchStore, ...app.streamStores];
  const spies = stores.map((store) => vi.spyOn(store, "readMany"));
  return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
}

test("an answer is given again without a read until it is as old as its view says, and tells its age", async () => {
  const app = await build();
  const first = await ask(app);
  expect([statusesOf(first), first.values]).toEqual(["PRESENT", ["1", ["a"]]]);
  await ingest(app, "b");
  app.clock.nowMs += maxAgeMs;
  const reads = countReads(app);
  const again = await ask(app);
  expect(reads()).toBe(0);
  expect(again.values).toEqual(first.values);
  for (const feature of again.features) {
    expect(feature).toEqual({
      name: feature.name,
      status: "CACHED_PRESENT",
      details: { cachedAt: "2024-01-10T12:00:00Z" },
    });
  }
  app.clock.nowMs += 1;
  const later = await ask(app);
  expect([statusesOf(later), later.values]).toEqual(["PRESENT", ["2", ["a", "b"]]]);
  expect(later.features[0]?.effectiveTime).toBe("2024-01-10T12:01:00.001Z");
});

test("what nothing is known of is given again as CACHED_MISSING_DATA, and null keys are not kept", async () => {
  const app = await build();
  await ask(app, { userId: "nobody" });
  const again = await ask(app, { userId: "nobody" });
  expect([statusesOf(again), again.values]).toEqual(["CACHED_MISSING_DATA", ["0", []]]);
  const params = { featureServiceName: "all_kept", joinKeyMap: { user_id: null } };
  const texts = [await app.post(route, { params }), await app.post(route, { params })];
  expect(texts[0]?.text).toBe(texts[1]?.text);
});

test("requests say for themselves whether they take from the cache, and whether they add to it", async () => {
  const app = await build();
  await ask(app, { options: { writeToCache: false } });
  expect(statusesOf(await ask(app, { options: { writeToCache: false } }))).toBe("PRESENT");
  await ask(app, { options: { readFromCache: false } });
  expect(statusesOf(await ask(app, { options: { readFromCache: false } }))).toBe("PRESENT");
  expect(statusesOf(await ask(app, { options: { writeToCache: false } }))).toBe("CACHED_PRESENT");
});

test("a cut that was met ends every answer of an older one", async () => {
  const app = await build();
  await ingest(app, "o", "other");
  const offline = new MemoryOfflineStore();
  await compact(app, offline);
  await ask(app);
  await ask(app, { userId: "other" });
  expect(statusesOf(await ask(app))).toBe("CACHED_PRESENT");
  await ingest(app, "b");
  await compact(app, offline);
  // Nobody has met it yet.
  expect(statusesOf(await ask(app))).toBe("CACHED_PRESENT");
  await ask(app, { userId: "other", options: { readFromCache: false } });
  const after = await ask(app);
  expect([statusesOf(after), after.values[0]]).toEqual(["PRESENT", "2"]);
  // One without a batch record is of the cut that was known.
  await ingest(app, "n", "newcomer");
  await ask(app, { userId: "newcomer" });
  expect(statusesOf(await ask(app, { userId: "newcomer" }))).toBe("CACHED_PRESENT");
});

test("an entity that is deleted here is gone from the cache at once, and no other", async () => {
  const app = await build();
  await ingest(app, "o", "other");
  await ask(app);
  await ask(app, { userId: "other" });
  const body = { entity: "user", joinKeyMap: { user_id: "u" } };
  expect((await app.post("/admin/delete", body)).status).toBe(200);
  const gone = await ask(app);
  expect([statusesOf(gone), gone.values]).toEqual(["MISSING_DATA", ["0", []]]);
  expect(statusesOf(await ask(app, { userId: "other" }))).toBe("CACHED_PRESENT");
});

test("a client that says what it has seen is never answered from the cache", async () => {
  const app = await build();
  await ask(app);
  await ingest(app, "b");
  const headers = { "x-tilemark-seen": "" };
  const seen = await ask(app, { headers });
  expect([statusesOf(seen), seen.values[0]]).toEqual(["PRESENT", "2"]);
});

test("views without a cache are read beside those with one, and on-demand views tell their input's age", async () => {
  const app = await build();
  await ask(app, { of: "both" });
  await ingest(app, "b");
  const { values, features } = await ask(app, { of: "both" });
  expect(values).toEqual(["2", "1", ["a"]]);
  expect(features.map(({ status }) => status)).toEqual([
    "PRESENT",
    "CACHED_PRESENT",
    "CACHED_PRESENT",
  ]);
  const derived = await ask(app, { of: "derived" });
  expect(derived.values).toEqual(["2"]);
  expect(derived.features).toEqual([
    { name: "doubled.count", status: "PRESENT", details: { cachedAt: "2024-01-10T12:00:00Z" } },
  ]);
});

test("rows of a batch come from the cache too, and no time stands for rows that are older", async () => {
  const app = await build();
  await ask(app);
  app.clock.nowMs += 1_000;
  await ingest(app, "b");
  const params = {
    featureServiceName: "all_kept",
    requestData: ["u", "nobody"].map((user_id) => ({ joinKeyMap: { user_id } })),
    metadataOptions: asked,
  };
  const { body } = await app.post(`${route}-batch`, { params });
  const { result, metadata } = body as {
    readonly result: readonly { readonly features: readonly unknown[] }[];
    readonly metadata: { readonly features: readonly object[] };
  };
  expect(result.map(({ features }) => features[0])).toEqual(["1", "0"]);
  expect(metadata.features[0]).toEqual({
    name: "kept.id_count_1h_continuous",
    status: ["CACHED_PRESENT", "MISSING_DATA"],
    details: [{ cachedAt: "2024-01-10T12:00:00Z" }, null],
  });
});

test("explain says that a value was cached, and of what age", async () => {
  const app = await build();
  await ask(app);
  app.clock.nowMs += 5_000;
  const params = { featureServiceName: "all_kept", joinKeyMap: { user_id: "u" }, explain: true };
  const { body } = await app.post(route, { params });
  const { metadata } = body as {
    metadata: { features: { explain: object }[]; explain: { stores: []; views: object[] } };
  };
  expect(metadata.features[0]?.explain).toEqual({
    status: "CACHED_PRESENT",
    reasons: ["cached: it was read at 2024-01-10T12:00:00Z, ask without the cache for its parts"],
  });
  expect(metadata.explain.stores).toEqual([]);
  expect(metadata.explain.views).toEqual([
    {
      view: "kept",
      kind: "streamView",
      fingerprint: kept.fingerprint,
      cachedAt: "2024-01-10T12:00:00Z",
      cachedAgeMs: 5_000,
    },
  ]);
});

test("two workspaces of an app never meet each other's answers", async () => {
  const homesOf = (store: MemoryStore) => ({ batch: store, streams: [store] });
  const workspaces = ["prod", "other"].map((name) => {
    return { name, repository, homes: homesOf(new MemoryStore()) };
  });
  const clock = { ...hostClock(), now: () => nowMs };
  const host = { clock, random: () => 0, testClock: false, report: () => undefined };
  const app = createApp({ ...host, workspaces, access: "loopback" });
  const statusIn = async (workspaceName: string) => {
    const params = {
      ...{ workspaceName, featureServiceName: "all_kept", joinKeyMap: { user_id: "u" } },
      metadataOptions: { includeServingStatus: true },
    };
    const body = JSON.stringify({ params });
    const answer = await app.request(testOrigin + route, { method: "POST", body });
    const { metadata } = (await answer.json()) as { metadata: { features: Feature[] } };
    return metadata.features[0]?.status;
  };
  expect(await statusIn("prod")).toBe("MISSING_DATA");
  expect(await statusIn("other")).toBe("MISSING_DATA");
  expect(await statusIn("prod")).toBe("CACHED_MISSING_DATA");
});

test("metrics tell how often the cache was of use, and how much it holds", async () => {
  const app = await build();
  await ask(app);
  await ask(app);
  await ask(app, { userId: "nobody" });
  const { text } = await app.get("/metrics");
  expect(text).toContain('tilemark_serving_cache_lookups_total{workspace="prod",outcome="hit"} 1');
  expect(text).toContain('tilemark_serving_cache_lookups_total{workspace="prod",outcome="miss"} 2');
  expect(text).toContain('tilemark_serving_cache_evictions_total{workspace="prod"} 0');
  expect(text).toContain('tilemark_serving_cache_entries{workspace="prod"} 2');
  expect(text).toMatch(/tilemark_serving_cache_size_bytes\{workspace="prod"\} [1-9]\d+\n/);
});

/** Every request is made twice: once past the cache, whose answer is remembered with its instant. */
async function runTimeline(seed: number): Promise<number> {
  const random = randomFrom(seed);
  const app = buildTestApp(repository, { nowMs });
  const offline = new MemoryOfflineStore();
  const read = new Map<string, readonly unknown[]>();
  const deletedAtMs = new Map<string, number>();
  let cachedCount = 0;
  for (let step = 0; step < 60; step++) {
    app.clock.nowMs += random.integer(1, 25_000);
    const userId = `u${random.integer(0, 4)}`;
    const kind = random.next();
    if (kind < 0.3) await ingest(app, `e${step}`, userId);
    else if (kind < 0.33) await compact(app, offline);
    else if (kind < 0.36) {
      const body = { entity: "user", joinKeyMap: { user_id: userId } };
      expect((await app.post("/admin/delete", body)).status).toBe(200);
      deletedAtMs.set(userId, app.clock.nowMs);
    } else {
      const past = { readFromCache: false, writeToCache: false };
      const truth = await ask(app, { userId, options: past });
      read.set(`${userId} ${app.clock.nowMs}`, truth.values);
      const answer = await ask(app, { userId });
      const cachedAt = answer.features[0]?.details?.cachedAt;
      if (cachedAt === undefined) {
        expect(answer).toEqual(truth);
        continue;
      }
      cachedCount += 1;
      const cachedAtMs = Date.parse(cachedAt);
      expect(app.clock.nowMs - cachedAtMs).toBeLessThanOrEqual(maxAgeMs);
      expect(cachedAtMs).toBeGreaterThanOrEqual(deletedAtMs.get(userId) ?? 0);
      expect(answer.values).toEqual(read.get(`${userId} ${cachedAtMs}`));
    }
  }
  return cachedCount;
}

test("a cached answer is what a read answered at its instant, never too old and never of the deleted", async () => {
  let cachedCount = 0;
  for (let seed = 1; seed <= 12; seed++) {
    try {
      cachedCount += await runTimeline(seed);
    } catch (cause) {
      throw new Error(`Timeline fails for seed ${seed}`, { cause });
    }
  }
  expect(cachedCount).toBeGreaterThan(50);
});
