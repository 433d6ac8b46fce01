/**
 * The server of the bench over Redis: the full app in Node, and beside it, on a port of its own but
 * the same stack, a bare Hono handler that makes the same MGETs of the same keys, decodes nothing
 * and sends a constant body of the same size. Its argument is the URL of the Redis; it prints the
 * URLs of both and ends when its input does.
 */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { Redis } from "ioredis";
import { serveNode } from "../../adapters/runtimes/node.ts";
import { redisKey } from "../../adapters/stores/redis-key.ts";
import { redisServingOptions } from "../../adapters/stores/redis-options.ts";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import { batchKey, streamKey, tombstoneKeys } from "../../src/tile/keys.ts";
import { benchEntities } from "./bench-entities.ts";
import * as features from "./serving-features.ts";

export interface ServingRedisUrls {
  readonly full: string;
  readonly bare: string;
}

const [, , redisUrl = ""] = process.argv;
const client = new Redis(redisUrl, redisServingOptions);
await once(client, "ready");
const store = new RedisStore(client);
const trips = tripsOf(store.capabilities.keysPerTripMax);
const { url: full } = await serveNode(features, { directory: ":memory:", store, testClock: true });
const urls: ServingRedisUrls = { full, bare: await serveBare() };
process.stdout.write(`${JSON.stringify(urls)}\n`);
process.stdin.resume().once("end", () => process.exit(0));

async function serveBare(): Promise<string> {
  const bare = new Hono();
  bare.post("/bare/:bytes", async (c) => {
    await c.req.arrayBuffer();
    await Promise.all(trips.map((keys) => client.callBuffer("MGET", keys)));
    const body = bodyOf(Number(c.req.param("bytes")));
    return c.body(body, 200, { "content-type": "application/json" });
  });
  const listener = createAdaptorServer({ fetch: bare.fetch });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

/** The keys that a request for all entities reads. */
function tripsOf(keysPerTripMax: number): string[][] {
  const names = benchEntities.flatMap((entity) =>
    features.bench_service.views.flatMap((view) => [
      batchKey(view, entity),
      streamKey(view, entity),
      ...tombstoneKeys(view, entity),
    ]),
  );
  const keys = [...new Set(names)].map(redisKey);
  const trips: string[][] = [];
  for (let i = 0; i < keys.length; i += keysPerTripMax) {
    trips.push(keys.slice(i, i + keysPerTripMax));
  }
  return trips;
}

let constantBody = "";

function bodyOf(bytes: number): string {
  if (constantBody.length !== bytes) constantBody = "x".repeat(bytes);
  return constantBody;
}
