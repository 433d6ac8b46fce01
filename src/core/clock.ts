/** Time as the code gets it: a host's, or a simulation's. */

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /**
   * Resolves after a time, in milliseconds.
   * @throws the signal's reason as soon as it is aborted.
   */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
