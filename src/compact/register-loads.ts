/**
 * Brings a load and the event log together before a scan may see it, so that an event that is both
 * loaded and ingested counts once:
 *
 *   older than the redelivery horizon      what was ingested of it is in the log; no more will come
 *   younger                                appended to the log now: an event like any other
 *
 * The load then belongs to cuts that cover all of the log up to here, where a scan takes an id once.
 */

import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import { logShardOf } from "../ingest/log-shard-of.ts";
import type { LoadedRow, NewLoad, OfflineStore } from "../offline/offline-store.ts";
import type { CompactionApi } from "./compaction-api.ts";

export async function registerLoads(
  api: CompactionApi,
  offline: OfflineStore,
  views: readonly ViewDefinition[],
): Promise<void> {
  for (const source of new Set(views.map((view) => view.history ?? view.source))) {
    if (source.kind === "batchSource") continue;
    for (const load of await offline.newLoads(source)) {
      await appendRecent(api, offline, load);
      await offline.registerLoad(load, await closeShards(api, load, -Infinity));
    }
  }
}

async function appendRecent(
  api: CompactionApi,
  offline: OfflineStore,
  load: NewLoad,
): Promise<void> {
  const { source } = load;
  const shards = await api.shards(source.log);
  const horizonMs = (await api.now()) - source.redeliveryHorizonMs;
  const fromMs = new Map<string, number>();
  for (const shard of shards) {
    const closed = await api.closeBefore({ shard, source: source.name, beforeMs: horizonMs });
    fromMs.set(shard, closed.beforeMs);
  }
  for await (const rows of offline.recentRows(load, Math.min(...fromMs.values()))) {
    for (const [index, shard] of shards.entries()) {
      const isOwn = ({ id, timestampMs }: LoadedRow) =>
        timestampMs >= (fromMs.get(shard) ?? -Infinity) &&
        logShardOf(source.name, id, shards.length) === index;
      const own = rows.filter(isOwn);
      for (let i = 0; i < own.length; i += limits.appendRowsMax) {
        const part = own.slice(i, i + limits.appendRowsMax);
        await api.appendRows({ shard, source: source.name, rows: part });
      }
    }
  }
}

/** The newest epoch that an event of the source can have in the log by now. */
async function closeShards(
  api: CompactionApi,
  { source }: NewLoad,
  beforeMs: number,
): Promise<number> {
  let epoch = -1;
  for (const shard of await api.shards(source.log)) {
    const closed = await api.closeBefore({ shard, source: source.name, beforeMs });
    epoch = Math.max(epoch, closed.epoch);
  }
  return epoch;
}
