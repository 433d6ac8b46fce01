/** Two workers: a home, and one that only answers, from the same Workers KV and Durable Objects. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Log, LogLevel, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { bundleWorker } from "../../scripts/cli/bundle-worker.ts";
import { compatibilityDate } from "../../scripts/cli/dev-server.ts";
import { nowMs } from "../runtimes/purchases.ts";
import type { Purchase } from "../runtimes/purchases.ts";
import { ServingClient } from "../runtimes/serving-client.ts";

const featuresFile = new URL("../runtimes/features.ts", import.meta.url).pathname;
const hourMs = 3_600_000;

let directory: string;
let offline: DuckdbOfflineStore;
let miniflare: Miniflare;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "tilemark-serving-worker-"));
  offline = await openOfflineStore({ directory, memoryBytesMax: 128_000_000, threads: 1 });
  const [home, serving] = await Promise.all([
    bundleWorker(featuresFile),
    bundleWorker(featuresFile, { serves: true }),
  ]);
  const common = {
    compatibilityDate,
    kvNamespaces: { BATCH: "batch" },
    bindings: { TILEMARK_TEST_CLOCK: "1" },
  };
  miniflare = new Miniflare({
    host: "127.0.0.1",
    port: 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    workers: [
      {
        ...common,
        name: "home",
        modules: [{ type: "ESModule", path: "home.mjs", contents: home }],
        durableObjects: {
          LOG_SHARDS: { className: "LogShard", useSQLite: true },
          STREAM_SHARDS: { className: "StreamShard", useSQLite: true },
          PUBLISHER: { className: "PublisherShard", useSQLite: true },
        },
      },
      {
        ...common,
        name: "serving",
        modules: [{ type: "ESModule", path: "serving.mjs", contents: serving }],
        durableObjects: { STREAM_SHARDS: { className: "StreamShard", scriptName: "home" } },
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  });
});
afterAll(async () => {
  await miniflare.dispose();
  await offline.close();
  await rm(directory, { recursive: true });
});

function purchase(id: string, ageHours: number, amount: number): Purchase {
  return { id, customer_id: "c", tsMs: nowMs - ageHours * hourMs, amount, cents: 100 };
}

test("a worker that only serves answers as the home does, from its records", async () => {
  const origin = (url: URL) => url.href.replace(/\/$/, "");
  const options = { offline, hasTestClock: true };
  const home = new ServingClient(origin(await miniflare.ready), options);
  const serving = new ServingClient(origin(await miniflare.unsafeGetDirectURL("serving")), options);
  await home.accept([purchase("a", 30, 5), purchase("b", 20, 3)]);
  await home.compact();
  await home.accept([purchase("late", 25, 1), purchase("new", 2, 4)]);
  const expected = await home.ask("c");
  expect(expected).toMatchObject({ "spend.amount_count_lifetime_1h": "4" });
  expect(await serving.ask("c")).toEqual(expected);
  const refused = await serving.ingest([purchase("not here", 1, 1)]);
  expect(refused.status).toBe(404);
  expect(await home.ask("c")).toEqual(expected);
});
