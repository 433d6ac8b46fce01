/**
 * The worker of the crash runs: that of a deployment, its stores counted, and beside it
 *
 *   POST /crash/count?stopAt=N    counts store operations from zero, and stops for good after N
 *   GET  /crash/count             what they were, in order
 *   GET  /crash/records           all batch and stream records, as stored
 *   GET  /crash/cuts              the cut of each view's newest finished compaction
 */

import { createWorker } from "../../adapters/runtimes/cloudflare.ts";
import type { TilemarkEnvironment } from "../../adapters/runtimes/cloudflare/environment.ts";
import { encodeBase64 } from "../../src/core/base64.ts";
import { assert } from "../../src/core/errors.ts";
import {
  countedOperations,
  countOperations,
  tapEnvironment,
  tapState,
} from "./count-operations.ts";
import * as features from "./features.ts";
import type { StoredRecords } from "./stored-records.ts";

const worker = createWorker(features);
const keysPerGetMax = 100;

export class LogShard extends worker.LogShard {
  constructor(state: DurableObjectState, env: TilemarkEnvironment) {
    super(tapState(state, "log shard"), tapEnvironment(env));
  }
}

export class StreamShard extends worker.StreamShard {
  constructor(state: DurableObjectState, env: TilemarkEnvironment) {
    super(tapState(state, "stream shard"), tapEnvironment(env));
  }

  listRecords(): Promise<Record<string, string>> {
    const rows = this.ctx.storage.sql.exec("SELECT key, bytes FROM records ORDER BY key, part");
    const records: Record<string, string> = {};
    for (const { key, bytes } of rows.toArray()) {
      const name = String(key);
      records[name] = (records[name] ?? "") + encodeBase64(new Uint8Array(bytes as ArrayBuffer));
    }
    return Promise.resolve(records);
  }
}

export class PublisherShard extends worker.PublisherShard {
  constructor(state: DurableObjectState, env: TilemarkEnvironment) {
    super(tapState(state, "publisher"), tapEnvironment(env));
  }

  async listCuts(): Promise<Record<string, number>> {
    const states = await this.ctx.storage.list<{ publishedCut: number }>({ prefix: "view:" });
    const cuts = [...states].map(([key, { publishedCut }]) => [key.slice(5), publishedCut]);
    return Object.fromEntries(cuts) as Record<string, number>;
  }
}

const handler = {
  async fetch(request: Request, env: TilemarkEnvironment): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/crash/records") return Response.json(await listRecords(env));
    if (pathname === "/crash/cuts") {
      const publisher = env.PUBLISHER.get(env.PUBLISHER.idFromName("publisher"));
      const { listCuts } = publisher as unknown as Pick<PublisherShard, "listCuts">;
      return Response.json(await listCuts());
    }
    if (pathname !== "/crash/count") return worker.handler.fetch(request, tapEnvironment(env));
    if (request.method === "GET") return Response.json(countedOperations());
    countOperations(Number(searchParams.get("stopAt") ?? Infinity));
    return Response.json({});
  },
};

export { handler as default };

async function listRecords(env: TilemarkEnvironment): Promise<StoredRecords> {
  const { keys, list_complete } = await (env.BATCH as unknown as KVNamespace).list();
  assert(list_complete, "the workload has no more records than one list holds");
  const names = keys.map(({ name }) => name);
  const batch: Record<string, string> = {};
  for (let i = 0; i < names.length; i += keysPerGetMax) {
    const values = await env.BATCH.get(names.slice(i, i + keysPerGetMax), { type: "text" });
    for (const [name, value] of values) batch[name] = value ?? "";
  }
  const stream: Record<string, string> = {};
  for (let i = 0; i < Number(env.TILEMARK_STREAM_SHARDS); i++) {
    const id = env.STREAM_SHARDS.idFromName(`stream-${i}`);
    const shard = env.STREAM_SHARDS.get(id) as unknown as Pick<StreamShard, "listRecords">;
    Object.assign(stream, await shard.listRecords());
  }
  return { batch, stream };
}
