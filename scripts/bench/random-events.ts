/** Events of benches: uniform in time, amounts with two decimals, from a seed. */

export interface BenchEvent {
  readonly [column: string]: string | number;
  readonly ts: number;
}

export interface EventsOptions {
  readonly user: string;
  readonly count: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly seed: number;
}

export function* randomEvents(options: EventsOptions): Generator<BenchEvent> {
  const { user, count, startMs, endMs } = options;
  let state = options.seed | 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < count; i++) {
    yield {
      ts: Math.floor(startMs + ((endMs - startMs) * i) / count),
      id: `${user}-${startMs}-${i}`,
      user_id: user,
      amount: Math.round(next() * 100_000) / 100,
      quantity: Math.floor(next() * 20),
    };
  }
}
