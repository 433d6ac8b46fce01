/** A shard of the event log: one Durable Object, its rows and ids in its own SQLite. */

import { DurableObject } from "cloudflare:workers";
import type { Repository } from "../../../src/define/definition.ts";
import { LogHome } from "../../../src/ingest/log-home.ts";
import type { FollowedPage, Trim } from "../../../src/ingest/log-home.ts";
import { ShardedStreams } from "../../../src/ingest/sharded-streams.ts";
import type {
  AppendOptions,
  AppendResult,
  ClosedSource,
  LogEntry,
  LogRange,
  LogRow,
  Seal,
} from "../../../src/store/event-log.ts";
import { SqliteEventLog } from "../../logs/sqlite-event-log.ts";
import { durableSql } from "./durable-sql.ts";
import { WorkerHomes } from "./environment.ts";
import type { OpenStores, TilemarkEnvironment } from "./environment.ts";
import { answerCall } from "./rpc.ts";
import type { RpcAnswer } from "./rpc.ts";

export interface LogShardObject extends Rpc.DurableObjectBranded {
  append(entries: readonly LogEntry[], options: AppendOptions): Promise<RpcAnswer<AppendResult>>;
  seal(seal: Seal): Promise<RpcAnswer<void>>;
  closeBefore(source: string, beforeMs: number): Promise<RpcAnswer<ClosedSource>>;
  repair(nowMs: number): Promise<RpcAnswer<void>>;
  read(range: LogRange): Promise<RpcAnswer<readonly LogRow[]>>;
  trim(trim: Trim): Promise<RpcAnswer<void>>;
  follow(afterSeq: number): Promise<RpcAnswer<FollowedPage>>;
}

export function logShardClass(repository: Repository, openStores: OpenStores) {
  return class LogShard extends DurableObject<TilemarkEnvironment> implements LogShardObject {
    readonly #home: LogHome;

    constructor(state: DurableObjectState, env: TilemarkEnvironment) {
      super(state, env);
      this.#home = new LogHome({
        shard: state.id.name ?? state.id.toString(),
        log: new SqliteEventLog(durableSql(state.storage)),
        streams: new ShardedStreams(new WorkerHomes(repository, env, openStores).streams),
        repository,
        retentionMs: Number(env.TILEMARK_LOG_RETENTION_MS ?? 0),
      });
    }

    append(entries: readonly LogEntry[], options: AppendOptions): Promise<RpcAnswer<AppendResult>> {
      return answerCall(() => this.#home.append(entries, options));
    }

    seal(seal: Seal): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#home.seal(seal));
    }

    closeBefore(source: string, beforeMs: number): Promise<RpcAnswer<ClosedSource>> {
      return answerCall(() => this.#home.closeBefore(source, beforeMs));
    }

    repair(nowMs: number): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#home.repair(nowMs));
    }

    read(range: LogRange): Promise<RpcAnswer<readonly LogRow[]>> {
      return answerCall(() => this.#home.read(range));
    }

    trim(trim: Trim): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#home.trim(trim));
    }

    follow(afterSeq: number): Promise<RpcAnswer<FollowedPage>> {
      return answerCall(() => this.#home.follow(afterSeq));
    }
  };
}
