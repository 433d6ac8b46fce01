/** The suite's features in workerd, over the store that the bindings name, or the platform's own. */

import { createWorker } from "../../adapters/runtimes/cloudflare.ts";
import { openPlatformStores } from "../../adapters/runtimes/cloudflare/environment.ts";
import type { OpenStores } from "../../adapters/runtimes/cloudflare/environment.ts";
import * as features from "./features.ts";
import { openDynamodb, openUpstash } from "./fetch-stores.ts";

const openStores: OpenStores = (env) => {
  const { STORE: store, ADDRESS: address = "" } = env as unknown as Record<string, string>;
  if (store === "platform") return openPlatformStores(env);
  const opened = store === "upstash" ? openUpstash(address) : openDynamodb(address);
  return { batch: opened, streams: opened };
};

const worker = createWorker(features, { openStores });
const { handler } = worker;

export { handler as default };
export const { LogShard, StreamShard, PublisherShard } = worker;
