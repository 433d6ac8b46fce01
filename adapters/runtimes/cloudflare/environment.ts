/** The bindings a worker is given, and the homes that they are. */

import type { Repository } from "../../../src/define/definition.ts";
import type { LogAccess } from "../../../src/ingest/log-home.ts";
import { StoreStreamHome } from "../../../src/ingest/store-stream-home.ts";
import type { OnlineStore, RecordReader } from "../../../src/store/online-store.ts";
import type { StreamHome } from "../../../src/store/stream-home.ts";
import { WorkersKvStore } from "../../stores/workers-kv-store.ts";
import type { LogShardObject } from "./log-shard.ts";
import type { PublisherObject } from "./publisher.ts";
import type { RegionShardObject } from "./region-shard.ts";
import { durableHomes, shardNames } from "./platform-homes.ts";
import type { PlatformBindings } from "./platform-homes.ts";
import { call } from "./rpc.ts";
import type { WorkerVariables } from "./worker-app.ts";

export interface TilemarkEnvironment extends WorkerVariables, PlatformBindings {
  readonly LOG_SHARDS: DurableObjectNamespace<LogShardObject>;
  readonly PUBLISHER: DurableObjectNamespace<PublisherObject>;
  /** Of a region alone. */
  readonly REGION_SHARD?: DurableObjectNamespace<RegionShardObject>;
  /**
   * The home that this deployment follows, as `https://home.example`. It answers from its own
   * stores and takes neither events nor compactions. Left out: this is the home.
   */
  readonly TILEMARK_HOME?: string;
  /** The key by which a region follows its home, with scope `follow` there: a secret. */
  readonly TILEMARK_HOME_KEY?: string;
  /** How many Durable Objects a log has. Fixed once there are events: ids do not move. */
  readonly TILEMARK_LOG_SHARDS?: string;
  /** How long a home keeps rows of the log for regions that are cut off, in milliseconds; 0 if left out. */
  readonly TILEMARK_LOG_RETENTION_MS?: string;
}

const logShardsDefault = 1;

/** Where a worker keeps its records: Workers KV and Durable Objects, or stores of its own. */
export interface WorkerStores {
  readonly batch: OnlineStore;
  /** In the place of Durable Objects; it has compare-and-set. */
  readonly streams?: OnlineStore;
}

/** Opens the stores of a worker, once an isolate. Connections do not outlive a request there. */
export type OpenStores = (env: TilemarkEnvironment) => WorkerStores;

/** The homes of a worker's records. */
export class WorkerHomes {
  readonly batch: OnlineStore;
  readonly streams: readonly StreamHome[];
  /** What requests read stream records from: the batch store itself where they are in it too. */
  readonly streamReaders: readonly RecordReader[];

  constructor(repository: Repository, env: TilemarkEnvironment, openStores: OpenStores) {
    const { batch, streams } = openStores(env);
    this.batch = batch;
    if (streams === undefined) {
      this.streams = durableHomes(env);
      this.streamReaders = this.streams;
    } else {
      this.streams = [new StoreStreamHome(streams, repository)];
      this.streamReaders = [streams];
    }
  }
}

/** Workers KV for batch records, Durable Objects for stream records. */
export function openPlatformStores(env: TilemarkEnvironment): WorkerStores {
  return { batch: new WorkersKvStore(env.BATCH) };
}

/** The shards of a log, each one Durable Object. */
export function logShards(env: TilemarkEnvironment, log: string): LogAccess[] {
  return shardNames(log, Number(env.TILEMARK_LOG_SHARDS ?? logShardsDefault)).map((shard) => {
    const id = env.LOG_SHARDS.idFromName(shard);
    const stub = () => env.LOG_SHARDS.get(id);
    return {
      shard,
      append: (entries, options) => call("log shard", stub().append(entries, options)),
      seal: (seal) => call("log shard", stub().seal(seal)),
      closeBefore: (source, beforeMs) => call("log shard", stub().closeBefore(source, beforeMs)),
      repair: (nowMs) => call("log shard", stub().repair(nowMs)),
      read: (range) => call("log shard", stub().read(range)),
      trim: (trim) => call("log shard", stub().trim(trim)),
      follow: (afterSeq) => call("log shard", stub().follow(afterSeq)),
    };
  });
}
