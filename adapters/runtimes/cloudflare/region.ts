/** What a worker is that follows another deployment: where it answers from, and how it is woken. */

import { FeatureError } from "../../../src/core/errors.ts";
import { limits } from "../../../src/core/limits.ts";
import type { ServingHomes } from "../../../src/serve/read-views.ts";
import type { RecordReader } from "../../../src/store/online-store.ts";
import type { OpenStores, TilemarkEnvironment } from "./environment.ts";
import type { RegionShardObject } from "./region-shard.ts";
import { call } from "./rpc.ts";

/** Stream records and progress are behind one reader, which reads both in one call. */
export function regionHomes(env: TilemarkEnvironment, openStores: OpenStores): ServingHomes {
  const { batch, streams = shardReader(env) } = openStores(env);
  const region = { progress: streams, staleAfterMs: limits.regionStaleAfterMs };
  return { batch, streams: [streams], region };
}

/** Resolves when the region's next step is due. @throws FeatureError where it cannot be reached. */
export function wakeRegion(env: TilemarkEnvironment): Promise<void> {
  return call("region shard", regionShard(env).wake());
}

function shardReader(env: TilemarkEnvironment): RecordReader {
  return {
    // A Durable Object reads any number of keys in one statement.
    capabilities: { keysPerTripMax: Infinity },
    readMany: (keys) => call("region shard", regionShard(env).readMany(keys)),
  };
}

/** A stub belongs to one request and breaks when a call fails, so each call has its own. */
function regionShard({ REGION_SHARD }: TilemarkEnvironment): DurableObjectStub<RegionShardObject> {
  if (REGION_SHARD === undefined) {
    throw new FeatureError(
      "INTERNAL",
      "Cannot follow a home: no Durable Object is bound as REGION_SHARD, expected RegionShard",
    );
  }
  return REGION_SHARD.get(REGION_SHARD.idFromName("region"));
}
