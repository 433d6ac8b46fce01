/**
 * Counts calls on their way to a store. It lets none of them through before all that are expected
 * have come: so calls of which one waits for another's answer are found out.
 */

export interface CallCounts {
  readonly callCount: number;
  /** Whether all calls that were expected came before any of them was answered. */
  readonly isOneRound: boolean;
}

const gatherMsMax = 2_000;

/** Closed until it is known whether all calls came. */
interface Gate {
  readonly opened: Promise<boolean>;
  open(isOneRound: boolean): void;
}

export class CallTap {
  #callCount = 0;
  #expectedCount = 0;
  #gate: Gate = createGate();

  /** Counts from here on. */
  expect(callCount: number): void {
    this.#callCount = 0;
    this.#expectedCount = callCount;
    this.#gate = createGate();
    if (callCount === 0) this.#gate.open(true);
  }

  /** Resolves when the call may go on. */
  async pass(): Promise<void> {
    this.count();
    const { opened, open } = this.#gate;
    const timer = setTimeout(() => open(false), gatherMsMax);
    await opened;
    clearTimeout(timer);
  }

  /** A call that is answered before it returns. */
  count(): void {
    this.#callCount += 1;
    if (this.#callCount === this.#expectedCount) this.#gate.open(true);
  }

  /** Since `expect`, once the answer is there. */
  async counts(): Promise<CallCounts> {
    this.#gate.open(false);
    return { callCount: this.#callCount, isOneRound: await this.#gate.opened };
  }
}

function createGate(): Gate {
  let open: Gate["open"] = () => undefined;
  const opened = new Promise<boolean>((resolve) => (open = resolve));
  return { opened, open };
}
