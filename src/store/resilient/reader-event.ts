/** What a resilient reader tells of what it does: for counts and logs. */

/** Where an answer comes from. */
export type ReaderSource = "primary" | "replica" | "cache";

export interface ReaderEvent {
  /**
   * - `attempt`: a reader is asked. `hedge`, `failover`, `retry`: why one was asked as a read's second.
   * - `open`: a reader is not asked any more. `halfOpen`: one read tries it. `close`: all ask it.
   * - `stale`: the answer is older than what was written.
   */
  readonly kind:
    "attempt" | "hedge" | "failover" | "retry" | "open" | "halfOpen" | "close" | "stale";
  readonly source: ReaderSource;
}

/** Called while a read goes on; it must not throw. */
export type OnReaderEvent = (event: ReaderEvent) => void;
