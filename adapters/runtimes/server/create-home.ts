/**
 * A home on a host with files: the log and what the publisher remembers in SQLite, records in any
 * store with compare-and-set. One process is the home of a log; others may read its stores.
 */

import { HomeAccess } from "../../../src/access/home-access.ts";
import { Publisher } from "../../../src/compact/publisher.ts";
import type { Repository } from "../../../src/define/definition.ts";
import type { HomeParts } from "../../../src/http/workspace.ts";
import { LogHome } from "../../../src/ingest/log-home.ts";
import { ShardedStreams } from "../../../src/ingest/sharded-streams.ts";
import { StoreStreamHome } from "../../../src/ingest/store-stream-home.ts";
import type { OnlineStore } from "../../../src/store/online-store.ts";
import type { SqlHandle } from "../../../src/store/sql-handle.ts";
import type { StateTable } from "../../../src/store/state-table.ts";
import { SqliteEventLog } from "../../logs/sqlite-event-log.ts";
import { randomBytes } from "../key-access.ts";
import { logNames } from "../log-names.ts";

export interface HomeOptions {
  readonly repository: Repository;
  readonly batch: OnlineStore;
  readonly streams: OnlineStore;
  readonly state: StateTable;
  /** Opens the database of a log shard by its name. */
  readonly openLog: (shard: string) => SqlHandle;
  /** Fixed once there are events: ids do not move. */
  readonly logShardCount: number;
  /** How long rows of the log are kept for regions that follow, in milliseconds. */
  readonly logRetentionMs: number;
  /** What is configured of access, for the audit log; nothing if left out. */
  readonly accessConfiguration?: string;
}

export interface Home extends HomeParts {
  /** Applies what a crash left between the log and the stream records. */
  repair(nowMs: number): Promise<void>;
}

export function createHome(options: HomeOptions): Home {
  const { repository, batch, state, openLog, logShardCount } = options;
  const retentionMs = options.logRetentionMs;
  const streams = new ShardedStreams([new StoreStreamHome(options.streams, repository)]);
  const logs = new Map(
    logNames(repository).map((name): [string, readonly LogHome[]] => [
      name,
      Array.from({ length: logShardCount }, (_, i) => {
        const shard = `${name}-${i}`;
        const log = new SqliteEventLog(openLog(shard));
        return new LogHome({ shard, log, streams, repository, retentionMs });
      }),
    ]),
  );
  const logShards = (log: string) => logs.get(log) ?? [];
  return {
    logs: [...logs.keys()],
    logShards,
    publisher: new Publisher({ repository, batchStore: batch, streams, logShards, state }),
    access: new HomeAccess({
      state,
      randomBytes,
      configuration: options.accessConfiguration ?? "loopback",
    }),
    repair: async (nowMs) => {
      await Promise.all([...logs.values()].flat().map((shard) => shard.repair(nowMs)));
    },
  };
}
