/** How a resilient reader waits, asks again and gives up. */

export interface ResilienceOptions {
  /**
   * How long one attempt may take before it counts as failed. Less than half of a request's deadline:
   * of a read that its request ends, nobody knows whether the store would have answered.
   */
  readonly attemptMsMax: number;
  /** After this time without an answer a second attempt is made beside the first. */
  readonly hedgeAfterMs: number;
  /** Hedges a read, at most: a store that is slow as a whole gets few more calls. */
  readonly hedgeShareMax: number;
  /** Retries a read, at most. */
  readonly retryShareMax: number;
  /** A retry comes after a random part of this time: reads that failed together come back apart. */
  readonly retryDelayMsMax: number;
  /** Hedges, and retries, that may be saved up for a bad moment. */
  readonly savedCallsMax: number;
  /** So many failures in a row, and a reader is left alone. */
  readonly failuresInRowMax: number;
  /** How long it is left alone before one read tries it again. */
  readonly openMs: number;
}

/** Two attempts and the pause between them fit into a deadline of 2,000 ms. */
export const resilienceDefaults: ResilienceOptions = {
  attemptMsMax: 500,
  hedgeAfterMs: 40,
  hedgeShareMax: 0.05,
  retryShareMax: 0.1,
  retryDelayMsMax: 50,
  savedCallsMax: 10,
  failuresInRowMax: 5,
  openMs: 250,
};
