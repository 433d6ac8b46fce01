/**
 * What a log shard remembers of events so that each counts once: ids, named requests, and how far
 * it has the partitions that senders read from. Calls are synchronous steps of one transaction.
 */

import type { NamedRequest } from "./event-log.ts";

/** An event's id, and what tells its body from others. */
export interface KnownId {
  readonly id: string;
  readonly timestampMs: number;
  readonly hash: string;
}

export interface LogMemory {
  /** How many ids and requests are remembered, as it was last set. */
  count(): number;
  setCount(count: number): void;

  /** The hash that came with an id; null where the id is not known. */
  idHash(source: string, id: string): string | null;
  rememberId(source: string, known: KnownId): void;
  /** Forgets ids of events before an instant, oldest first, at most `countMax` of them. */
  forgetIds(source: string, beforeMs: number, countMax: number): Forgotten;

  /** The content hash of a request; null where its key is not known. */
  requestHash(key: string): string | null;
  /** `newestMs` is the time of its newest event without an id or an offset; null for none. */
  rememberRequest(request: NamedRequest, newestMs: number | null): void;
  /** Forgets requests that were to be kept until before an instant, those first in time first. */
  forgetRequests(beforeMs: number, countMax: number): Forgotten;

  /** The high-water set last for a source, or for `namedRequests`; -Infinity before that. */
  forgottenMs(source: string): number;
  setForgottenMs(source: string, newestMs: number): void;

  /** Null for a partition that is not known. */
  partition(source: string, partition: string): KnownPartition | null;
  setPartition(source: string, partition: string, known: KnownPartition): void;
  partitionCount(): number;
}

/** Stands for all named requests where a source is asked for: no source has an empty name. */
export const namedRequests = "";

export interface Forgotten {
  readonly count: number;
  /** The time of the newest event among them; -Infinity where there was none. */
  readonly newestMs: number;
}

/** The shard has met every offset in `[firstOffset, nextOffset)`. */
export interface KnownPartition {
  readonly firstOffset: number;
  readonly nextOffset: number;
}
