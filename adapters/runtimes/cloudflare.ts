/** A worker from a feature repository: Workers KV for batch records, Durable Objects for the rest. */

import { waitUntil } from "cloudflare:workers";
import type { Hono } from "hono";
import { loadRepository } from "../../src/define/load-repository.ts";
import type { Repository } from "../../src/define/definition.ts";
import { homeRoutes } from "../../src/http/home-routes.ts";
import type { HomeParts } from "../../src/http/workspace.ts";
import { WorkerHomes, logShards, openPlatformStores } from "./cloudflare/environment.ts";
import type { OpenStores, TilemarkEnvironment } from "./cloudflare/environment.ts";
import { logShardClass } from "./cloudflare/log-shard.ts";
import { publisherClass } from "./cloudflare/publisher.ts";
import { regionShardClass } from "./cloudflare/region-shard.ts";
import { regionHomes, wakeRegion } from "./cloudflare/region.ts";
import { call } from "./cloudflare/rpc.ts";
import { streamShardClass } from "./cloudflare/stream-shard.ts";
import { createWorkerApp } from "./cloudflare/worker-app.ts";
import type { WorkerAppOptions, WorkerServes } from "./cloudflare/worker-app.ts";
import { logNames } from "./log-names.ts";
import { resilientHomes } from "./resilient-homes.ts";

export type { LazyParts } from "./cloudflare/worker-app.ts";

export interface WorkerOptions extends WorkerAppOptions<TilemarkEnvironment> {
  /** Stores in the place of Workers KV, and of Durable Objects for stream records. */
  readonly openStores?: OpenStores;
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
  { openStores = openPlatformStores, ...options }: WorkerOptions = {},
) {
  const repository = loadRepository(definitions);
  const apps = new WeakMap<TilemarkEnvironment, Hono>();
  return {
    handler: {
      fetch(request: Request, env: TilemarkEnvironment): Response | Promise<Response> {
        let app = apps.get(env);
        if (app === undefined) {
          const workspaceOf = openWorkspace(repository, env, openStores);
          const serves = { workspaceOf, ...(!isRegion(env) && { homeRoutes }) };
          apps.set(env, (app = createWorkerApp(env, serves, options)));
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

function openWorkspace(
  repository: Repository,
  env: TilemarkEnvironment,
  openStores: OpenStores,
): WorkerServes["workspaceOf"] {
  return ({ clock, watch }) => {
    const resilience = { clock, onEvent: watch.onReaderEvent };
    if (isRegion(env)) {
      return { repository, homes: resilientHomes(regionHomes(env, openStores), resilience) };
    }
    const { batch, streamReaders } = new WorkerHomes(repository, env, openStores);
    const homes = resilientHomes({ batch, streams: streamReaders }, resilience);
    return { repository, homes, home: homeParts(repository, env) };
  };
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
