/** How much of a bare handler's throughput the full request keeps, in workerd. */

import { benchEntity } from "./bench-entity.ts";
import { BenchServer, featuresBody } from "./bench-server.ts";
import { runLoad } from "./load.ts";
import { figureOf, ratioRounds } from "./measure.ts";
import type { Figure } from "./measure.ts";
import { randomEvents } from "./random-events.ts";

const dayMs = 86_400_000;
const rounds = 7;
const requestCount = 1500;
const concurrency = 8;
const historyEvents = 2000;
const streamEvents = 100;

export async function servingLimitWorkerd(): Promise<Figure> {
  const server = await BenchServer.start({
    featuresFile: new URL("serving-features.ts", import.meta.url).pathname,
    entryFile: new URL("serving-worker.ts", import.meta.url).pathname,
  });
  try {
    await loadEntity(server);
    const full = {
      url: `${server.url}/api/v1/feature-service/get-features`,
      body: featuresBody("bench_service", { user_id: benchEntity }),
    };
    const { lastBody } = await runLoad(full, { requestCount: 1, concurrency: 1 });
    const bare = { url: `${server.url}/bare/${lastBody.length}`, body: full.body };
    const load = { requestCount, concurrency };
    const ratios = await ratioRounds(
      rounds,
      async () => (await runLoad(full, load)).requestsPerSecond,
      async () => (await runLoad(bare, load)).requestsPerSecond,
    );
    return figureOf(ratios, "full request / bare handler, requests per second");
  } finally {
    await server.close();
  }
}

/** Thirty days of history, compacted, and a stream since. */
async function loadEntity(server: BenchServer): Promise<void> {
  const nowMs = Date.now();
  const cutMs = nowMs - dayMs / 2;
  const history = { user: benchEntity, startMs: cutMs - 30 * dayMs, endMs: cutMs, seed: 1 };
  await server.backfill("bench_events", randomEvents({ ...history, count: historyEvents }));
  await server.compact(cutMs);
  const stream = { user: benchEntity, startMs: cutMs, endMs: nowMs, seed: 2 };
  await server.ingest("bench_events", [...randomEvents({ ...stream, count: streamEvents })]);
}
