/** What Node, Deno and Bun serve: one app over stores, and a home's log in files, or another home. */

import type { Hono } from "hono";
import type { Clock } from "../../../src/core/clock.ts";
import { FeatureError } from "../../../src/core/errors.ts";
import { limits } from "../../../src/core/limits.ts";
import type { Repository } from "../../../src/define/definition.ts";
import { loadRepository } from "../../../src/define/load-repository.ts";
import { createApp } from "../../../src/http/app.ts";
import type { AppParts } from "../../../src/http/app.ts";
import { homeRoutes } from "../../../src/http/home-routes.ts";
import { workspaceDefault } from "../../../src/http/workspace.ts";
import type { Workspace } from "../../../src/http/workspace.ts";
import { StoreStreamHome } from "../../../src/ingest/store-stream-home.ts";
import { RegionFollower } from "../../../src/region/region-follower.ts";
import type { ServingHomes } from "../../../src/serve/read-views.ts";
import type { OnlineStore } from "../../../src/store/online-store.ts";
import type { Replica } from "../../../src/store/resilient/resilient-reader.ts";
import type { SqlHandle } from "../../../src/store/sql-handle.ts";
import { httpRegionSource } from "../../admin/http-region-source.ts";
import { keyHeaders } from "../../admin/call-admin.ts";
import { hostClock } from "../../host-clock.ts";
import { SqliteStateTable } from "../../stores/sqlite-state-table.ts";
import { SqliteStore } from "../../stores/sqlite-store.ts";
import { describeAccess, keyAccess } from "../key-access.ts";
import type { AccessOptions } from "../key-access.ts";
import { watchHost } from "../observe-host.ts";
import type { HostWatch, WatchOptions } from "../observe-host.ts";
import { resilientHomes } from "../resilient-homes.ts";
import { createHome } from "./create-home.ts";
import type { Home } from "./create-home.ts";
import { followHome } from "./follow-home.ts";
import { lazyParts } from "./lazy-parts.ts";
import { listenAddress } from "./listen-address.ts";
import { lockDirectory } from "./lock-directory.ts";
import type { OpenedSqlite } from "./lock-directory.ts";
import { refuseUnknownOptions } from "./refuse-unknown-options.ts";

export interface ServerOptions extends WatchOptions {
  /**
   * Where the log, what the publisher remembers and, where no store is given, the records are kept,
   * as SQLite files; ":memory:" keeps them in memory alone.
   */
  readonly directory: string;
  /** Of batch and stream records; a file in `directory` if left out. */
  readonly store?: OnlineStore;
  /** A copy of `store` that is asked where that is slow or does not answer. */
  readonly replica?: Replica;
  /** Of stream records, where those have a store of their own. It has compare-and-set. */
  readonly streamStore?: OnlineStore;
  /**
   * The home that this region follows, as `https://home.example`. It answers from its own stores and
   * takes neither events nor compactions. Left out: this is the home.
   */
  readonly home?: string;
  /** How many shards a log has; 1 if left out. Fixed once there are events. */
  readonly logShardCount?: number;
  /** How long a home keeps rows of the log for regions that are cut off, in milliseconds; 0 if left out. */
  readonly logRetentionMs?: number;
  /** The name that requests know it by; "prod" if left out. */
  readonly workspace?: string;
  /**
   * Who may ask: only this machine, who may do everything then, or whoever has a key or a token.
   * "loopback" if left out.
   */
  readonly access?: "loopback" | AccessOptions;
  /** The key by which a region follows its home, with scope `follow` there: a secret. */
  readonly homeKey?: string;
  /** A free one if left out. */
  readonly port?: number;
  /** The address to listen on; 127.0.0.1 if left out. Any other needs keys or tokens in `access`. */
  readonly host?: string;
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

export interface Server {
  readonly app: Hono;
  /** Ends what goes on beside requests. */
  stop(): Promise<void>;
}

interface ServerParts {
  readonly repository: Repository;
  readonly clock: Clock;
  readonly batch: OnlineStore;
  readonly streams: OnlineStore;
  readonly open: (name: string) => SqlHandle;
  readonly access: AppParts["access"];
  readonly watch: HostWatch;
  /** Homes as requests read from them. */
  readonly serving: (homes: ServingHomes) => ServingHomes;
}

/**
 * Resolves when rows that a crash left unapplied are applied, where their store is there.
 * @throws TypeError for an option by another name, Error where another process serves from the directory.
 */
export async function createServer(
  definitions: Readonly<Record<string, unknown>>,
  options: ServerOptions,
  openSqlite: (path: string) => OpenedSqlite,
): Promise<Server> {
  const { directory } = options;
  refuseUnknownOptions(options);
  listenAddress(options);
  const unlock = directory === ":memory:" ? () => undefined : lockDirectory(directory, openSqlite);
  try {
    const { app, stop } = await createLockedServer(definitions, options, openSqlite);
    return { app, stop: () => stop().finally(unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

function createLockedServer(
  definitions: Readonly<Record<string, unknown>>,
  options: ServerOptions,
  openSqlite: (path: string) => SqlHandle,
): Promise<Server> | Server {
  const { directory } = options;
  const open = (name: string) =>
    openSqlite(directory === ":memory:" ? directory : `${directory}/${name}.sqlite`);
  const batch = options.store ?? new SqliteStore(open("records"));
  const clock = hostClock(options.clockOffsetMs);
  const watch = watchHost(clock, options);
  const { onReaderEvent: onEvent } = watch;
  const replicas = new Map(options.replica === undefined ? [] : [[batch, options.replica]]);
  const parts: ServerParts = {
    repository: loadRepository(definitions),
    clock,
    access: readAccess(options),
    watch,
    batch,
    // A file on this machine is there, or nothing is.
    serving: (homes) =>
      options.store === undefined ? homes : resilientHomes(homes, { clock, replicas, onEvent }),
    streams: options.streamStore ?? batch,
    open,
  };
  return options.home === undefined
    ? createHomeServer(parts, options)
    : createRegionServer(parts, { ...options, home: options.home });
}

async function createHomeServer(parts: ServerParts, options: ServerOptions): Promise<Server> {
  const { batch, streams, open } = parts;
  const home = createHome({
    ...parts,
    state: new SqliteStateTable(open("publisher")),
    openLog: open,
    logShardCount: options.logShardCount ?? 1,
    logRetentionMs: options.logRetentionMs ?? 0,
    accessConfiguration: describeAccess(parts.access),
  });
  await repairIfPossible(home, parts);
  const homes = parts.serving({ batch, streams: [streams] });
  const app = createApp({ ...appParts(parts, options, { homes, home }), homeRoutes });
  return { app, stop: () => Promise.resolve() };
}

/** What is left is applied before the next acknowledgement, so a store that is away may come later. */
async function repairIfPossible(home: Home, { clock, watch }: ServerParts): Promise<void> {
  try {
    await home.repair(clock.now());
  } catch (error) {
    if (!(error instanceof FeatureError) || !error.retryable) throw error;
    watch.fail("repair", error);
  }
}

function createRegionServer(
  parts: ServerParts,
  options: ServerOptions & { readonly home: string },
): Server {
  const { repository, clock, batch, streams, watch } = parts;
  const source = httpRegionSource({
    baseUrl: readHomeUrl(options.home),
    headers: keyHeaders(options.homeKey),
    fetch: (url, init) =>
      fetch(url, {
        ...init,
        // What asks with a key asks nobody else.
        redirect: "manual",
        signal: AbortSignal.timeout(limits.requestMsMax),
      }),
  });
  const follower = new RegionFollower({
    clock,
    repository,
    source,
    batch,
    streams: new StoreStreamHome(streams, repository),
    progress: streams,
  });
  const region = { progress: streams, staleAfterMs: limits.regionStaleAfterMs };
  const homes = parts.serving({ batch, streams: [streams], region });
  const app = createApp(appParts(parts, options, { homes }));
  const end = new AbortController();
  const report = (error: unknown) => {
    watch.fail("follow", error);
  };
  const following = followHome({ follower, clock, signal: end.signal, report });
  return {
    app,
    stop: () => {
      end.abort();
      return following;
    },
  };
}

/** @throws TypeError where nobody could ever have access. */
function readAccess({ access = "loopback", home }: ServerOptions): AppParts["access"] {
  if (access === "loopback") return access;
  const read = keyAccess(access);
  const isClosed = read.adminKeySha256.length + read.keys.length === 0 && read.tokens === undefined;
  if (!isClosed || home !== undefined) return read;
  throw new TypeError(
    'Cannot start with access by keys: there is none to begin with, expected "adminKeySha256", "keys" or "tokens"',
  );
}

/** @throws TypeError for text that is no address. */
function readHomeUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new TypeError(
      `Cannot follow home "${text}": it is no address, expected http://… or https://…`,
    );
  }
  return text.replace(/\/+$/, "");
}

function appParts(
  { repository, clock, access, watch }: ServerParts,
  { testClock = false, workspace = workspaceDefault }: ServerOptions,
  served: Pick<Workspace, "homes" | "home">,
): AppParts {
  return {
    ...lazyParts,
    workspaces: [{ name: workspace, repository, ...served }],
    clock,
    random: Math.random,
    testClock,
    access,
    report: watch.report,
    observe: watch.observe,
  };
}
