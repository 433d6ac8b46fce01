/** The stores of the suite: where each one's records are, and in which runtimes it cannot be. */

import { join } from "node:path";
import { startLocalDynamodb } from "../builders/dynamodb-local.ts";
import { startRedisCluster } from "../builders/redis-cluster.ts";
import { startRedis } from "../builders/redis-server.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import type { ServedRuntime } from "./start-server.ts";

export interface Backend {
  readonly address: string;
  close(): Promise<void>;
}

export interface BackendChoice {
  readonly title: string;
  /** Why there is no such server, by runtime. */
  readonly missing: Partial<Readonly<Record<ServedRuntime, string>>>;
  /** Whether records outlive the server. */
  readonly keeps: boolean;
  /** `folder` is the test's own. */
  open(folder: string): Promise<Backend>;
}

const platformOnly = "they are of Cloudflare's platform";
const noSockets = "a connection there belongs to one request; Redis is reached as Upstash's REST";

export const backends: Readonly<Record<string, BackendChoice>> = {
  memory: {
    title: "memory",
    missing: { workerd: "isolates share no memory" },
    keeps: false,
    open: () => openNothing(),
  },
  sqlite: {
    title: "SQLite files",
    missing: { workerd: "a worker has no files; its Durable Objects have SQLite" },
    keeps: true,
    open: () => openNothing(),
  },
  redis: {
    title: "Redis",
    missing: { workerd: noSockets },
    keeps: true,
    open: async () => {
      const redis = await startRedis();
      return { address: redis.url, close: redis.stop };
    },
  },
  "redis-cluster": {
    title: "Redis Cluster",
    missing: { workerd: noSockets },
    keeps: true,
    open: async () => {
      const cluster = await startRedisCluster();
      return { address: JSON.stringify(cluster.nodes), close: cluster.stop };
    },
  },
  upstash: {
    title: "Upstash REST",
    missing: {},
    keeps: true,
    open: async () => {
      const upstash = await startUpstashOnRedis();
      const address = upstash.url.replace("://", `://${upstash.token}@`);
      return { address, close: upstash.close };
    },
  },
  dynamodb: {
    title: "DynamoDB",
    missing: {},
    keeps: true,
    open: async () => {
      const dynamodb = await startLocalDynamodb();
      return { address: dynamodb.options.endpoint, close: dynamodb.close };
    },
  },
  "deno-kv": {
    title: "Deno KV",
    missing: {
      node: "Deno alone has it",
      bun: "Deno alone has it",
      workerd: "Deno alone has it",
    },
    keeps: true,
    open: (folder) => openNothing(join(folder, "kv")),
  },
  platform: {
    title: "Workers KV and Durable Objects",
    missing: { node: platformOnly, deno: platformOnly, bun: platformOnly },
    keeps: true,
    open: () => openNothing(),
  },
};

/** For stores that live in their server. */
function openNothing(address = ""): Promise<Backend> {
  return Promise.resolve({ address, close: () => Promise.resolve() });
}
