/**
 * Virtual time: a heap of (instant, sequence). One event runs at a time, and every microtask that it
 * leads to has run before the next one, so that a run depends on nothing but what was scheduled.
 */

interface Scheduled {
  readonly atMs: number;
  readonly sequence: number;
  readonly label: string;
  readonly run: () => void;
}

/** Immediates queued at a time: Node runs all microtasks between two of them, and polls for nothing. */
const turnsPerRound = 64;

export class Scheduler {
  nowMs: number;
  /** Over every event that ran: two runs of a seed have the same one. */
  hash = 0x811c9dc5;
  steps = 0;
  readonly #heap: Scheduled[] = [];
  readonly #stepsMax: number;
  #sequence = 0;
  #failure: Error | null = null;

  constructor(startMs: number, stepsMax: number) {
    this.nowMs = startMs;
    this.#stepsMax = stepsMax;
  }

  after(delayMs: number, label: string, run: () => void): void {
    this.at(this.nowMs + delayMs, label, run);
  }

  at(atMs: number, label: string, run: () => void): void {
    this.#push({ atMs: Math.max(atMs, this.nowMs), sequence: this.#sequence++, label, run });
  }

  /** For code of the simulator's own actors. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(delayMs, "sleep", resolve);
    });
  }

  mix(value: number): void {
    this.hash = Math.imul(this.hash ^ (value | 0), 0x01000193) >>> 0;
  }

  /** Stops the run: what an event threw would be lost otherwise. */
  fail(error: Error): void {
    this.#failure ??= error;
  }

  /** Whether there are steps left; without an end to come the run fails. */
  count(label: string): boolean {
    this.steps += 1;
    if (this.steps <= this.#stepsMax) return true;
    this.fail(new Error(`${this.#stepsMax} steps and no end, the last of them "${label}"`));
    return false;
  }

  /** Runs until nothing is scheduled; rejects past the limit of steps, which an endless loop meets. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (settle: () => void) => {
        isOver = true;
        settle();
      };
      const turn = () => {
        if (isOver) return;
        const failure = this.#failure;
        if (failure !== null) return end(() => reject(failure));
        const next = this.#pop();
        if (next === undefined) return end(resolve);
        if (!this.count(next.label)) return;
        this.nowMs = next.atMs;
        this.mix(next.atMs);
        this.mix(next.label.length * 31 + next.label.charCodeAt(0));
        next.run();
      };
      const round = () => {
        if (isOver) return;
        for (let i = 0; i < turnsPerRound; i++) setImmediate(turn);
        setImmediate(round);
      };
      round();
    });
  }

  #push(item: Scheduled): void {
    const heap = this.#heap;
    let i = heap.push(item) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(item, heap[parent] as Scheduled)) break;
      heap[i] = heap[parent] as Scheduled;
      i = parent;
    }
    heap[i] = item;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Scheduled)) child += 1;
      if (!isBefore(heap[child] as Scheduled, last)) break;
      heap[i] = heap[child] as Scheduled;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
