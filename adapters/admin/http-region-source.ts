/** A region's view of its home, over the home's admin routes. */

import type { Published } from "../../src/compact/compaction-api.ts";
import { readFeedItems, readFollowAnswer } from "../../src/http/region-codec.ts";
import type { RegionSource } from "../../src/region/region-source.ts";
import { query, readAnswer, readBytes, send } from "./call-admin.ts";
import type { AdminOptions } from "./call-admin.ts";

/**
 * A home that cannot be reached is STORE_UNAVAILABLE.
 *
 * @example const source = httpRegionSource({ baseUrl: "https://home.example", fetch });
 */
export function httpRegionSource(options: AdminOptions): RegionSource {
  return {
    published: async () => (await readAnswer(await send(options, "published"))) as Published,
    shards: async (log) =>
      (await readAnswer(await send(options, `shards?${query({ log })}`))) as readonly string[],
    feed: async ({ feed, afterSeq }) => {
      const path = `feed?${query({ feed, afterSeq: String(afterSeq) })}`;
      return readFeedItems(await readBytes(await send(options, path)));
    },
    follow: async ({ shard, afterSeq }) => {
      const path = `follow?${query({ shard, afterSeq: String(afterSeq) })}`;
      return readFollowAnswer(await readBytes(await send(options, path)));
    },
    keyBook: async () => readBytes(await send(options, "key-book")),
  };
}
