import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Redis } from "ioredis";
import { Log, LogLevel, Miniflare } from "miniflare";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import type { RedisClient } from "../../adapters/stores/redis-store.ts";
import { SqliteStore } from "../../adapters/stores/sqlite-store.ts";
import { WorkersKvStore } from "../../adapters/stores/workers-kv-store.ts";
import type { KvBinding } from "../../adapters/stores/workers-kv-store.ts";
import { compatibilityDate } from "../../scripts/cli/dev-server.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";
import { startLocalDynamodb } from "../builders/dynamodb-local.ts";
import { startRecordingProxy } from "../builders/recording-proxy.ts";
import { startRedisCluster } from "../builders/redis-cluster.ts";
import { startRedis } from "../builders/redis-server.ts";
import { runToEnd } from "../builders/runtime-process.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import { connectRedis, connectRedisCluster } from "../stores/open-redis.ts";
import { CallTap } from "./call-tap.ts";
import type { CallCounts } from "./call-tap.ts";
import { Closers } from "./closers.ts";
import { CountedServer, entityCounts, keysPerEntity } from "./counted-server.ts";
import type { CountedStores } from "./counted-server.ts";
import { openDynamodb, openUpstash } from "./fetch-stores.ts";

/** Stores whose calls go past a tap. */
interface Tapped extends CountedStores {
  /** Commands that the servers themselves have counted since the last time, where they do. */
  readonly countCommands?: () => Promise<number>;
}

interface CallCase {
  readonly name: string;
  /** Of one entity, and of a hundred. */
  readonly callCounts: readonly [number, number];
  /** Of them those that a Redis counts itself. */
  readonly commandCounts?: readonly [number, number];
  open(tap: CallTap, closers: Closers): Promise<Tapped>;
}

const cases: readonly CallCase[] = [
  {
    name: "memory",
    callCounts: [1, 1],
    open: (tap) => Promise.resolve({ store: tapStore(new MemoryStore(), tap) }),
  },
  {
    name: "SQLite: 10,000 keys a statement",
    callCounts: [1, 1],
    open: (tap, closers) => {
      const sql = openNodeSqlite(":memory:");
      closers.add(() => Promise.resolve(sql.close()));
      const store = new SqliteStore({
        run: (statement, ...values) => {
          tap.count();
          return sql.run(statement, ...values);
        },
        transaction: (body) => sql.transaction(body),
      });
      return Promise.resolve({ store });
    },
  },
  {
    name: "Redis: 1,000 keys an MGET",
    callCounts: [1, 2],
    commandCounts: [1, 2],
    open: async (tap, closers) => {
      const redis = await startRedis();
      closers.add(redis.stop);
      const { client } = await connectRedis(redis.url);
      closers.add(() => Promise.resolve(client.disconnect()));
      const store = new RedisStore(tapClient(client, tap));
      return { store, countCommands: () => countCommands([client]) };
    },
  },
  {
    // Records of an entity are in one place, and its tombstone in another.
    name: "Redis Cluster: a place an MGET",
    callCounts: [2, 200],
    commandCounts: [2, 200],
    open: async (tap, closers) => {
      const cluster = await startRedisCluster();
      closers.add(cluster.stop);
      const client = await connectRedisCluster(cluster.nodes);
      closers.add(() => Promise.resolve(client.disconnect()));
      const store = new RedisStore(tapClient(client, tap), { cluster: true });
      return { store, countCommands: () => countCommands(client.nodes("master")) };
    },
  },
  {
    name: "Upstash: 1,000 keys a request",
    callCounts: [1, 2],
    open: async (tap, closers) => {
      const upstash = await startUpstashOnRedis();
      closers.add(upstash.close);
      const proxyUrl = await startTappedProxy(upstash.url, tap, closers);
      return { store: openUpstash(proxyUrl.replace("://", `://${upstash.token}@`)) };
    },
  },
  {
    name: "DynamoDB: 100 keys a request",
    callCounts: [1, 11],
    open: async (tap, closers) => {
      const dynamodb = await startLocalDynamodb();
      closers.add(dynamodb.close);
      const proxyUrl = await startTappedProxy(dynamodb.options.endpoint, tap, closers);
      return { store: openDynamodb(proxyUrl) };
    },
  },
  {
    name: "Workers KV: 100 batch records a read, the others in memory",
    callCounts: [1 + 1, 5 + 1],
    open: async (tap, closers) => {
      const { kv, close } = await openKv();
      closers.add(close);
      const store = new WorkersKvStore({
        get: async (keys, options) => {
          await tap.pass();
          return kv.get(keys, options);
        },
        put: (key, value) => kv.put(key, value),
        delete: (key) => kv.delete(key),
      });
      return { store, streamStore: tapStore(new MemoryStore(), tap) };
    },
  },
  {
    name: "batch records in DynamoDB, stream records and tombstones in Redis",
    callCounts: [1 + 1, 5 + 1],
    commandCounts: [1, 1],
    open: async (tap, closers) => {
      const dynamodb = await startLocalDynamodb();
      closers.add(dynamodb.close);
      const redis = await startRedis();
      closers.add(redis.stop);
      const { client } = await connectRedis(redis.url);
      closers.add(() => Promise.resolve(client.disconnect()));
      return {
        store: openDynamodb(await startTappedProxy(dynamodb.options.endpoint, tap, closers)),
        streamStore: new RedisStore(tapClient(client, tap)),
        countCommands: () => countCommands([client]),
      };
    },
  },
];

describe.each(cases)("a request reads from $name", (each) => {
  const { open, callCounts, commandCounts } = each;
  const closers = new Closers();
  const tap = new CallTap();
  let tapped: Tapped;
  let server: CountedServer;

  beforeAll(async () => {
    tapped = await open(tap, closers);
    tap.expect(0);
    server = await CountedServer.start(tapped);
  });
  afterAll(() => closers.close());

  for (const [i, entityCount] of entityCounts.entries()) {
    test(`in one round of calls, entities: ${entityCount}, views: 5, calls: ${callCounts[i]}`, async () => {
      await tapped.countCommands?.();
      const callCount = callCounts[i] as number;
      tap.expect(callCount);
      await server.ask(entityCount);
      expect(await tap.counts()).toEqual({ callCount, isOneRound: true });
      if (commandCounts !== undefined) {
        expect(await tapped.countCommands?.()).toBe(commandCounts[i]);
      }
    });
  }
});

test("a request reads from Deno KV in trips of ten keys, in one round", async () => {
  const file = import.meta.resolve("./deno-kv-calls.ts");
  const { code, stdout, stderr } = await runToEnd("deno", { file, timeoutMs: 30_000 });
  expect([code, stderr]).toEqual([0, ""]);
  const expected = entityCounts.map((entityCount) => ({
    callCount: Math.ceil((entityCount * keysPerEntity) / 10),
    isOneRound: true,
  }));
  expect(JSON.parse(stdout) as CallCounts[]).toEqual(expected);
});

test("CallTap tells of calls that wait for another's answer, and of too many", async () => {
  const tap = new CallTap();
  tap.expect(2);
  await Promise.all([tap.pass(), tap.pass()]);
  expect(await tap.counts()).toEqual({ callCount: 2, isOneRound: true });
  tap.expect(2);
  await tap.pass();
  await tap.pass();
  expect(await tap.counts()).toEqual({ callCount: 2, isOneRound: false });
  tap.expect(1);
  await Promise.all([tap.pass(), tap.pass()]);
  expect((await tap.counts()).callCount).toBe(2);
});

/** Workers KV as workerd has it. */
async function openKv(): Promise<{ readonly kv: KvBinding; close(): Promise<void> }> {
  const miniflare = new Miniflare({
    modules: true,
    script: "export default {}",
    compatibilityDate,
    cf: false,
    log: new Log(LogLevel.NONE),
    kvNamespaces: ["BATCH"],
  });
  const kv = (await miniflare.getKVNamespace("BATCH")) as unknown as KvBinding;
  return { kv, close: () => miniflare.dispose() };
}

function tapStore(store: OnlineStore, tap: CallTap): OnlineStore {
  return {
    capabilities: store.capabilities,
    readMany: async (keys, options) => {
      await tap.pass();
      return store.readMany(keys, options);
    },
    write: (writes) => store.write(writes),
  };
}

function tapClient(client: RedisClient, tap: CallTap): RedisClient {
  return {
    callBuffer: async (command, values) => {
      await tap.pass();
      return client.callBuffer(command, values);
    },
  };
}

async function startTappedProxy(target: string, tap: CallTap, closers: Closers): Promise<string> {
  const proxy = await startRecordingProxy(target, { hold: () => tap.pass() });
  closers.add(proxy.close);
  return proxy.url;
}

/** All commands but those of counting. */
async function countCommands(nodes: readonly Redis[]): Promise<number> {
  let callCount = 0;
  for (const node of nodes) {
    const lines = (await node.info("commandstats")).matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
    for (const [, name = "", calls] of lines) {
      if (!["info", "config|resetstat"].includes(name)) callCount += Number(calls);
    }
    await node.config("RESETSTAT");
  }
  return callCount;
}
