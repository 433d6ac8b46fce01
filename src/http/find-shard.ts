/** The shards of logs, by the names that requests give. */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { LogAccess } from "../ingest/log-home.ts";

export interface LogParts {
  /** The names of all logs. */
  readonly logs: readonly string[];
  readonly logShards: (log: string) => readonly LogAccess[];
}

/** @throws FeatureError NOT_FOUND for a log that no source appends to. */
export function shardsOf({ logs, logShards }: LogParts, log: string): readonly LogAccess[] {
  if (logs.includes(log)) return logShards(log);
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot find log "${log.slice(0, limits.nameLengthMax)}": no source appends to it`,
  );
}

/** @throws FeatureError NOT_FOUND for a shard that no log has. */
export function findShard({ logs, logShards }: LogParts, name: string): LogAccess {
  for (const log of logs) {
    const found = logShards(log).find(({ shard }) => shard === name);
    if (found !== undefined) return found;
  }
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot find log shard "${name.slice(0, limits.nameLengthMax)}": no log has it`,
  );
}
