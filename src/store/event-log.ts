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
  /** The columns of the source in their order; null where there is none. */
  readonly body: Uint8Array;
}

export interface LogRow extends LogEntry {
  /** The place in the shard, from 1, without gaps between rows that were appended together. */
  readonly seq: number;
  readonly epoch: number;
  readonly arrivedAtMs: number;
}

export interface AppendOptions {
  readonly nowMs: number;
  /** For each source with ids in the request, how long an id is remembered, in event time. */
  readonly redeliveryHorizonMs: ReadonlyMap<string, number>;
}

export interface AppendResult {
  /** What became of each entry, in order. A conflict is a repeat of an id with another body. */
  readonly outcomes: readonly ("appended" | "repeat" | "conflict")[];
}

export interface LogRange {
  readonly afterSeq: number;
  readonly epochMax: number;
  readonly rowsMax: number;
}

export interface Epoch {
  readonly epoch: number;
  readonly startedAtMs: number;
}

export interface EventLogShard {
  /**
   * Appends every entry that is not a repeat, or none.
   * @throws FeatureError RESOURCE_EXHAUSTED when the memory for ids is full.
   */
  append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult>;
  /**
   * Rows after `afterSeq`, in order, of epochs up to `epochMax`: at most `rowsMax` of them, and no
   * further one past `limits.logPageBytesMax` bytes. None are left where there is none in the answer.
   */
  read(range: LogRange): Promise<readonly LogRow[]>;
  /** Ends every epoch up to `epoch`: later rows belong to a later one. Repeating it changes nothing. */
  seal(epoch: number, nowMs: number): Promise<void>;
  currentEpoch(): Promise<Epoch>;
  /** The epochs from `epochMin` on, with their beginnings. */
  epochs(epochMin: number): Promise<readonly Epoch[]>;
  appliedSeq(): Promise<number>;
  setAppliedSeq(seq: number): Promise<void>;
  /** Forgets rows of epochs up to `epoch` that have been applied; ids stay. */
  trim(epoch: number): Promise<void>;
}
