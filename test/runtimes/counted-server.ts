/**
 * A server of five views in this process, whatever the runtime, asked for one entity or for many. It
 * reads from its stores directly: what is asked again because it is slow is not of its plan.
 */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Hono } from "hono";
import { hostClock } from "../../adapters/host-clock.ts";
import { createHome } from "../../adapters/runtimes/server/create-home.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import * as features from "../../scripts/bench/serving-features.ts";
import { loadRepository } from "../../src/define/load-repository.ts";
import { createApp } from "../../src/http/app.ts";
import { homeRoutes } from "../../src/http/home-routes.ts";
import { MemoryStateTable } from "../../src/store/memory-state-table.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";

export interface CountedStores {
  readonly store: OnlineStore;
  /** Of stream records, where those have a store of their own. */
  readonly streamStore?: OnlineStore;
}

export const entityCounts = [1, 100] as const;

/** A batch and a stream record of each of the views, and whether the entity is deleted. */
export const keysPerEntity = 11;

const nowMs = Date.UTC(2026, 0, 15, 12);

export class CountedServer {
  readonly #app: Hono;

  private constructor(app: Hono) {
    this.#app = app;
  }

  /** Every entity has events: as many as its number, and one more. */
  static async start({
    store: batch,
    streamStore: streams = batch,
  }: CountedStores): Promise<CountedServer> {
    const repository = loadRepository(features);
    const home = createHome({
      repository,
      batch,
      streams,
      state: new MemoryStateTable(),
      openLog: () => openNodeSqlite(":memory:"),
      logShardCount: 1,
      logRetentionMs: 0,
    });
    const homes = { batch, streams: [streams] };
    const app = createApp({
      homeRoutes,
      workspaces: [{ name: "prod", repository, homes, home }],
      clock: hostClock(),
      random: () => 0,
      testClock: true,
      access: "loopback",
      report: (error) => {
        throw error;
      },
    });
    const server = new CountedServer(app);
    const records = entityIds(100).flatMap((user_id, i) =>
      Array.from({ length: i + 1 }, (_, event) => ({
        record: { id: `${i}-${event}`, ts: nowMs - 600_000, user_id, amount: 1, quantity: 1 },
      })),
    );
    const body = { workspace_name: "prod", dry_run: false, records: { bench_events: records } };
    await server.#post("/ingest", body);
    return server;
  }

  /** One request for so many entities, and what it has to answer. */
  async ask(entityCount: (typeof entityCounts)[number]): Promise<void> {
    const rows = entityIds(entityCount).map((user_id) => ({ joinKeyMap: { user_id } }));
    const path = `/api/v1/feature-service/get-features${entityCount === 1 ? "" : "-batch"}`;
    const params = {
      featureServiceName: "bench_service",
      ...(entityCount === 1 ? rows[0] : { requestData: rows }),
    };
    const { result } = (await this.#post(path, { params })) as { readonly result: unknown };
    const answers = (entityCount === 1 ? [result] : result) as { readonly features: unknown[] }[];
    strictEqual(answers.length, entityCount);
    // The count of a day is in the second view.
    const counts = answers.map((answer) => answer.features[4]);
    deepStrictEqual(
      counts,
      answers.map((_, i) => String(i + 1)),
    );
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    const response = await this.#app.request(`http://localhost${path}`, {
      method: "POST",
      headers: { "x-tilemark-now": String(nowMs) },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    strictEqual(response.status, 200, JSON.stringify(answer));
    return answer;
  }
}

function entityIds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `u${i}`);
}
