/** A real Redis Cluster for a test: three masters without replicas. */

import { Redis } from "ioredis";
import { startRedis } from "./redis-server.ts";
import type { RedisServer } from "./redis-server.ts";

export interface RedisCluster {
  /** Any of them leads to the others. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly servers: readonly RedisServer[];
  stop(): Promise<void>;
}

const slotCount = 16_384;
const masterCount = 3;
const pollMs = 50;
const joinMsMax = 30_000;

export async function startRedisCluster(): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  try {
    for (let i = 0; i < masterCount; i++) servers.push(await startRedis({ cluster: true }));
    await join(servers);
  } catch (error) {
    await stopAll(servers);
    throw error;
  }
  const nodes = servers.map(({ port }) => ({ host: "127.0.0.1", port }));
  return { nodes, servers, stop: () => stopAll(servers) };
}

async function join(servers: readonly RedisServer[]): Promise<void> {
  const clients = servers.map(({ url }) => new Redis(url));
  try {
    for (const [i, client] of clients.entries()) {
      const from = Math.ceil((slotCount * i) / masterCount);
      const until = Math.ceil((slotCount * (i + 1)) / masterCount);
      await client.call("CLUSTER", "ADDSLOTSRANGE", from, until - 1);
      await client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
    }
    const [first] = clients;
    for (const { port } of servers.slice(1)) {
      const busPort = await clusterPortOf(clients[servers.findIndex((each) => each.port === port)]);
      await first?.call("CLUSTER", "MEET", "127.0.0.1", port, busPort);
    }
    for (const client of clients) await untilJoined(client);
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function clusterPortOf(client: Redis | undefined): Promise<string> {
  const answer = (await client?.call("CONFIG", "GET", "cluster-port")) as string[];
  return String(answer[1]);
}

/** All slots are served, and by all the masters: one alone may call itself well. */
async function untilJoined(client: Redis): Promise<void> {
  for (let waitedMs = 0; waitedMs < joinMsMax; waitedMs += pollMs) {
    const info = String(await client.call("CLUSTER", "INFO"));
    const isWell =
      info.includes("cluster_state:ok") && info.includes(`cluster_size:${masterCount}`);
    if (isWell) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`Cannot start a Redis Cluster: its nodes have not joined in ${joinMsMax} ms`);
}

async function stopAll(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
}
