/** The publisher: one Durable Object, so that Workers KV has one writer. */

import { DurableObject } from "cloudflare:workers";
import { Publisher } from "../../../src/compact/publisher.ts";
import type {
  CollectCutRequest,
  CollectRequest,
  CompactionRun,
  FinishRequest,
  PublishRequest,
  StartRequest,
} from "../../../src/compact/compaction-api.ts";
import type { Repository } from "../../../src/define/definition.ts";
import { ShardedStreams } from "../../../src/ingest/sharded-streams.ts";
import { WorkersKvStore } from "../../stores/workers-kv-store.ts";
import { logShards, streamHomes } from "./environment.ts";
import type { TilemarkEnvironment } from "./environment.ts";
import { answerCall } from "./rpc.ts";
import type { RpcAnswer } from "./rpc.ts";

export interface PublisherObject extends Rpc.DurableObjectBranded {
  start(request: StartRequest, nowMs: number): Promise<RpcAnswer<readonly CompactionRun[]>>;
  publish(request: PublishRequest): Promise<RpcAnswer<void>>;
  finish(request: FinishRequest, nowMs: number): Promise<RpcAnswer<void>>;
  collect(request: CollectRequest, nowMs: number): Promise<RpcAnswer<void>>;
  finishCollect(request: CollectCutRequest, nowMs: number): Promise<RpcAnswer<void>>;
}

export function publisherClass(repository: Repository) {
  return class PublisherShard
    extends DurableObject<TilemarkEnvironment>
    implements PublisherObject
  {
    readonly #publisher: Publisher;

    constructor(state: DurableObjectState, env: TilemarkEnvironment) {
      super(state, env);
      this.#publisher = new Publisher({
        repository,
        batchStore: new WorkersKvStore(env.BATCH),
        streams: new ShardedStreams(streamHomes(env)),
        logShards: (log) => logShards(env, log),
        state: {
          get: (key) => state.storage.get(key),
          put: (entries) => state.storage.put({ ...entries }),
        },
      });
    }

    start(request: StartRequest, nowMs: number): Promise<RpcAnswer<readonly CompactionRun[]>> {
      return answerCall(() => this.#publisher.start(request, nowMs));
    }

    publish(request: PublishRequest): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#publisher.publish(request));
    }

    finish(request: FinishRequest, nowMs: number): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#publisher.finish(request, nowMs));
    }

    collect(request: CollectRequest, nowMs: number): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#publisher.collect(request, nowMs));
    }

    finishCollect(request: CollectCutRequest, nowMs: number): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#publisher.finishCollect(request, nowMs));
    }
  };
}
