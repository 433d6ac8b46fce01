/** Side-by-side measuring: rounds alternate, medians and their spread come out. */

export interface Figure {
  readonly value: number;
  readonly unit: string;
  /** The smallest and the largest of the rounds. */
  readonly spread: readonly [number, number];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export function figureOf(rounds: readonly number[], unit: string): Figure {
  return {
    value: rounded(median(rounds)),
    unit,
    spread: [rounded(Math.min(...rounds)), rounded(Math.max(...rounds))],
  };
}

/** Runs two things in turn, round by round, and gives the ratio of each round: first over second. */
export async function ratioRounds(
  rounds: number,
  first: () => Promise<number> | number,
  second: () => Promise<number> | number,
): Promise<number[]> {
  await first();
  await second();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // Which of the two goes first changes from round to round.
    if (round % 2 === 0) {
      const numerator = await first();
      ratios.push(numerator / (await second()));
    } else {
      const denominator = await second();
      ratios.push((await first()) / denominator);
    }
  }
  return ratios;
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
