/** How many requests each principal may still make: an allowance that refills as time passes. */

import { limits } from "../core/limits.ts";
import type { RateLimit } from "./principal.ts";

interface Allowance {
  /** Below 0 after a batch of more rows than were left: it is paid back before the next request. */
  left: number;
  asOfMs: number;
}

/** Of one process: a principal that asks several has as much at each. */
export class Allowances {
  /** In the order in which they were used last. */
  readonly #byPrincipal = new Map<string, Allowance>();

  /** Takes for one request: 0, or after how many milliseconds there is enough for one. */
  take(principal: string, rateLimit: RateLimit, nowMs: number): number {
    const allowance = this.#of(principal, rateLimit, nowMs);
    if (allowance.left < 1) return ((1 - allowance.left) / rateLimit.requestsPerSecond) * 1_000;
    allowance.left -= 1;
    return 0;
  }

  /** Takes for more that a request turned out to be, whether there is enough or not. */
  charge(principal: string, count: number): void {
    const allowance = this.#byPrincipal.get(principal);
    if (allowance !== undefined) allowance.left -= count;
  }

  #of(principal: string, { requestsPerSecond, burst }: RateLimit, nowMs: number): Allowance {
    const known = this.#byPrincipal.get(principal) ?? { left: burst, asOfMs: nowMs };
    const passedMs = Math.max(0, nowMs - known.asOfMs);
    known.left = Math.min(burst, known.left + (passedMs / 1_000) * requestsPerSecond);
    known.asOfMs = nowMs;
    this.#byPrincipal.delete(principal);
    this.#byPrincipal.set(principal, known);
    const [oldest] = this.#byPrincipal.keys();
    if (this.#byPrincipal.size > limits.principalsCountedMax && oldest !== undefined) {
      this.#byPrincipal.delete(oldest);
    }
    return known;
  }
}
