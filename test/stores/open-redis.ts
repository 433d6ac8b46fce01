/** Stores over a Redis that runs, connected with the options for serving. */

import { Cluster, Redis } from "ioredis";
import {
  redisClusterServingOptions,
  redisServingOptions,
} from "../../adapters/stores/redis-options.ts";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import type { OpenedStore } from "./describe-store.ts";

/** A client that is connected; `errors` are those that its connection reported since. */
export async function connectRedis(url: string) {
  const client = new Redis(url, { ...redisServingOptions, lazyConnect: true });
  const errors: Error[] = [];
  client.on("error", (error: Error) => errors.push(error));
  await client.connect();
  return { client, errors };
}

export async function openRedis(url: string): Promise<OpenedStore> {
  const { client } = await connectRedis(url);
  const { client: closed } = await connectRedis(url);
  closed.disconnect();
  return {
    store: new RedisStore(client),
    failing: new RedisStore(closed),
    close: () => Promise.resolve(client.disconnect()),
  };
}

export async function connectRedisCluster(nodes: readonly { host: string; port: number }[]) {
  const options = { ...redisClusterServingOptions, lazyConnect: true };
  const client = new Cluster([...nodes], options);
  await client.connect();
  await Promise.all(client.nodes("master").map((node) => node.ping()));
  return client;
}

export async function openRedisCluster(
  nodes: readonly { host: string; port: number }[],
): Promise<OpenedStore> {
  const client = await connectRedisCluster(nodes);
  const closed = await connectRedisCluster(nodes);
  closed.disconnect();
  return {
    store: new RedisStore(client, { cluster: true }),
    failing: new RedisStore(closed, { cluster: true }),
    close: () => Promise.resolve(client.disconnect()),
  };
}
