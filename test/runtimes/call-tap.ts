/**
 * Counts calls on their way to a store. It lets none of them through before all that are expected
 * have come: so calls of which one waits for another's answer are found out.
 */

import { setTimeout } from "node:timers/promises";

export interface CallCounts {
  readonly callCount: number;
  /** Whether all calls that were expected came before any of them was answered. */
  readonly isOneRound: boolean;
}

const gatherMsMax = 2_000;

export class CallTap {
  #callCount = 0;
  #expectedCount = 0;
  #gather = Promise.withResolvers<boolean>();

  /** Counts from here on. */
  expect(callCount: number): void {
    this.#callCount = 0;
    this.#expectedCount = callCount;
    this.#gather = Promise.withResolvers();
    if (callCount === 0) this.#gather.resolve(true);
  }

  /** Resolves when the call may go on. */
  async pass(): Promise<void> {
    this.count();
    const { promise } = this.#gather;
    const timeout = new AbortController();
    await Promise.race([promise, this.#giveUp(timeout.signal)]);
    timeout.abort();
  }

  /** A call that is answered before it returns. */
  count(): void {
    this.#callCount += 1;
    if (this.#callCount === this.#expectedCount) this.#gather.resolve(true);
  }

  /** Since `expect`, once the answer is there. */
  async counts(): Promise<CallCounts> {
    this.#gather.resolve(false);
    return { callCount: this.#callCount, isOneRound: await this.#gather.promise };
  }

  async #giveUp(signal: AbortSignal): Promise<void> {
    const { resolve } = this.#gather;
    const isOver = await setTimeout(gatherMsMax, true, { signal }).catch(() => false);
    if (isOver) resolve(false);
  }
}
