/**
 * A region that follows another deployment: one Durable Object, whose alarm takes one step after
 * another, and whose own SQLite has the stream records and beside them how far it came.
 *
 * Both are in one object so that a request reads them in one call, at one instant. Apart, a request
 * could meet a record as it was before a step and the progress as it is after it, or the other way
 * round, and so take for complete what is not. It costs no call beside the one for stream records,
 * and limits a region to what one object answers; a region past that keeps both in a store of its own.
 */

import { DurableObject } from "cloudflare:workers";
import type { Repository } from "../../../src/define/definition.ts";
import { limits } from "../../../src/core/limits.ts";
import { StoreStreamHome } from "../../../src/ingest/store-stream-home.ts";
import { RegionFollower } from "../../../src/region/region-follower.ts";
import type { StoredValue } from "../../../src/store/online-store.ts";
import { keyHeaders } from "../../admin/call-admin.ts";
import { httpRegionSource } from "../../admin/http-region-source.ts";
import { hostClock } from "../../host-clock.ts";
import { SqliteStore } from "../../stores/sqlite-store.ts";
import { logFailure } from "../observe-host.ts";
import { durableSql } from "./durable-sql.ts";
import type { OpenStores, TilemarkEnvironment } from "./environment.ts";
import { answerCall } from "./rpc.ts";
import type { RpcAnswer } from "./rpc.ts";

export interface RegionShardObject extends Rpc.DurableObjectBranded {
  readMany(keys: readonly string[]): Promise<RpcAnswer<readonly (StoredValue | null)[]>>;
  /** Takes the next step at once, and every one after it in its time. */
  wake(): Promise<RpcAnswer<void>>;
}

export function regionShardClass(repository: Repository, openStores: OpenStores) {
  return class RegionShard extends DurableObject<TilemarkEnvironment> implements RegionShardObject {
    readonly #records: SqliteStore;
    readonly #follower: RegionFollower;

    constructor(state: DurableObjectState, env: TilemarkEnvironment) {
      super(state, env);
      this.#records = new SqliteStore(durableSql(state.storage));
      const { batch, streams = this.#records } = openStores(env);
      this.#follower = new RegionFollower({
        clock: hostClock(Number(env.TILEMARK_CLOCK_OFFSET_MS ?? 0)),
        repository,
        source: httpRegionSource({
          baseUrl: env.TILEMARK_HOME ?? "",
          headers: keyHeaders(env.TILEMARK_HOME_KEY),
          fetch: fetchInTime,
        }),
        batch,
        streams: new StoreStreamHome(streams, repository),
        progress: streams,
      });
    }

    readMany(keys: readonly string[]): Promise<RpcAnswer<readonly (StoredValue | null)[]>> {
      return answerCall(() => this.#records.readMany(keys));
    }

    /** The platform runs one alarm at a time: one that is due while another runs waits for its end. */
    wake(): Promise<RpcAnswer<void>> {
      return answerCall(() => this.ctx.storage.setAlarm(hostClock().now()));
    }

    /** The next step is settled before this one, which may fail or be killed. */
    override async alarm(): Promise<void> {
      const { storage } = this.ctx;
      await storage.setAlarm(hostClock().now() + limits.followPauseMs);
      try {
        const { isBehind } = await this.#follower.step();
        if (isBehind) await storage.setAlarm(hostClock().now());
      } catch (error) {
        logFailure("follow", error);
      }
    }
  };
}

function fetchInTime(url: string, init: RequestInit): Promise<Response> {
  // What asks with a key asks nobody else.
  const signal = AbortSignal.timeout(limits.requestMsMax);
  return fetch(url, { ...init, redirect: "manual", signal });
}
