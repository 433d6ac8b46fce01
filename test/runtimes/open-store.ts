/** Opens a store by name in whichever runtime this is. */

import { once } from "node:events";
import type { KvDatabase } from "../../adapters/stores/deno-kv-values.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";

/** `address` is a file, or a server's URL. Null: the server keeps records in its directory. */
export async function openStore(name: string, address: string): Promise<OnlineStore | null> {
  const open = openers[name];
  if (open === undefined) throw new Error(`Cannot open store "${name}": it is not known`);
  return open(address);
}

/** Modules are imported where they are asked for: no runtime has them all. */
const openers: Readonly<Record<string, (address: string) => Promise<OnlineStore | null>>> = {
  memory: async () => new (await import("../../src/store/memory-store.ts")).MemoryStore(),
  sqlite: () => Promise.resolve(null),
  redis: async (url) => {
    const { Redis } = await import("ioredis");
    const { redisServingOptions } = await import("../../adapters/stores/redis-options.ts");
    const { RedisStore } = await import("../../adapters/stores/redis-store.ts");
    const client = new Redis(url, redisServingOptions);
    await once(client, "ready");
    return new RedisStore(client);
  },
  "redis-cluster": async (nodes) => {
    const { connectRedisCluster } = await import("../stores/open-redis.ts");
    const { RedisStore } = await import("../../adapters/stores/redis-store.ts");
    const client = await connectRedisCluster(JSON.parse(nodes) as { host: string; port: number }[]);
    return new RedisStore(client, { cluster: true });
  },
  upstash: async (address) => (await import("./fetch-stores.ts")).openUpstash(address),
  dynamodb: async (address) => (await import("./fetch-stores.ts")).openDynamodb(address),
  "deno-kv": async (path) => {
    const { DenoKvStore } = await import("../../adapters/stores/deno-kv-store.ts");
    return new DenoKvStore(await Deno.openKv(path));
  },
};

/** What is used of Deno. */
declare const Deno: { openKv(path: string): Promise<KvDatabase> };
