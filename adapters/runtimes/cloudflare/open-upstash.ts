/** Batch and stream records of a worker in one Upstash Redis: one request reads both. */

import { FeatureError } from "../../../src/core/errors.ts";
import { createUpstashClient } from "../../stores/upstash-client.ts";
import { UpstashStore } from "../../stores/upstash-store.ts";
import type { WorkerStores } from "./environment.ts";
import type { WorkerVariables } from "./worker-app.ts";

/** What Upstash's integration binds, by its names. */
export interface UpstashEnvironment extends WorkerVariables {
  readonly UPSTASH_REDIS_REST_URL?: string;
  /** A secret: `wrangler secret put UPSTASH_REDIS_REST_TOKEN`. */
  readonly UPSTASH_REDIS_REST_TOKEN?: string;
}

/**
 * For a database in one region, which reads what was written.
 *
 * @throws FeatureError where a binding is missing.
 * @example const worker = createWorker(features, { openStores: openUpstash });
 */
export function openUpstash(env: UpstashEnvironment): WorkerStores {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = env;
  if (url === undefined || token === undefined) {
    throw new FeatureError(
      "INTERNAL",
      "Cannot open Upstash: UPSTASH_REDIS_REST_URL or UPSTASH_REDIS_REST_TOKEN is not bound, expected both",
    );
  }
  const store = new UpstashStore(createUpstashClient({ url, token }), { stalenessMsMax: 0 });
  return { batch: store, streams: store };
}
