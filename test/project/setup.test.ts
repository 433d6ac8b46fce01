import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { DenoKvStore } from "../../adapters/stores/deno-kv-store.ts";
import type { KvDatabase } from "../../adapters/stores/deno-kv-values.ts";
import { DynamodbStore } from "../../adapters/stores/dynamodb-store.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import { SqliteStore } from "../../adapters/stores/sqlite-store.ts";
import { createUpstashClient } from "../../adapters/stores/upstash-client.ts";
import { UpstashStore } from "../../adapters/stores/upstash-store.ts";
import { WorkersKvStore } from "../../adapters/stores/workers-kv-store.ts";
import type { KvBinding } from "../../adapters/stores/workers-kv-store.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { StoreCapabilities } from "../../src/store/online-store.ts";
import { projectRoot } from "./source-files.ts";

test("the table of stores in adapters/runtimes/README.md says what they promise", async () => {
  const readme = await readFile(join(projectRoot, "adapters/runtimes/README.md"), "utf8");
  const rows = [...readme.matchAll(/^\| (\w[^|]*)\|(.*)\|$/gm)].map(([, name = "", cells = ""]) => {
    return [name.trim(), cells.split("|").map((cell) => cell.trim())] as const;
  });
  const told = new Map(rows.map(([name, [, ...promises]]) => [name, promises]));
  const stores: Readonly<Record<string, StoreCapabilities>> = capabilitiesByName();
  for (const [name, capabilities] of Object.entries(stores)) {
    expect(told.get(name), name).toEqual([
      capabilities.compareAndSet ? "yes" : "no",
      capabilities.stalenessMsMax === Infinity
        ? "∞"
        : capabilities.stalenessMsMax.toLocaleString("en"),
      `${capabilities.valueBytesMax / 2 ** 20} MiB`,
      capabilities.keysPerTripMax.toLocaleString("en"),
    ]);
  }
  const [header, objects] = ["store", "Durable Object"];
  expect([...told.keys()].sort()).toEqual([...Object.keys(stores), header, objects].sort());
});

/** Those that are not opened: nothing is asked of them but what they promise. */
function capabilitiesByName(): Readonly<Record<string, StoreCapabilities>> {
  const client = new Redis({ lazyConnect: true });
  const aws = new AwsClient({ accessKeyId: "a", secretAccessKey: "b" });
  const sqlite = openNodeSqlite(":memory:");
  const stores = {
    "SQLite file": new SqliteStore(sqlite),
    memory: new MemoryStore(),
    Redis: new RedisStore(client),
    Upstash: new UpstashStore(createUpstashClient({ url: "http://127.0.0.1:9", token: "t" })),
    DynamoDB: new DynamodbStore(aws, { table: "features", region: "eu-central-1" }),
    "Deno KV": new DenoKvStore({} as KvDatabase),
    "Workers KV": new WorkersKvStore({} as KvBinding),
  };
  sqlite.close();
  return Object.fromEntries(
    Object.entries(stores).map(([name, { capabilities }]) => [name, capabilities]),
  );
}
