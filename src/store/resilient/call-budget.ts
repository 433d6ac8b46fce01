/** How many calls may be made beside those that reads need: a share of the reads, saved up. */

export interface CallBudgetOptions {
  /** Calls that a read adds to the budget: 0.1 is one more call in ten reads. */
  readonly share: number;
  /** Calls that may be saved up, 1 or more; it bounds the burst when a store begins to fail. */
  readonly savedMax: number;
}

/**
 * A store that fails every read is asked `share` more often, never twice as often. One call is there
 * at the start, so that a reader that lives for a few reads has it: over `n` reads at most
 * `n * share + 1` calls are granted.
 */
export class CallBudget {
  readonly #share: number;
  readonly #savedMax: number;
  #saved = 1;

  constructor({ share, savedMax }: CallBudgetOptions) {
    this.#share = share;
    this.#savedMax = savedMax;
  }

  /** To be called once a read. */
  earn(): void {
    this.#saved = Math.min(this.#saved + this.#share, this.#savedMax);
  }

  /** Answers whether a call may be made, which is then taken off. */
  spend(): boolean {
    if (this.#share === 0 || this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}
