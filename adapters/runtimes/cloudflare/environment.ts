/** The bindings a worker is given, and the homes that they are. */

import type { Repository } from "../../../src/define/definition.ts";
import type { LogAccess } from "../../../src/ingest/log-home.ts";
import type { StreamHome } from "../../../src/store/stream-home.ts";
import type { KvBinding } from "../../stores/workers-kv-store.ts";
import type { LogShardObject } from "./log-shard.ts";
import type { PublisherObject } from "./publisher.ts";
import { call } from "./rpc.ts";
import type { StreamShardObject } from "./stream-shard.ts";

export interface TilemarkEnvironment {
  /** Workers KV: batch records. */
  readonly BATCH: KvBinding;
  readonly LOG_SHARDS: DurableObjectNamespace<LogShardObject>;
  readonly STREAM_SHARDS: DurableObjectNamespace<StreamShardObject>;
  readonly PUBLISHER: DurableObjectNamespace<PublisherObject>;
  /** How many Durable Objects hold stream records. Fixed once there are any: records do not move. */
  readonly TILEMARK_STREAM_SHARDS?: string;
  /** How many Durable Objects a log has. Fixed once there are events: ids do not move. */
  readonly TILEMARK_LOG_SHARDS?: string;
  /** "1" in tests: requests may carry their own `now`. */
  readonly TILEMARK_TEST_CLOCK?: string;
  /** Milliseconds added to the clock: to serve windows over old events. */
  readonly TILEMARK_CLOCK_OFFSET_MS?: string;
}

const streamShardsDefault = 4;
const logShardsDefault = 1;

/** The homes of stream records, each one Durable Object. */
export function streamHomes(env: TilemarkEnvironment): StreamHome[] {
  return names("stream", Number(env.TILEMARK_STREAM_SHARDS ?? streamShardsDefault)).map((name) => {
    const id = env.STREAM_SHARDS.idFromName(name);
    // A stub belongs to one request and breaks when a call fails, so each call has its own.
    const stub = () => env.STREAM_SHARDS.get(id);
    return {
      readMany: (keys) => call("stream shard", stub().readMany(keys)),
      apply: (records, context) => call("stream shard", stub().apply(records, context)),
      collect: (request) => call("stream shard", stub().collect(request)),
      bury: (tombstones) => call("stream shard", stub().bury(tombstones)),
      erase: (request) => call("stream shard", stub().erase(request)),
    };
  });
}

/** The shards of a log, each one Durable Object. */
export function logShards(env: TilemarkEnvironment, log: string): LogAccess[] {
  return names(log, Number(env.TILEMARK_LOG_SHARDS ?? logShardsDefault)).map((shard) => {
    const id = env.LOG_SHARDS.idFromName(shard);
    const stub = () => env.LOG_SHARDS.get(id);
    return {
      shard,
      append: (entries, options) => call("log shard", stub().append(entries, options)),
      seal: (seal) => call("log shard", stub().seal(seal)),
      closeBefore: (source, beforeMs) => call("log shard", stub().closeBefore(source, beforeMs)),
      repair: (nowMs) => call("log shard", stub().repair(nowMs)),
      read: (range) => call("log shard", stub().read(range)),
      trim: (epoch) => call("log shard", stub().trim(epoch)),
    };
  });
}

export function logNames(repository: Repository): string[] {
  return [...new Set([...repository.sources.values()].map(({ log }) => log))];
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}
