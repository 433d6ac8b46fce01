/** An app over real parts, all in this process: stores in memory, logs in SQLite, a publisher. */

import { randomBytes } from "node:crypto";
import type { Hono } from "hono";
import { hostClock } from "../../adapters/host-clock.ts";
import { lazyParts } from "../../adapters/runtimes/server/lazy-parts.ts";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { HomeAccess } from "../../src/access/home-access.ts";
import { Publisher } from "../../src/compact/publisher.ts";
import type { Repository } from "../../src/define/definition.ts";
import { createApp } from "../../src/http/app.ts";
import { homeRoutes } from "../../src/http/home-routes.ts";
import type { KeyAccess } from "../../src/http/access.ts";
import { LogHome } from "../../src/ingest/log-home.ts";
import { ShardedStreams } from "../../src/ingest/sharded-streams.ts";
import type { ObserveOptions } from "../../src/observe/observation.ts";
import { StoreStreamHome } from "../../src/ingest/store-stream-home.ts";
import type { LogRow } from "../../src/store/event-log.ts";
import { MemoryStateTable } from "../../src/store/memory-state-table.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";
import type { SqlHandle } from "../../src/store/sql-handle.ts";

export interface TestAppOptions {
  readonly nowMs: number;
  readonly testClock?: boolean;
  readonly workspace?: string;
  readonly logShardCount?: number;
  readonly streamShardCount?: number;
  readonly batchStore?: OnlineStore;
  readonly access?: KeyAccess;
  readonly observe?: ObserveOptions;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined where it is something else. */
  readonly body: unknown;
}

export interface TestApp {
  readonly app: Hono;
  /** Move it to let time pass. */
  readonly clock: { nowMs: number };
  /** What the app reported to its host. */
  readonly reported: unknown[];
  readonly batchStore: OnlineStore;
  readonly streamStores: readonly MemoryStore[];
  /** The databases of the log shards, by the shard's name. */
  readonly logDatabases: ReadonlyMap<string, SqlHandle>;
  /** All rows of a log, shard by shard. */
  readLog(log: string): Promise<readonly LogRow[]>;
  /** Strings and bytes are sent as they are, anything else as JSON. */
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export const testOrigin = "http://localhost:8787";

export function buildTestApp(repository: Repository, options: TestAppOptions): TestApp {
  const { nowMs, testClock = false, logShardCount = 2, streamShardCount = 2 } = options;
  const clock = { nowMs };
  const reported: unknown[] = [];
  const batchStore = options.batchStore ?? new MemoryStore();
  const streamStores = Array.from({ length: streamShardCount }, () => new MemoryStore());
  const homes = streamStores.map((store) => new StoreStreamHome(store, repository));
  const streams = new ShardedStreams(homes);
  const logDatabases = new Map<string, SqlHandle>();
  const logs = openLogs(repository, { streams, logShardCount, logDatabases });
  const logShards = (log: string) => logs.get(log) ?? [];
  const state = new MemoryStateTable();
  const app = createApp({
    homeRoutes,
    ...lazyParts,
    workspaces: [
      {
        name: options.workspace ?? "prod",
        repository,
        homes: { batch: batchStore, streams: homes },
        home: {
          logs: [...logs.keys()],
          logShards,
          publisher: new Publisher({ repository, batchStore, streams, logShards, state }),
          access: new HomeAccess({ state, randomBytes, configuration: "test" }),
        },
      },
    ],
    clock: { ...hostClock(), now: () => clock.nowMs },
    random: () => 0,
    testClock,
    access: options.access ?? "loopback",
    ...(options.observe !== undefined && { observe: options.observe }),
    report: (error) => reported.push(error),
  });
  return {
    app,
    clock,
    reported,
    batchStore,
    streamStores,
    logDatabases,
    readLog: async (log) => {
      const range = { afterSeq: 0, epochMax: Infinity, rowsMax: 100_000 };
      return (await Promise.all(logShards(log).map((shard) => shard.read(range)))).flat();
    },
    post: async (path, body, headers = {}) => {
      const isRaw = typeof body === "string" || body instanceof Uint8Array;
      const sent = (isRaw ? body : JSON.stringify(body)) as BodyInit;
      return readAnswer(
        await app.request(testOrigin + path, {
          method: "POST",
          body: sent,
          headers: { ...headers },
        }),
      );
    },
    get: async (path, headers = {}) =>
      readAnswer(await app.request(testOrigin + path, { headers: { ...headers } })),
  };
}

function openLogs(
  repository: Repository,
  parts: {
    readonly streams: ShardedStreams;
    readonly logShardCount: number;
    readonly logDatabases: Map<string, SqlHandle>;
  },
): ReadonlyMap<string, readonly LogHome[]> {
  const names = new Set([...repository.sources.values()].map(({ log }) => log));
  return new Map(
    [...names].map((log) => [
      log,
      Array.from({ length: parts.logShardCount }, (_, i) => {
        const shard = `${log}-${i}`;
        const sql = openNodeSqlite(":memory:");
        parts.logDatabases.set(shard, sql);
        const { streams } = parts;
        return new LogHome({ shard, log: new SqliteEventLog(sql), streams, repository });
      }),
    ]),
  );
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parseJson(text) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
