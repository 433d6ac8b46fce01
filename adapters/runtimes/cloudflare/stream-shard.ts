/** A home of stream records: one Durable Object, its records in its own SQLite. */

import { DurableObject } from "cloudflare:workers";
import type { Repository } from "../../../src/define/definition.ts";
import { StoreStreamHome } from "../../../src/ingest/store-stream-home.ts";
import type { StoredValue } from "../../../src/store/online-store.ts";
import type {
  ApplyContext,
  CollectRequest,
  EraseRequest,
  RecordEvents,
} from "../../../src/store/stream-home.ts";
import { SqliteStore } from "../../stores/sqlite-store.ts";
import { durableSql } from "./durable-sql.ts";
import type { TilemarkEnvironment } from "./environment.ts";
import { answerCall } from "./rpc.ts";
import type { RpcAnswer } from "./rpc.ts";

export interface StreamShardObject extends Rpc.DurableObjectBranded {
  readMany(keys: readonly string[]): Promise<RpcAnswer<readonly (StoredValue | null)[]>>;
  apply(records: readonly RecordEvents[], context: ApplyContext): Promise<RpcAnswer<void>>;
  collect(request: CollectRequest): Promise<RpcAnswer<void>>;
  bury(tombstones: readonly string[]): Promise<RpcAnswer<void>>;
  erase(request: EraseRequest): Promise<RpcAnswer<void>>;
}

export function streamShardClass(repository: Repository) {
  return class StreamShard extends DurableObject<TilemarkEnvironment> implements StreamShardObject {
    readonly #home: StoreStreamHome;

    constructor(state: DurableObjectState, env: TilemarkEnvironment) {
      super(state, env);
      this.#home = new StoreStreamHome(new SqliteStore(durableSql(state.storage)), repository);
    }

    readMany(keys: readonly string[]): Promise<RpcAnswer<readonly (StoredValue | null)[]>> {
      return answerCall(() => this.#home.readMany(keys));
    }

    apply(records: readonly RecordEvents[], context: ApplyContext): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#home.apply(records, context));
    }

    collect(request: CollectRequest): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#home.collect(request));
    }

    bury(tombstones: readonly string[]): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#home.bury(tombstones));
    }

    erase(request: EraseRequest): Promise<RpcAnswer<void>> {
      return answerCall(() => this.#home.erase(request));
    }
  };
}
