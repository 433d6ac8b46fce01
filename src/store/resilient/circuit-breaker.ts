/**
 * Stops asking a store that fails, so that reads fail over at once and the store can recover:
 *
 *   closed ── failures in a row ──► open ── after a pause ──► half-open: one probe
 *     ▲                              ▲                              │
 *     └───────── it answers ─────────┼──────────────────────────────┤
 *                                    └──────────── it fails ────────┘
 *
 * Failures in a row are counted and not their share: a store that answers every other read is still
 * worth asking, and retries within their budget make up for the rest.
 */

export interface CircuitBreakerOptions {
  readonly failuresInRowMax: number;
  /** How long a store is left alone before it is tried again. */
  readonly openMs: number;
  /**
   * After this time a probe is given up on, and another may be made. A host that drops a request
   * drops the probe with it, and nothing ever tells of its end.
   */
  readonly probeMs: number;
  readonly onChange?: (change: "open" | "halfOpen" | "close") => void;
}

/** Leave to ask the store once; to be given back with what came of it. */
export interface Permit {
  readonly phase: number;
}

export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #failuresInRow = 0;
  /** While it is set the store is not asked. */
  #pause: { readonly sinceMs: number; readonly durationMs: number } | null = null;
  /** Counts openings and probes: what was asked before the last of them tells nothing any more. */
  #phase = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** Null where the store is not to be asked. */
  admit(nowMs: number): Permit | null {
    if (this.#pause === null) return { phase: this.#phase };
    const elapsedMs = nowMs - this.#pause.sinceMs;
    // A clock that was set back must not keep the store shut out.
    if (elapsedMs >= 0 && elapsedMs < this.#pause.durationMs) return null;
    this.#pauseFrom(nowMs, this.#options.probeMs);
    this.#options.onChange?.("halfOpen");
    return { phase: this.#phase };
  }

  /** `cancelled`: the read was given up for a reason that says nothing of the store. */
  settle(permit: Permit, outcome: "answered" | "failed" | "cancelled", nowMs: number): void {
    if (permit.phase !== this.#phase) return;
    if (outcome === "answered") this.#close();
    else if (outcome === "failed") this.#countFailure(nowMs);
    else if (this.#pause !== null) this.#pause = { sinceMs: nowMs, durationMs: 0 };
  }

  #close(): void {
    this.#failuresInRow = 0;
    if (this.#pause === null) return;
    this.#pause = null;
    this.#options.onChange?.("close");
  }

  #countFailure(nowMs: number): void {
    this.#failuresInRow += 1;
    const isProbe = this.#pause !== null;
    if (!isProbe && this.#failuresInRow < this.#options.failuresInRowMax) return;
    this.#pauseFrom(nowMs, this.#options.openMs);
    this.#options.onChange?.("open");
  }

  #pauseFrom(sinceMs: number, durationMs: number): void {
    this.#pause = { sinceMs, durationMs };
    this.#phase += 1;
  }
}
