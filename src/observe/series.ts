/** What is measured under one set of labels. */

/** Only ever grows, from the start of this process on. */
export class Counter {
  value = 0;

  add(amount: number): void {
    this.value += amount;
  }

  /** To what someone else has counted: no less than before. */
  reach(value: number): void {
    this.value = Math.max(this.value, value);
  }
}

/** As it was measured last; null while it is not known. */
export class Gauge {
  value: number | null = null;

  set(value: number | null): void {
    this.value = value;
  }
}

/** How many measurements were at most so much, for each of some bounds, and their sum. */
export class Histogram {
  /** Ascending. */
  readonly bounds: readonly number[];
  /** How many fell between a bound and the one before it; the last is of those past every bound. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** A negative value, which two clocks that disagree can bring about, counts as 0. */
  observe(value: number): void {
    const measured = Math.max(0, value);
    let i = 0;
    while (i < this.bounds.length && measured > (this.bounds[i] as number)) i += 1;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += measured;
  }
}
