/** Events of the suite, and by brute force the features that they come to. */

import { randomFrom } from "../builders/random.ts";

export interface Purchase {
  readonly id: string;
  readonly tsMs: number;
  readonly customer_id: string;
  readonly amount: number;
  readonly cents: number;
}

export type Features = Readonly<Record<string, unknown>>;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The instant of the suite's requests: half an hour after the newest edge of a window. */
export const nowMs = Date.UTC(2026, 0, 15, 12, 30);

/** Over the six days before `nowMs`, the half hour that no window holds yet included. */
export function randomPurchases(
  customer_id: string,
  { count, seed }: { readonly count: number; readonly seed: number },
): Purchase[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, i) => ({
    id: `${customer_id}-${seed}-${i}`,
    tsMs: nowMs - random.integer(1, 6 * dayMs),
    customer_id,
    // Of quarters, so that no sum here is rounded.
    amount: random.integer(1, 4_000) / 4,
    cents: random.integer(-5_000, 5_000),
  }));
}

/** As the wire has them, by name. */
export function expectedFeatures(all: readonly Purchase[], requestAmount: number): Features {
  const leadMs = Math.floor(nowMs / hourMs) * hourMs;
  const within = (windowMs: number) =>
    all.filter(({ tsMs }) => leadMs - windowMs <= tsMs && tsMs < leadMs);
  const amounts = within(dayMs).map(({ amount }) => amount);
  const recent = within(5 * dayMs).sort((a, b) => a.tsMs - b.tsMs);
  const ever = within(Infinity);
  const largest = recent.length === 0 ? null : Math.max(...recent.map(({ amount }) => amount));
  return {
    "basket.over_max": largest === null ? null : requestAmount / largest,
    "spend.amount_count_lifetime_1h": String(ever.length),
    "spend.amount_max_5d_1h": largest,
    "spend.amount_sum_1d_1h": amounts.length === 0 ? null : total(amounts),
    "spend.cents_last_5d_1h": textOf(recent.at(-1)?.cents),
    "spend.cents_sum_lifetime_1h": textOf(
      ever.length === 0 ? undefined : total(ever.map(({ cents }) => cents)),
    ),
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}

function textOf(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}
