/** The demo as a worker: what `wrangler deploy` bundles. */

import { createWorker } from "../../adapters/runtimes/cloudflare.ts";
import * as features from "./features.ts";

const worker = createWorker(features);
const { handler } = worker;

export { handler as default };
export const { LogShard, StreamShard, PublisherShard, RegionShard } = worker;
