/** Seeded randomness for tests: a failing case prints its seed and runs again alone. */

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** An integer in [from, until). */
  integer(from: number, until: number): number;
  pick<T>(items: readonly T[]): T;
  shuffled<T>(items: readonly T[]): T[];
}

/** mulberry32: 32 bits of state are enough to vary test cases. */
export function randomFrom(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (from: number, until: number) => from + Math.floor(next() * (until - from));
  return {
    next,
    integer,
    pick: (items) => items[integer(0, items.length)] as (typeof items)[number],
    shuffled: (items) => {
      const result = [...items];
      for (let i = result.length - 1; i > 0; i--) {
        const j = integer(0, i + 1);
        [result[i], result[j]] = [
          result[j] as (typeof items)[number],
          result[i] as (typeof items)[number],
        ];
      }
      return result;
    },
  };
}

/** Runs a property for many seeds; the error of a failing one names its seed. */
export function forSeeds(count: number, property: (random: Random, seed: number) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      property(randomFrom(seed), seed);
    } catch (error) {
      throw new Error(`Property fails for seed ${seed}`, { cause: error });
    }
  }
}
