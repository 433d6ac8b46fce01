/**
 * A request for a key of a million events against one of a hundred, both uniform over thirty days,
 * just before the next daily compaction, and the bytes that each reads.
 */

import { BenchServer } from "./bench-server.ts";
import { runLoad } from "./load.ts";
import { figureOf, median, ratioRounds } from "./measure.ts";
import type { Figure } from "./measure.ts";
import { randomEvents } from "./random-events.ts";

const dayMs = 86_400_000;
const rounds = 7;
const requestCount = 400;
const keys = { hot: 1_000_000, quiet: 100 } as const;
type Key = keyof typeof keys;

export interface HotKeyFigures {
  readonly ratio: Figure;
  readonly hotBytes: number;
  readonly quietBytes: number;
}

export async function hotKey(windowing: "sliding" | "continuous"): Promise<HotKeyFigures> {
  const server = await BenchServer.start({
    featuresFile: new URL("hot-key-features.ts", import.meta.url).pathname,
  });
  try {
    const cutMs = Date.now() - dayMs + 60_000;
    const nowMs = cutMs + dayMs - 60_000;
    await loadKeys(server, { source: `events_${windowing}`, cutMs, nowMs });
    const targets = {
      hot: target(server, windowing, "hot"),
      quiet: target(server, windowing, "quiet"),
    };
    const time = async (key: Key) =>
      median((await runLoad(targets[key], { requestCount, concurrency: 1 })).latenciesMs);
    const ratios = await ratioRounds(
      rounds,
      () => time("hot"),
      () => time("quiet"),
    );
    return {
      ratio: figureOf(ratios, "time of a request, key of 1,000,000 events / key of 100"),
      hotBytes: await bytesRead(targets.hot),
      quietBytes: await bytesRead(targets.quiet),
    };
  } finally {
    await server.close();
  }
}

/** Twenty-nine days are history, the last one streams in. */
async function loadKeys(
  server: BenchServer,
  load: { readonly source: string; readonly cutMs: number; readonly nowMs: number },
): Promise<void> {
  const { source, cutMs, nowMs } = load;
  const events = (user: Key, startMs: number, endMs: number) =>
    randomEvents({
      user,
      startMs,
      endMs,
      seed: 7,
      count: Math.round((keys[user] * (endMs - startMs)) / (30 * dayMs)),
    });
  for (const user of ["hot", "quiet"] as const) {
    await server.backfill(source, events(user, nowMs - 30 * dayMs, cutMs));
  }
  await server.compact(cutMs);
  for (const user of ["hot", "quiet"] as const) {
    await server.ingest(source, [...events(user, cutMs, nowMs)]);
  }
}

function target(server: BenchServer, windowing: string, user: Key) {
  const params = {
    workspaceName: "prod",
    featureServiceName: `${windowing}_service`,
    joinKeyMap: { user_id: user },
    metadataOptions: { includeSloInfo: true },
  };
  return {
    url: `${server.url}/api/v1/feature-service/get-features`,
    body: JSON.stringify({ params }),
  };
}

/** Bytes of the records that a request reads, as the answer says. */
async function bytesRead(request: {
  readonly url: string;
  readonly body: string;
}): Promise<number> {
  const { lastBody } = await runLoad(request, { requestCount: 1, concurrency: 1 });
  const answer = JSON.parse(lastBody) as {
    readonly metadata: { readonly sloInfo: { readonly storeResponseSizeBytes: number } };
  };
  return answer.metadata.sloInfo.storeResponseSizeBytes;
}
