/**
 * Makes the log shards know the events of a load before a scan may see it. An event that is loaded
 * and ingested then counts once: where it was ingested first, the load waits for the cut that covers
 * it; where it comes later, it is a repeat.
 */

import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import { logShardOf } from "../ingest/log-shard-of.ts";
import type { NewLoad, OfflineStore } from "../offline/offline-store.ts";
import type { CompactionApi } from "./compaction-api.ts";

/** Ids of events that ingest refuses for their age need not be known, by whichever clock. */
const clockMarginMs = 2 * limits.clockErrorMsMax + limits.requestMsMax;

export async function registerLoads(
  api: CompactionApi,
  offline: OfflineStore,
  views: readonly ViewDefinition[],
): Promise<void> {
  for (const source of new Set(views.map((view) => view.history ?? view.source))) {
    if (source.kind === "batchSource") continue;
    for (const load of await offline.newLoads(source)) {
      await offline.registerLoad(load, await rememberLoad(api, offline, load));
    }
  }
}

/** The newest epoch that an event of the load can have in the log. */
async function rememberLoad(
  api: CompactionApi,
  offline: OfflineStore,
  load: NewLoad,
): Promise<number> {
  const { source } = load;
  const shards = await api.shards(source.log);
  const fromMs = (await api.now()) - source.redeliveryHorizonMs - clockMarginMs;
  let epoch = -1;
  const remember = async (shard: string, ids: Parameters<typeof api.rememberIds>[0]["ids"]) => {
    epoch = Math.max(epoch, await api.rememberIds({ shard, source: source.name, fromMs, ids }));
  };
  for await (const page of offline.idsOf(load, fromMs)) {
    for (const [index, shard] of shards.entries()) {
      const own = page.filter(({ id }) => logShardOf(source.name, id, shards.length) === index);
      if (own.length > 0) await remember(shard, own);
    }
  }
  // Last of all and of every shard: what came in while the ids were on their way is in it too.
  for (const shard of shards) await remember(shard, []);
  return epoch;
}
