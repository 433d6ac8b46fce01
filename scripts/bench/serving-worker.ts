/**
 * The worker of the serving bench: the full app, and beside it a bare Hono handler that makes the
 * same raw binding calls, decodes nothing and sends a constant body of the same size.
 */

import { Hono } from "hono";
import { createWorker } from "../../adapters/runtimes/cloudflare.ts";
import { batchKey, shardOf, streamKey } from "../../src/tile/keys.ts";
import type { TilemarkEnvironment } from "../../adapters/runtimes/cloudflare/environment.ts";
import { benchEntity } from "./bench-entity.ts";
import * as features from "./serving-features.ts";

const worker = createWorker(features);
const { views } = features.bench_service;

const streamShards = 4;
const batchKeys = views.map((view) => batchKey(view, benchEntity));
const streamKeys = views.map((view) => streamKey(view, benchEntity));
const streamName = `stream-${shardOf(benchEntity, streamShards)}`;

const bare = new Hono<{ Bindings: TilemarkEnvironment }>();
bare.post("/bare/:bytes", async (c) => {
  const stub = c.env.STREAM_SHARDS.get(c.env.STREAM_SHARDS.idFromName(streamName));
  await Promise.all([
    c.env.BATCH.get(batchKeys, { type: "text", cacheTtl: 60 }),
    stub.readMany(streamKeys),
    c.req.arrayBuffer(),
  ]);
  return c.body(bodyOf(Number(c.req.param("bytes"))), 200, { "content-type": "application/json" });
});

let constantBody = "";

function bodyOf(bytes: number): string {
  if (constantBody.length !== bytes) constantBody = "x".repeat(bytes);
  return constantBody;
}

const handler = {
  fetch(request: Request, env: TilemarkEnvironment): Response | Promise<Response> {
    if (request.url.includes("/bare/")) return bare.fetch(request, env);
    return worker.handler.fetch(request, env);
  },
};

export { handler as default };
export const { LogShard, StreamShard, PublisherShard } = worker;
