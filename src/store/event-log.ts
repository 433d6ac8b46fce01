/**
 * The contract of an event log's shard: the truth about what was acknowledged.
 *
 * An event's id, its epoch and its place in the log are settled in one atomic step, `append`.
 * Applying it to the stream records comes after and is repaired from the log, so a shard keeps
 * `appliedSeq`, the place up to which every row has been applied.
 */

export interface LogEntry {
  readonly source: string;
  /** "" where the source declares no id: such an event is never a repeat. */
  readonly id: string;
  readonly timestampMs: number;
  readonly body: Uint8Array;
  /** Its place in the partition that its sender read it from; null where it came from none. */
  readonly offset: number | null;
}

export interface LogRow extends Omit<LogEntry, "offset"> {
  /** The place in the shard, from 1, without gaps between rows that were appended together. */
  readonly seq: number;
  readonly epoch: number;
  readonly arrivedAtMs: number;
}

export interface AppendOptions {
  readonly nowMs: number;
  /** For each source with ids in the request, how long an id is remembered, in event time. */
  readonly redeliveryHorizonMs: ReadonlyMap<string, number>;
  /** Where the sender named its request: the same one appends once. */
  readonly request?: NamedRequest;
  /** For each source whose entries carry offsets, the part of a partition that they are. */
  readonly partitions?: readonly PartitionRange[];
}

/** A request by the name its sender gave it. */
export interface NamedRequest {
  readonly key: string;
  /** Of all that it asks for: the same key with another content is refused. */
  readonly contentHash: string;
  /** Until when the shard must know it: a repeat after that must be refused by the caller. */
  readonly keepUntilMs: number;
}

/** What a sender read of one partition: from one offset on, up to and without another. */
export interface PartitionRange {
  readonly source: string;
  readonly partition: string;
  readonly fromOffset: number;
  readonly nextOffset: number;
}

export interface AppendResult {
  /**
   * What became of each entry, in order. A repeat is an entry whose id, offset or request is known.
   * A conflict is a repeat of an id with another body: the first one stays.
   */
  readonly outcomes: readonly ("appended" | "repeat" | "conflict")[];
}

export interface LogRange {
  readonly afterSeq: number;
  readonly epochMax: number;
  readonly rowsMax: number;
}

export interface TrimOptions {
  /** Rows that arrived from this instant on are kept for `follow`; none where it is left out. */
  readonly keepFromMs?: number;
}

export interface FollowRange {
  readonly afterSeq: number;
  readonly rowsMax: number;
}

export interface FollowedRows {
  /** Ascending, bounded as those of `read` are. */
  readonly rows: readonly LogRow[];
  /** The last row that is kept no more, and its epoch; 0 and -1 before there was one. */
  readonly forgotten: { readonly seq: number; readonly epoch: number };
}

export interface Epoch {
  readonly epoch: number;
  readonly startedAtMs: number;
  /**
   * The views that have, or may come to have, batch records whose cut is this epoch; null where it
   * is not known, as while the epoch is open. Partials of two epochs of a view may become one where
   * none of its records can ever be cut between them.
   */
  readonly cutOf: readonly string[] | null;
}

export interface Seal {
  readonly epoch: number;
  readonly nowMs: number;
  /** The views that take this epoch as their cut. */
  readonly cutOf: readonly string[];
}

/** Up to where a source is closed to events whose ids are not known. */
export interface ClosedSource {
  /** Every event before `beforeMs` that is in the log is of this epoch or an earlier one. */
  readonly epoch: number;
  readonly beforeMs: number;
}

export interface EventLogShard {
  /**
   * Appends every entry that is not a repeat, or none.
   *
   * @throws FeatureError RESOURCE_EXHAUSTED when the memory for ids, requests and partitions is full;
   *   TOO_LATE for an event with an id that is not known and as old as one that was forgotten, which
   *   a clock that jumps can bring about; KEY_REUSED for a known request key with another content;
   *   CONFLICT for a partition range that starts past the next offset, naming that offset.
   */
  append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult>;
  /**
   * Rows after `afterSeq` that were not trimmed, in order, of epochs up to `epochMax`: at most
   * `rowsMax` of them, and no further one past `limits.logPageBytesMax` bytes. None are left where
   * there is none in the answer.
   */
  read(range: LogRange): Promise<readonly LogRow[]>;
  /**
   * Ends every epoch up to `seal.epoch`: later rows belong to a later one. Repeating it changes
   * nothing, but that it settles `cutOf` of an epoch that ended with a later one.
   */
  seal(seal: Seal): Promise<void>;
  currentEpoch(): Promise<Epoch>;
  /** The epochs from `epochMin` on, ascending. */
  epochs(epochMin: number): Promise<readonly Epoch[]>;
  appliedSeq(): Promise<number>;
  setAppliedSeq(seq: number): Promise<void>;
  /** Takes rows of epochs up to `epoch` that have been applied out of what `read` gives; ids stay. */
  trim(epoch: number, options?: TrimOptions): Promise<void>;
  /** Rows for whoever follows the log: trimmed ones too, as long as they are kept. */
  follow(range: FollowRange): Promise<FollowedRows>;
  /**
   * Events of a source before an instant count as forgotten from now on: `append` refuses them,
   * whatever its clock, unless their id is known. Resolves with the epoch that is open, and with the
   * instant, or a later one where the source was closed further already.
   */
  closeBefore(source: string, beforeMs: number): Promise<ClosedSource>;
  /**
   * For each view, by fingerprint, the epoch up to which its stream records lack events of this
   * shard: -1 for one that was there before the first row, else the epoch that was open when the
   * shard first met it. What it answers once it answers for good.
   */
  viewFloors(fingerprints: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
