/** What holds records on Cloudflare where no store of one's own does: Workers KV and Durable Objects. */

import type { StreamHome } from "../../../src/store/stream-home.ts";
import type { KvBinding } from "../../stores/workers-kv-store.ts";
import { call } from "./rpc.ts";
import type { StreamShardObject } from "./stream-shard.ts";

/** A worker that only serves has them bound from the worker that is the home. */
export interface PlatformBindings {
  /** Workers KV: batch records. */
  readonly BATCH: KvBinding;
  readonly STREAM_SHARDS: DurableObjectNamespace<StreamShardObject>;
  /** How many Durable Objects hold stream records. Fixed once there are any: records do not move. */
  readonly TILEMARK_STREAM_SHARDS?: string;
}

const streamShardsDefault = 4;

/** Each one a Durable Object. */
export function durableHomes(env: PlatformBindings): StreamHome[] {
  return shardNames("stream", Number(env.TILEMARK_STREAM_SHARDS ?? streamShardsDefault)).map(
    (name) => {
      const id = env.STREAM_SHARDS.idFromName(name);
      // A stub belongs to one request and breaks when a call fails, so each call has its own.
      const stub = () => env.STREAM_SHARDS.get(id);
      return {
        // A Durable Object reads any number of keys in one statement.
        capabilities: { keysPerTripMax: Infinity },
        readMany: (keys) => call("stream shard", stub().readMany(keys)),
        apply: (records, context) => call("stream shard", stub().apply(records, context)),
        collect: (request) => call("stream shard", stub().collect(request)),
        bury: (tombstones) => call("stream shard", stub().bury(tombstones)),
        erase: (request) => call("stream shard", stub().erase(request)),
      };
    },
  );
}

export function shardNames(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
}
