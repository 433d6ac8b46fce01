/** What a compaction asks of the online side: the admin routes, and nothing else. */

import type { Scalar } from "../core/value.ts";
import type { LoadedRow } from "../offline/offline-store.ts";
import type { ClosedSource, LogRow } from "../store/event-log.ts";
import type { CompactorIdentity } from "./compactor-identity.ts";
import type { PlacedEntry } from "./publish-feed.ts";

/** A run of one view. Runs of a view follow one another by `fence`: only the newest may publish. */
export interface CompactionRun {
  readonly view: string;
  readonly fence: number;
  /** Every event of epochs up to this one is covered. */
  readonly cut: number;
  readonly sealedAtMs: number;
  readonly watermarkMs: number;
  /** True when an earlier run sealed this cut and did not finish. */
  readonly resumed: boolean;
  /** The cut of the newest finished run whose grace is over, and the one collected before it. */
  readonly collectibleCut: number;
  readonly collectedCut: number;
}

export interface StartRequest {
  readonly views: readonly string[];
  /**
   * Up to where the history of batch views is complete, the seal's instant where it is left out, and
   * of views with a `history`, which need it.
   */
  readonly watermarkMs?: number;
  /**
   * Publishes once more at an earlier cut of the one view named. Refused (CONFLICT) where the view
   * was never compacted at that cut, or its stream records were collected past it.
   */
  readonly rollbackCut?: number;
  /** Who compacts. The first one that a server meets is the one that it takes from then on. */
  readonly compactor?: CompactorIdentity;
}

export interface PublishRequest {
  readonly view: string;
  readonly fence: number;
  readonly records: readonly EntityRecord[];
}

export interface FinishRequest {
  readonly view: string;
  readonly fence: number;
}

export interface CollectCutRequest extends FinishRequest {
  readonly cut: number;
}

export interface CollectRequest extends CollectCutRequest {
  readonly entities: readonly string[];
}

export interface EraseRequest extends FinishRequest {
  readonly entities: readonly string[];
}

export interface DeleteRequest {
  /** The name of an entity definition. */
  readonly entity: string;
  /** One value a join key of it, in its order. */
  readonly joinKeys: readonly Scalar[];
}

/** A deletion that no offline store has taken over yet. */
export interface PendingDeletion extends DeleteRequest {
  /** Names the deletion, and tells nothing of the entity. */
  readonly name: string;
}

/** The part of the API that the publisher answers; the instant is the request's. */
export interface PublisherAccess {
  /**
   * Hides an entity for good: resolves when every home has its tombstone. Its rows and records are
   * taken away by the compactions that start from then on.
   *
   * @throws FeatureError NOT_FOUND for an entity that is not defined, INVALID_REQUEST for join keys
   *   that are not the entity's.
   */
  delete(request: DeleteRequest): Promise<void>;
  deletions(): Promise<readonly PendingDeletion[]>;
  /** Names the home for good, from its first compaction on; null before. */
  home(): Promise<string | null>;
  /** Forgets whom deletions named, once the offline store has them: the tombstones stay. */
  finishDeletions(names: readonly string[]): Promise<void>;
  start(request: StartRequest, nowMs: number): Promise<readonly CompactionRun[]>;
  publish(request: PublishRequest): Promise<void>;
  /** Deletes the records of entities that tombstones hide. @throws FeatureError as `publish`. */
  erase(request: EraseRequest): Promise<void>;
  finish(request: FinishRequest, nowMs: number): Promise<void>;
  collect(request: CollectRequest, nowMs: number): Promise<void>;
  finishCollect(request: CollectCutRequest, nowMs: number): Promise<void>;
  /** What has been published so far. */
  published(): Promise<Published>;
  /** What was published after a place, for a region that does the same; nothing at its end. */
  feed(request: FeedRequest): Promise<readonly FeedItem[]>;
}

export interface Published {
  readonly views: readonly PublishedView[];
  /** The place of the last entry in the feed of tombstones; 0 before the first. */
  readonly burialSeq: number;
}

export interface PublishedView {
  readonly view: string;
  readonly fingerprint: string;
  /** Of the run that finished last; -1 before there was one. */
  readonly cut: number;
  /** The place of the last entry in the view's feed; 0 before the first. */
  readonly feedSeq: number;
  /** When the last run was started, and when one last finished; null before there was one. */
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

export interface FeedRequest {
  /** The name of a view, or `burialFeed`. */
  readonly feed: string;
  readonly afterSeq: number;
}

/** An entry of a feed, with the bytes of the records that it names. */
export interface FeedItem extends PlacedEntry {
  /** Of a publish entry: its records as they are now, which may be newer. Empty for any other. */
  readonly records: readonly EntityRecord[];
}

export interface EntityRecord {
  readonly entity: string;
  readonly bytes: Uint8Array;
}

/**
 * Every call may be repeated. `publish`, `finish` and `collect` reject with code FENCED once a newer
 * run of the view has started.
 */
export interface CompactionApi {
  /** Seals what the views read from, and starts or resumes a run for each. */
  start(request: StartRequest): Promise<readonly CompactionRun[]>;
  /** The server's clock. */
  now(): Promise<number>;
  /** As the publisher's. */
  home(): Promise<string | null>;
  /** The shards of a log, as the positions of stream records name them. */
  shards(log: string): Promise<readonly string[]>;
  /** A page of a shard's rows; an empty one is the end. */
  readLog(request: LogPageRequest): Promise<readonly LogRow[]>;
  trimLog(request: TrimLogRequest): Promise<void>;
  /** As `EventLogShard.closeBefore` of a shard. */
  closeBefore(request: CloseBeforeRequest): Promise<ClosedSource>;
  /** Appends rows of a load to the shard of their ids, as if they had been ingested now. */
  appendRows(request: AppendRowsRequest): Promise<void>;
  deletions(): Promise<readonly PendingDeletion[]>;
  finishDeletions(names: readonly string[]): Promise<void>;
  erase(request: EraseRequest): Promise<void>;
  publish(request: PublishRequest): Promise<void>;
  finish(request: FinishRequest): Promise<void>;
  collect(request: CollectRequest): Promise<void>;
  finishCollect(request: CollectCutRequest): Promise<void>;
}

export interface TrimLogRequest {
  readonly shard: string;
  readonly epoch: number;
  /** Forgets also what would be kept for other regions. */
  readonly forgetTrimmed?: boolean;
}

export interface CloseBeforeRequest {
  readonly shard: string;
  readonly source: string;
  readonly beforeMs: number;
}

export interface AppendRowsRequest {
  readonly shard: string;
  readonly source: string;
  readonly rows: readonly LoadedRow[];
}

export interface LogPageRequest {
  readonly shard: string;
  readonly afterSeq: number;
  readonly epochMax: number;
}
