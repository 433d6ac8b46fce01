/** A worker from a feature repository: Workers KV for batch records, Durable Objects for the rest. */

import { waitUntil } from "cloudflare:workers";
import type { Hono } from "hono";
import type { TokenVerifier } from "../../src/access/token-verifier.ts";
import type { Tracing } from "../../src/observe/tracing.ts";
import type { Clock } from "../../src/core/clock.ts";
import { loadRepository } from "../../src/define/load-repository.ts";
import type { Repository } from "../../src/define/definition.ts";
import { createApp } from "../../src/http/app.ts";
import type { AppParts } from "../../src/http/app.ts";
import { workspaceDefault } from "../../src/http/workspace.ts";
import type { HomeParts, Workspace } from "../../src/http/workspace.ts";
import { hostClock } from "../host-clock.ts";
import { WorkerHomes, logShards, openPlatformStores } from "./cloudflare/environment.ts";
import type { OpenStores, TilemarkEnvironment } from "./cloudflare/environment.ts";
import { logShardClass } from "./cloudflare/log-shard.ts";
import { publisherClass } from "./cloudflare/publisher.ts";
import { regionShardClass } from "./cloudflare/region-shard.ts";
import { regionHomes, wakeRegion } from "./cloudflare/region.ts";
import { readWorkerAccess } from "./cloudflare/worker-access.ts";
import { call } from "./cloudflare/rpc.ts";
import { streamShardClass } from "./cloudflare/stream-shard.ts";
import { logNames } from "./log-names.ts";
import { watchHost } from "./observe-host.ts";
import type { HostWatch } from "./observe-host.ts";
import { resilientHomes } from "./resilient-homes.ts";

/**
 * What of these is left out has no byte in the worker's bundle:
 * `arrow: () => import("tilemark/arrow")` answers as Arrow streams, and
 * `openApi: () => import("tilemark/openapi")` answers `GET /openapi.json` and `GET /docs`.
 */
export type LazyParts = Pick<AppParts, "arrow" | "openApi">;

export interface WorkerOptions extends LazyParts {
  /** Stores in the place of Workers KV, and of Durable Objects for stream records. */
  readonly openStores?: OpenStores;
  /**
   * What verifies tokens of an identity provider, once an isolate, by `verifyTokens` of
   * `tilemark/tokens`. Asked where `TILEMARK_ACCESS` is "keys".
   */
  readonly openTokens?: (env: TilemarkEnvironment) => TokenVerifier;
  /**
   * Makes spans of requests, as `openTelemetryTracing` of `tilemark/tracing` does. What exports them
   * has to do so before the host ends the request.
   */
  readonly tracing?: Tracing;
}

/**
 * The handler and the Durable Object classes of a worker's module. The log is in Durable Objects
 * always; records are where `openStores` says. With `TILEMARK_HOME` bound it is a region of that
 * home; a cron trigger then wakes it where no request does.
 *
 * @example
 * import * as features from "./features.ts";
 * const worker = createWorker(features);
 * export default worker.handler;
 * export const { LogShard, StreamShard, PublisherShard, RegionShard } = worker;
 */
export function createWorker(
  definitions: Readonly<Record<string, unknown>>,
  { openStores = openPlatformStores, openTokens, tracing, ...lazyParts }: WorkerOptions = {},
) {
  const repository = loadRepository(definitions);
  const apps = new WeakMap<TilemarkEnvironment, Hono>();
  return {
    handler: {
      fetch(request: Request, env: TilemarkEnvironment): Response | Promise<Response> {
        let app = apps.get(env);
        if (app === undefined) {
          apps.set(
            env,
            (app = appOf(repository, env, { openStores, openTokens, tracing, lazyParts })),
          );
          if (isRegion(env)) waitUntil(wakeRegion(env));
        }
        return app.fetch(request);
      },
      async scheduled(_: unknown, env: TilemarkEnvironment): Promise<void> {
        if (isRegion(env)) await wakeRegion(env);
      },
    },
    LogShard: logShardClass(repository, openStores),
    StreamShard: streamShardClass(repository),
    PublisherShard: publisherClass(repository, openStores),
    RegionShard: regionShardClass(repository, openStores),
  };
}

function isRegion({ TILEMARK_HOME }: TilemarkEnvironment): boolean {
  return TILEMARK_HOME !== undefined;
}

interface AppOptions {
  readonly openStores: OpenStores;
  readonly openTokens: WorkerOptions["openTokens"];
  readonly tracing: WorkerOptions["tracing"];
  readonly lazyParts: LazyParts;
}

function appOf(
  repository: Repository,
  env: TilemarkEnvironment,
  { openStores, openTokens, tracing, lazyParts }: AppOptions,
): Hono {
  const clock = hostClock(Number(env.TILEMARK_CLOCK_OFFSET_MS ?? 0));
  const watch = watchHost(clock, {
    requestLogShare: Number(env.TILEMARK_REQUEST_LOG_SHARE ?? 0),
    ...(tracing !== undefined && { tracing }),
    ...(env.TILEMARK_ERROR_TEXT === "1" && { onError: printError }),
  });
  return createApp({
    ...lazyParts,
    workspaces: [workspaceOf(repository, env, { openStores, clock, watch })],
    clock,
    random: Math.random,
    testClock: env.TILEMARK_TEST_CLOCK === "1",
    access: readWorkerAccess(env, { tokens: openTokens?.(env), background: waitUntil }),
    report: watch.report,
    observe: watch.observe,
  });
}

function printError(error: unknown, { route }: { readonly route: string }): void {
  console.error(`${route}: ${String(error)}`);
}

function workspaceOf(
  repository: Repository,
  env: TilemarkEnvironment,
  parts: { readonly openStores: OpenStores; readonly clock: Clock; readonly watch: HostWatch },
): Workspace {
  const { openStores, clock, watch } = parts;
  const resilience = { clock, onEvent: watch.onReaderEvent };
  const workspace = { name: env.TILEMARK_WORKSPACE ?? workspaceDefault, repository };
  if (isRegion(env)) {
    return { ...workspace, homes: resilientHomes(regionHomes(env, openStores), resilience) };
  }
  const { batch, streamReaders } = new WorkerHomes(repository, env, openStores);
  const homes = resilientHomes({ batch, streams: streamReaders }, resilience);
  return { ...workspace, homes, home: homeParts(repository, env) };
}

function homeParts(repository: Repository, env: TilemarkEnvironment): HomeParts {
  const publisherId = env.PUBLISHER.idFromName("publisher");
  const publisher = () => env.PUBLISHER.get(publisherId);
  return {
    logs: logNames(repository),
    logShards: (log) => logShards(env, log),
    publisher: {
      delete: (request) => call("publisher", publisher().delete(request)),
      home: () => call("publisher", publisher().home()),
      deletions: () => call("publisher", publisher().deletions()),
      finishDeletions: (names) => call("publisher", publisher().finishDeletions(names)),
      erase: (request) => call("publisher", publisher().erase(request)),
      start: (request, nowMs) => call("publisher", publisher().start(request, nowMs)),
      publish: (request) => call("publisher", publisher().publish(request)),
      finish: (request, nowMs) => call("publisher", publisher().finish(request, nowMs)),
      collect: (request, nowMs) => call("publisher", publisher().collect(request, nowMs)),
      finishCollect: (request, nowMs) =>
        call("publisher", publisher().finishCollect(request, nowMs)),
      published: () => call("publisher", publisher().published()),
      feed: (request) => call("publisher", publisher().feed(request)),
    },
    access: {
      keys: () => call("publisher", publisher().keys()),
      createKey: (request, by) => call("publisher", publisher().createKey(request, by)),
      rotateKey: (request, by) => call("publisher", publisher().rotateKey(request, by)),
      revokeKey: (request, by) => call("publisher", publisher().revokeKey(request, by)),
      record: (event, nowMs) => call("publisher", publisher().record(event, nowMs)),
      audit: (afterSeq) => call("publisher", publisher().audit(afterSeq)),
    },
  };
}
