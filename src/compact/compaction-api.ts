/** What a compaction asks of the online side: the admin routes, and nothing else. */

import type { CompactorIdentity } from "./compactor-identity.ts";
import type { LogRow } from "../store/event-log.ts";

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
  /** Up to where a batch view's history is complete; the seal's instant where it is left out. */
  readonly watermarkMs?: number;
  /** Who compacts. The first one that a server meets is the one that it takes from then on. */
  readonly compactor?: CompactorIdentity;
}

export interface PublishRequest {
  readonly view: string;
  readonly fence: number;
  readonly records: readonly { readonly entity: string; readonly bytes: Uint8Array }[];
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

/** The part of the API that the publisher answers; the instant is the request's. */
export interface PublisherAccess {
  start(request: StartRequest, nowMs: number): Promise<readonly CompactionRun[]>;
  publish(request: PublishRequest): Promise<void>;
  finish(request: FinishRequest, nowMs: number): Promise<void>;
  collect(request: CollectRequest, nowMs: number): Promise<void>;
  finishCollect(request: CollectCutRequest, nowMs: number): Promise<void>;
}

/**
 * Every call may be repeated. `publish`, `finish` and `collect` reject with code FENCED once a newer
 * run of the view has started.
 */
export interface CompactionApi {
  /** Seals what the views read from, and starts or resumes a run for each. */
  start(request: StartRequest): Promise<readonly CompactionRun[]>;
  /** The shards of a log, as the positions of stream records name them. */
  shards(log: string): Promise<readonly string[]>;
  /** A page of a shard's rows; an empty one is the end. */
  readLog(request: LogPageRequest): Promise<readonly LogRow[]>;
  trimLog(request: { readonly shard: string; readonly epoch: number }): Promise<void>;
  publish(request: PublishRequest): Promise<void>;
  finish(request: FinishRequest): Promise<void>;
  collect(request: CollectRequest): Promise<void>;
  finishCollect(request: CollectCutRequest): Promise<void>;
}

export interface LogPageRequest {
  readonly shard: string;
  readonly afterSeq: number;
  readonly epochMax: number;
}
