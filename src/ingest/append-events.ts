/**
 * Appends the events of a request: each shard of the log its share, in one step. Where the request
 * has a name, a repeat completes what is missing, and nothing is written under a name that is taken.
 */

import { groupBy } from "../core/group-by.ts";
import { hashText, xxh32 } from "../core/hash.ts";
import type {
  AppendOptions,
  AppendResult,
  LogEntry,
  NamedRequest,
  PartitionRange,
} from "../store/event-log.ts";
import type { LogAccess } from "./log-home.ts";
import { logShardOf } from "./log-shard-of.ts";
import type { ValidEvent } from "./validate-records.ts";

export type Outcome = AppendResult["outcomes"][number];

export interface EventBatch {
  readonly events: readonly ValidEvent[];
  readonly partitions: readonly PartitionRange[];
  /** Null where the sender gave the request no key. */
  readonly request: NamedRequest | null;
  readonly nowMs: number;
}

/** What of a batch goes to one shard. */
interface Share {
  readonly entries: readonly LogEntry[];
  /** Where each entry's event stands in the batch. */
  readonly positions: readonly number[];
  readonly partitions: readonly PartitionRange[];
}

/** What became of each event, in order. Waits for every shard, also when one has failed. */
export async function appendEvents(
  shards: readonly LogAccess[],
  batch: EventBatch,
): Promise<readonly Outcome[]> {
  const { events, request, nowMs } = batch;
  const options = { nowMs, redeliveryHorizonMs: horizonsOf(events) };
  await claimKey(shards, request, options);
  const outcomes = new Array<Outcome>(events.length);
  const appends = sharesOf(batch, shards.length).map(async (share, i) => {
    // A shard without a share has nothing to settle, unless it alone settles who has the key.
    if (isEmpty(share) && (request === null || shards.length > 1)) return;
    const result = await (shards[i] as LogAccess).append(share.entries, {
      ...options,
      partitions: share.partitions,
      ...(request !== null && { request: { ...request, key: `append:${request.key}` } }),
    });
    share.positions.forEach((position, j) => {
      outcomes[position] = result.outcomes[j] as Outcome;
    });
  });
  for (const settled of await Promise.allSettled(appends)) {
    if (settled.status === "rejected") throw settled.reason;
  }
  return outcomes;
}

function horizonsOf(events: readonly ValidEvent[]): ReadonlyMap<string, number> {
  const withIds = events.filter(({ source }) => source.id !== null);
  return new Map(withIds.map(({ source }) => [source.name, source.redeliveryHorizonMs]));
}

/** Of several shards one knows first whose the key is, so that none of them takes another content. */
async function claimKey(
  shards: readonly LogAccess[],
  request: NamedRequest | null,
  options: AppendOptions,
): Promise<void> {
  if (request === null || shards.length === 1) return;
  const key = `claim:${request.key}`;
  const home = shards[hashText(key) % shards.length] as LogAccess;
  await home.append([], { ...options, request: { ...request, key } });
}

/** One share a shard, in their order. */
function sharesOf({ events, partitions }: EventBatch, shardCount: number): readonly Share[] {
  const rangesBySource = new Map(partitions.map((range) => [range.source, range]));
  const placed = events.map(({ source, event, body, offset }, position) => {
    const { id, timestampMs } = event;
    const entry = { source: source.name, id, timestampMs, body, offset };
    const range = rangesBySource.get(source.name);
    return { entry, position, shard: shardOfEntry(entry, { range, shardCount }) };
  });
  const placedByShard = groupBy(placed, ({ shard }) => shard);
  const rangesByShard = groupBy(partitions, (range) => shardOfRange(range, shardCount));
  return Array.from({ length: shardCount }, (_, shard) => ({
    entries: (placedByShard.get(shard) ?? []).map(({ entry }) => entry),
    positions: (placedByShard.get(shard) ?? []).map(({ position }) => position),
    partitions: rangesByShard.get(shard) ?? [],
  }));
}

/** A repeat must meet the memory of the first: its partition's, its id's, or for a key its body's. */
function shardOfEntry(
  { source, id, body }: LogEntry,
  {
    range,
    shardCount,
  }: { readonly range: PartitionRange | undefined; readonly shardCount: number },
): number {
  if (range !== undefined) return shardOfRange(range, shardCount);
  return id === "" ? xxh32(body) % shardCount : logShardOf(source, id, shardCount);
}

function shardOfRange({ source, partition }: PartitionRange, shardCount: number): number {
  return hashText(source + partition) % shardCount;
}

function isEmpty({ entries, partitions }: Share): boolean {
  return entries.length === 0 && partitions.length === 0;
}
