/** The stores that a program in any runtime can open by name, each with the cases it must pass. */

import { storeContract } from "../../src/store/contract/store-contract.ts";
import type { ContractCase } from "../../src/store/contract/store-contract.ts";
import { SqliteStore } from "../../adapters/stores/sqlite-store.ts";
import type { SqliteHandle } from "../../adapters/stores/sqlite-handle.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { sqliteHandleCases } from "./sqlite-handle-cases.ts";

export interface OpenedCases {
  readonly cases: readonly ContractCase[];
  close(): Promise<void>;
}

/** `address` is a file, or a server's URL; a store without one ignores it. */
type OpenCases = (address: string, keyPrefix: string) => Promise<OpenedCases>;

/** Hosts' modules are imported where they are asked for: no runtime has them all. */
export const openCases: Readonly<Record<string, OpenCases>> = {
  memory: () => {
    const cases = storeContract({ store: new MemoryStore(), failing: "memory cannot fail" });
    return Promise.resolve({ cases, close: () => Promise.resolve() });
  },
  "node-sqlite": async (path) => {
    const { openNodeSqlite } = await import("../../adapters/stores/node-sqlite-handle.ts");
    return openSqliteCases(path, openNodeSqlite);
  },
  "bun-sqlite": async (path) => {
    const { openBunSqlite } = await import("../../adapters/stores/bun-sqlite-handle.ts");
    return openSqliteCases(path, openBunSqlite);
  },
  redis: async (url, keyPrefix) => {
    const { openRedis } = await import("./open-redis.ts");
    const opened = await openRedis(url);
    return { cases: storeContract({ ...opened, keyPrefix }), close: opened.close };
  },
  "deno-kv": async (path) => (await import("./deno-kv-opener.ts")).openDenoKvCases(path),
  upstash: async (address, keyPrefix) =>
    (await import("./upstash-opener.ts")).openUpstashCases(address, keyPrefix),
  dynamodb: async (endpoint, keyPrefix) =>
    (await import("./dynamodb-opener.ts")).openDynamodbCases(endpoint, keyPrefix),
};

function openSqliteCases(path: string, open: (path: string) => SqliteHandle): OpenedCases {
  const sql = open(path);
  const closed = open(":memory:");
  const failing = new SqliteStore(closed);
  closed.close();
  const handleCases = sqliteHandleCases.map(({ name, run }) => ({
    name: `handle: ${name}`,
    skip: null,
    run: async () => run(open),
  }));
  return {
    cases: [...storeContract({ store: new SqliteStore(sql), failing }), ...handleCases],
    close: () => Promise.resolve(sql.close()),
  };
}
