/** The publisher: one Durable Object, so that Workers KV has one writer. */

import { Publisher } from "../../../src/compact/publisher.ts";
import type {
  CollectCutRequest,
  CollectRequest,
  CompactionRun,
  DeleteRequest,
  EraseRequest,
  FeedItem,
  FeedRequest,
  FinishRequest,
  PendingDeletion,
  Published,
  PublishRequest,
  StartRequest,
} from "../../../src/compact/compaction-api.ts";
import type { Repository } from "../../../src/define/definition.ts";
import { ShardedStreams } from "../../../src/ingest/sharded-streams.ts";
import { AccessObject } from "./access-object.ts";
import { durableTable } from "./durable-table.ts";
import { WorkerHomes, logShards } from "./environment.ts";
import type { OpenStores, TilemarkEnvironment } from "./environment.ts";
import { answerCall } from "./rpc.ts";
import type { RpcAnswer } from "./rpc.ts";

/** What access asks of it is the base class's. */
export interface PublisherObject extends AccessObject {
  start(request: StartRequest, nowMs: number): Promise<RpcAnswer<readonly CompactionRun[]>>;
  delete(request: DeleteRequest): Promise<RpcAnswer<void>>;
  home(): Promise<RpcAnswer<string | null>>;
  deletions(): Promise<RpcAnswer<readonly PendingDeletion[]>>;
  finishDeletions(names: readonly string[]): Promise<RpcAnswer<void>>;
  publish(request: PublishRequest): Promise<RpcAnswer<void>>;
  erase(request: EraseRequest): Promise<RpcAnswer<void>>;
  finish(request: FinishRequest, nowMs: number): Promise<RpcAnswer<void>>;
  collect(request: CollectRequest, nowMs: number): Promise<RpcAnswer<void>>;
  finishCollect(request: CollectCutRequest, nowMs: number): Promise<RpcAnswer<void>>;
  published(): Promise<RpcAnswer<Published>>;
  feed(request: FeedRequest): Promise<RpcAnswer<readonly FeedItem[]>>;
}

export function publisherClass(repository: Repository, openStores: OpenStores) {
  return class extends AccessObject implements PublisherObject {
    readonly #publisher: Publisher;

    constructor(state: DurableObjectState, env: TilemarkEnvironment) {
      super(state, env);
      this.#publisher = openPublisher(repository, openStores, { state, env });
    }

    start(request: StartRequest, nowMs: number): Promise<RpcAnswer<readonly CompactionRun[]>> {
      return answerCall(() => this.#publisher.start(request, nowMs));
    }

    delete(request: DeleteRequest): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#publisher.delete(request));
    }

    home(): Promise<RpcAnswer<string | null>> {
      return answerCall(() => this.#publisher.home());
    }

    deletions(): Promise<RpcAnswer<readonly PendingDeletion[]>> {
      return answerCall(() => this.#publisher.deletions());
    }

    finishDeletions(names: readonly string[]): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#publisher.finishDeletions(names));
    }

    erase(request: EraseRequest): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#publisher.erase(request));
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

    published(): Promise<RpcAnswer<Published>> {
      return answerCall(() => this.#publisher.published());
    }

    feed(request: FeedRequest): Promise<RpcAnswer<readonly FeedItem[]>> {
      return answerCall(() => this.#publisher.feed(request));
    }
  };
}

function openPublisher(
  repository: Repository,
  openStores: OpenStores,
  { state, env }: { readonly state: DurableObjectState; readonly env: TilemarkEnvironment },
): Publisher {
  const { batch, streams } = new WorkerHomes(repository, env, openStores);
  return new Publisher({
    repository,
    batchStore: batch,
    streams: new ShardedStreams(streams),
    logShards: (log) => logShards(env, log),
    state: durableTable(state.storage),
  });
}
