/** Keeps retries a small share of the requests, so that they do not finish a server that is down. */

import { clientLimits } from "./client-limits.ts";

/**
 * Every request earns a share of a token, every retry takes one: with a share of 0.1 at most a tenth
 * of the requests is sent again, save for the first few.
 */
export class RetryBudget {
  readonly #share: number;
  #tokens: number = clientLimits.retryTokensMax;

  constructor(share: number) {
    this.#share = share;
  }

  earn(): void {
    this.#tokens = Math.min(clientLimits.retryTokensMax, this.#tokens + this.#share);
  }

  /** False where there is no token left. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
