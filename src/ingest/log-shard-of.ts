/** Which shard of a log an event with an id goes to: the one that remembers the id. */

import { hashText } from "../core/hash.ts";

export function logShardOf(source: string, id: string, shardCount: number): number {
  return hashText(source + id) % shardCount;
}
