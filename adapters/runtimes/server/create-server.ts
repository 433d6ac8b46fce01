/** What Node, Deno and Bun serve: one app over stores, a home's log in files, or another region. */

import type { Hono } from "hono";
import { loadRepository } from "../../../src/define/load-repository.ts";
import { createApp } from "../../../src/http/app.ts";
import type { OnlineStore } from "../../../src/store/online-store.ts";
import type { SqlHandle } from "../../../src/store/sql-handle.ts";
import { SqliteStateTable } from "../../stores/sqlite-state-table.ts";
import { SqliteStore } from "../../stores/sqlite-store.ts";
import { createHome } from "./create-home.ts";

export interface ServerOptions {
  /**
   * Where the log, what the publisher remembers and, where no store is given, the records are kept,
   * as SQLite files; ":memory:" keeps them in memory alone.
   */
  readonly directory: string;
  /** Of batch and stream records; a file in `directory` if left out. */
  readonly store?: OnlineStore;
  /** Of stream records, where those have a store of their own. It has compare-and-set. */
  readonly streamStore?: OnlineStore;
  /** How many shards a log has; 1 if left out. Fixed once there are events. */
  readonly logShardCount?: number;
  /** On 127.0.0.1; a free one if left out. */
  readonly port?: number;
  /** Requests may carry their own `now`: for tests. */
  readonly testClock?: boolean;
  /** Added to the clock, in milliseconds: to serve windows over old events. */
  readonly clockOffsetMs?: number;
}

/** A server that listens. */
export interface RunningServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Resolves when no request is being answered any more. */
  close(): Promise<void>;
}

/** Resolves when rows that a crash left unapplied are applied. */
export async function createServer(
  definitions: Readonly<Record<string, unknown>>,
  options: ServerOptions,
  openSqlite: (path: string) => SqlHandle,
): Promise<Hono> {
  const { directory, logShardCount = 1, testClock = false, clockOffsetMs = 0 } = options;
  const repository = loadRepository(definitions);
  const open = (name: string) =>
    openSqlite(directory === ":memory:" ? directory : `${directory}/${name}.sqlite`);
  const batch = options.store ?? new SqliteStore(open("records"));
  const streams = options.streamStore ?? batch;
  const clock = { now: () => Date.now() + clockOffsetMs };
  const home = createHome({
    repository,
    batch,
    streams,
    state: new SqliteStateTable(open("publisher")),
    openLog: open,
    logShardCount,
  });
  await home.repair(clock.now());
  return createApp({
    repository,
    clock,
    homes: { batch, streams: [streams] },
    home,
    testClock,
    access: "loopback",
    report: (error, { route }) => {
      console.error(JSON.stringify({ level: "error", route, error: String(error) }));
    },
  });
}
