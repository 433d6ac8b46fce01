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
import type { SourceDefinition, ViewDefinition } from "../define/definition.ts";
import { logShardOf } from "../ingest/log-shard-of.ts";
import type { LoadedRow, NewLoad, OfflineStore } from "../offline/offline-store.ts";
import type { ClosedSource } from "../store/event-log.ts";
import type { CompactionApi } from "./compaction-api.ts";

export async function registerLoads(
  api: CompactionApi,
  offline: OfflineStore,
  views: readonly ViewDefinition[],
): Promise<void> {
  for (const source of new Set(views.map((view) => view.history ?? view.source))) {
    if (source.kind === "batchSource") continue;
    const loads = await offline.newLoads(source);
    if (loads.length === 0) continue;
    const beforeMs = (await api.now()) - source.redeliveryHorizonMs;
    for (const load of loads) {
      await appendRecent(api, offline, { load, closed: await closeShards(api, source, beforeMs) });
      // Closed once more, for the epoch that is open now: what came in between is in it too.
      const closed = await closeShards(api, source, beforeMs);
      await offline.registerLoad(load, Math.max(...closed.map(({ epoch }) => epoch)));
    }
  }
}

interface ClosedShard extends ClosedSource {
  readonly shard: string;
}

/** Every shard of a source's log, closed to events before an instant whose ids it does not know. */
async function closeShards(
  api: CompactionApi,
  { name, log }: SourceDefinition,
  beforeMs: number,
): Promise<readonly ClosedShard[]> {
  const closed: ClosedShard[] = [];
  for (const shard of await api.shards(log)) {
    closed.push({ shard, ...(await api.closeBefore({ shard, source: name, beforeMs })) });
  }
  return closed;
}

/** Appends the rows that the shards have not closed; older ones can only have come before. */
async function appendRecent(
  api: CompactionApi,
  offline: OfflineStore,
  { load, closed }: { readonly load: NewLoad; readonly closed: readonly ClosedShard[] },
): Promise<void> {
  const { name: source } = load.source;
  const fromMs = Math.min(...closed.map(({ beforeMs }) => beforeMs));
  for await (const rows of offline.recentRows(load, fromMs)) {
    for (const [index, { shard, beforeMs }] of closed.entries()) {
      const isOwn = ({ id, timestampMs }: LoadedRow) =>
        timestampMs >= beforeMs && logShardOf(source, id, closed.length) === index;
      const own = rows.filter(isOwn);
      for (let i = 0; i < own.length; i += limits.appendRowsMax) {
        await api.appendRows({ shard, source, rows: own.slice(i, i + limits.appendRowsMax) });
      }
    }
  }
}
