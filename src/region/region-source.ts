/** What a region asks of the home that it follows. */

import type { FeedItem, FeedRequest, Published } from "../compact/compaction-api.ts";
import type { FollowedPage } from "../ingest/log-home.ts";

export interface FollowRequest {
  readonly shard: string;
  readonly afterSeq: number;
}

export interface FollowAnswer extends FollowedPage {
  /** The home's clock before the page was read. */
  readonly nowMs: number;
}

/** Every call may be repeated, and rejects with a FeatureError when the home cannot be reached. */
export interface RegionSource {
  published(): Promise<Published>;
  feed(request: FeedRequest): Promise<readonly FeedItem[]>;
  /** The shards of a log, as the positions of stream records name them. */
  shards(log: string): Promise<readonly string[]>;
  follow(request: FollowRequest): Promise<FollowAnswer>;
  /** The keys that give access, for a region to keep as they come. */
  keyBook(): Promise<Uint8Array>;
}
