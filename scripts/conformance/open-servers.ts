/** The servers that the clients meet: one that is well, and others with a real fault each. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Redis } from "ioredis";
import { serveNode } from "../../adapters/runtimes/node.ts";
import type { ServerOptions } from "../../adapters/runtimes/server/create-server.ts";
import { redisServingOptions } from "../../adapters/stores/redis-options.ts";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import { newApiKey } from "../../src/access/api-key.ts";
import type { KeyConfiguration } from "../../src/access/key-record.ts";
import { sha256Hex } from "../../src/access/sha256.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";
import type { ClientPlan } from "./run-program.ts";
import * as definitions from "./features.ts";

export interface ConformanceServers {
  readonly plan: ClientPlan;
  close(): Promise<void>;
}

const [user_id, device_id] = ["ann", "7"];

/** Resolves when all of them listen and the one that is well holds events. */
export async function openServers(): Promise<ConformanceServers> {
  const closers: (() => Promise<unknown> | void)[] = [];
  const close = async () => {
    for (const closer of closers.reverse()) await closer();
  };
  const open = async (options: Partial<ServerOptions> = {}) => {
    const server = await serveNode(definitions, { directory: ":memory:", ...options });
    closers.push(() => server.close());
    return server.url;
  };
  try {
    const well = await open();
    await ingest(well);
    const { secrets, keys } = await issueKeys();
    const guarded = await open({ access: { keys } });
    const broken = await open({ store: new BrokenStore() });
    const away = await open({ store: openRedis(await portOfNobody(), closers) });
    const silent = await open({ store: new SilentStore() });
    // Nothing stands in for a store of streams alone: requests wait for it as long as they may.
    const hanging = await open({ streamStore: new SilentStore() });
    return {
      plan: { urls: { well, guarded, broken, away, silent, hanging }, keys: secrets },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function ingest(url: string): Promise<void> {
  const atMs = Date.now() - 60_000;
  const readings = [
    { word: "one", whole: "1", real: 0.5, flag: true, moment: "2024-01-10T12:00:00Z" },
    { word: "two", whole: "9007199254740993", real: 1.5, flag: null, moment: null },
    { word: "one", whole: "-1", real: null, flag: false, moment: "2024-01-10T12:00:00.250Z" },
  ].map((reading, i) => ({ record: { id: `${i}`, at: atMs + i, user_id, device_id, ...reading } }));
  const response = await fetch(`${url}/ingest`, {
    method: "POST",
    body: JSON.stringify({ workspace_name: "prod", dry_run: false, records: { readings } }),
  });
  if (response.ok) return;
  throw new Error(`Cannot ingest: status ${response.status}, ${await response.text()}`);
}

/** `reader` may read, `outsider` another service alone, `hasty` once in a while; `unknown` is no key here. */
async function issueKeys() {
  const secrets: Record<string, string> = {};
  const keys: KeyConfiguration[] = [];
  const issue = async (name: string, services: "all" | string[], limits = {}) => {
    const { id, key } = newApiKey(randomBytes);
    secrets[name] = key;
    const grants = [{ workspace: "prod", scopes: ["read" as const], services }];
    keys.push({ id, name, grants, secrets: [{ sha256: await sha256Hex(key) }], ...limits });
  };
  await issue("reader", "all");
  await issue("outsider", ["nested"]);
  await issue("hasty", "all", { rateLimit: { requestsPerSecond: 0.001, burst: 1 } });
  secrets["unknown"] = newApiKey(randomBytes).key;
  return { secrets, keys };
}

/** Fails in a way that no store may. */
class BrokenStore extends MemoryStore {
  override readMany(): Promise<never> {
    return Promise.reject(new RangeError("Cannot read: this store is broken"));
  }
}

/** Takes requests and never answers. */
class SilentStore extends MemoryStore {
  override readMany(): Promise<never> {
    return new Promise(() => undefined);
  }
}

function openRedis(port: number, closers: (() => Promise<unknown> | void)[]): OnlineStore {
  const client = new Redis({ ...redisServingOptions, host: "127.0.0.1", port });
  // Where nobody listens every attempt to connect is reported; that is what this store is for.
  client.on("error", (error: Error) => void error);
  closers.push(() => client.disconnect());
  return new RedisStore(client);
}

async function portOfNobody(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
