/** A request under the key that its sender gave it, as the shards of a log remember it. */

import { digestText } from "../core/hash.ts";
import { bodyHash } from "../store/body-hash.ts";
import type { NamedRequest, PartitionRange } from "../store/event-log.ts";
import type { ValidRecords } from "./validate-records.ts";

export interface RequestContent {
  readonly records: readonly ValidRecords[];
  readonly partitions: readonly PartitionRange[];
}

/**
 * Events older than the horizon of their source are refused under a key: so it must be known until
 * every event under it is that old.
 */
export function nameRequest(key: string, content: RequestContent, nowMs: number): NamedRequest {
  const horizonsMs = content.records.map(({ source }) => source.redeliveryHorizonMs);
  const timesMs = content.records.flatMap(({ events }) => events.map(timeOf));
  const newestMs = timesMs.reduce((newest, timeMs) => Math.max(newest, timeMs), nowMs);
  const keepUntilMs = newestMs + Math.max(...horizonsMs);
  return { key, contentHash: hashContent(content), keepUntilMs };
}

function timeOf({ event }: ValidRecords["events"][number]): number {
  return event.timestampMs;
}

/** Over all that would be written, whatever the order in which the sources are listed. */
function hashContent({ records, partitions }: RequestContent): string {
  const content = records.map(({ source, events }) => ({
    source: source.name,
    range: partitions.find((range) => range.source === source.name) ?? null,
    events: events.map(({ event, offset, body }) => {
      return [event.id, event.timestampMs, offset, bodyHash(body)];
    }),
  }));
  return digestText(JSON.stringify(content.sort((a, b) => (a.source < b.source ? -1 : 1))));
}
