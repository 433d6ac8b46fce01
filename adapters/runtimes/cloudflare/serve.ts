/**
 * A worker that answers and does nothing else, from the records of a home elsewhere: the Workers KV
 * and the Durable Objects of another worker, or a store such as Upstash. Its bundle is smaller, and it
 * has no Durable Objects of its own. It takes no events and no compactions.
 */

import type { Hono } from "hono";
import { loadRepository } from "../../../src/define/load-repository.ts";
import type { ServingHomes } from "../../../src/serve/read-views.ts";
import { WorkersKvStore } from "../../stores/workers-kv-store.ts";
import { resilientHomes } from "../resilient-homes.ts";
import type { WorkerStores } from "./environment.ts";
import { durableHomes } from "./platform-homes.ts";
import type { PlatformBindings } from "./platform-homes.ts";
import { createWorkerApp } from "./worker-app.ts";
import type { WorkerAppOptions, WorkerServes, WorkerVariables } from "./worker-app.ts";

export interface ServingEnvironment extends WorkerVariables, Partial<PlatformBindings> {}

export interface ServingWorkerOptions extends WorkerAppOptions<ServingEnvironment> {
  /** Where the home keeps its records. Left out: in Workers KV and Durable Objects. */
  readonly openStores?: (env: ServingEnvironment) => WorkerStores;
}

/**
 * The module's default export.
 *
 * @example
 * import * as features from "./features.ts";
 * export default createServingWorker(features);
 */
export function createServingWorker(
  definitions: Readonly<Record<string, unknown>>,
  { openStores, ...options }: ServingWorkerOptions = {},
) {
  const repository = loadRepository(definitions);
  const apps = new WeakMap<ServingEnvironment, Hono>();
  function appOf(env: ServingEnvironment): Hono {
    const homes = openStores === undefined ? platformHomes(env) : storeHomes(openStores(env));
    const serves: WorkerServes = {
      workspaceOf: ({ clock, watch }) => ({
        repository,
        homes: resilientHomes(homes, { clock, onEvent: watch.onReaderEvent }),
      }),
    };
    return createWorkerApp(env, serves, options);
  }
  return {
    fetch(request: Request, env: ServingEnvironment): Response | Promise<Response> {
      let app = apps.get(env);
      if (app === undefined) apps.set(env, (app = appOf(env)));
      return app.fetch(request);
    },
  };
}

function storeHomes({ batch, streams = batch }: WorkerStores): ServingHomes {
  return { batch, streams: [streams] };
}

/** @throws TypeError where they are not bound. */
function platformHomes({ BATCH, STREAM_SHARDS, ...variables }: ServingEnvironment): ServingHomes {
  if (BATCH === undefined || STREAM_SHARDS === undefined) {
    throw new TypeError(
      "Cannot serve: BATCH or STREAM_SHARDS is not bound, expected those of the home, or openStores",
    );
  }
  const streams = durableHomes({ BATCH, STREAM_SHARDS, ...variables });
  return { batch: new WorkersKvStore(BATCH), streams };
}
