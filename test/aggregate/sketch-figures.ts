/** How far off sketches are: many runs of random values, in figures. */

import { functionNamed } from "../../src/aggregate/functions.ts";
import { registerBitsOf } from "../../src/aggregate/sketches/approx-count-distinct.ts";
import { hashScalar } from "../../src/aggregate/sketches/hash-scalar.ts";
import type { Hash64 } from "../../src/aggregate/sketches/hash-scalar.ts";
import { HyperLogLog } from "../../src/aggregate/sketches/hyper-log-log.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { Random } from "../builders/random.ts";

/** Among them the ones on either side of where registers are added. */
export const precisions = [4, 8, 9, 10, 16] as const;

/** Cardinalities at which a growing sketch is asked. */
const checkpoints = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000] as const;

/** Errors in sigmas of the precision, 1.04/√2^p, over all runs that reached a cardinality. */
export interface CountFigures {
  readonly precision: number;
  readonly cardinality: number;
  readonly runs: number;
  readonly rootMeanSquare: number;
  readonly mean: number;
  /** The part of the runs that was within three sigmas. */
  readonly withinThree: number;
}

/** The hashes of the next distinct value, and of whatever repeats come with it. */
export type HashShape = (random: Random) => (i: number) => readonly Hash64[];

const word = 2 ** 32;

/** What hashes are to look like, whatever the values were. */
export function randomHashes(random: Random): (i: number) => readonly Hash64[] {
  return () => [{ high: random.integer(0, word), low: random.integer(0, word) }];
}

export const valueShapes: Readonly<Record<string, HashShape>> = {
  "sequential ints": (random) => {
    const first = random.integer(0, 2 ** 50);
    return (i) => [hashScalar("int64", first + i)];
  },
  "random strings": (random) => () => [hashScalar("string", `${random.next()}${random.next()}`)],
  "skewed duplicates": (random) => {
    const prefix = `m${random.integer(0, word)}`;
    return (i) =>
      [i, Math.floor(i * random.next() ** 4), Math.floor(i * random.next() ** 8)].map((each) =>
        hashScalar("string", `${prefix}-${each}`),
      );
  },
};

/** Figures for each precision and each cardinality up to the greatest. */
export function measureCounts(
  shape: HashShape,
  random: Random,
  { runs, cardinalityMax }: { readonly runs: number; readonly cardinalityMax: number },
): CountFigures[] {
  const asked = checkpoints.filter((cardinality) => cardinality <= cardinalityMax);
  const errors = precisions.map(() => asked.map((): number[] => []));
  for (let run = 0; run < runs; run++) {
    const sketches = precisions.map((precision) => new HyperLogLog(registerBitsOf(precision)));
    const hashesOf = shape(random);
    for (let i = 0, next = 0; i < cardinalityMax; i++) {
      for (const hash of hashesOf(i)) sketches.forEach((sketch) => sketch.addHash(hash));
      const cardinality = asked[next] as number;
      if (i + 1 !== cardinality) continue;
      precisions.forEach((precision, place) => {
        const estimate = (sketches[place] as HyperLogLog).estimate();
        errors[place]?.[next]?.push((estimate / cardinality - 1) / sigmaOf(precision));
      });
      next += 1;
    }
  }
  return precisions.flatMap((precision, place) =>
    asked.map((cardinality, i) => ({
      precision,
      cardinality,
      ...figuresOf(errors[place]?.[i] as number[]),
    })),
  );
}

export function sigmaOf(precision: number): number {
  return 1.04 / Math.sqrt(2 ** precision);
}

export function figuresOf(
  errors: readonly number[],
): Omit<CountFigures, "precision" | "cardinality"> {
  const runs = errors.length;
  return {
    runs,
    rootMeanSquare: Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / runs),
    mean: errors.reduce((sum, error) => sum + error, 0) / runs,
    withinThree: errors.filter((error) => Math.abs(error) <= 3).length / runs,
  };
}

type ColumnShape = readonly [type: "int64" | "float64", valueOf: (random: Random) => Scalar];

/** A normal deviate, by Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export const columnShapes: Readonly<Record<string, ColumnShape>> = {
  uniform: ["float64", (random) => random.next() * 1000],
  lognormal: ["float64", (random) => Math.exp(normal(random))],
  pareto: ["float64", (random) => (1 - random.next()) ** -1.5],
  negative: ["float64", (random) => -Math.exp(3 * normal(random))],
  "both signs and zeros": [
    "float64",
    (random) => (random.next() < 0.3 ? 0 : normal(random) * random.pick([1e-6, 1, 1e6])),
  ],
  "tiny and huge": [
    "float64",
    (random) => (random.next() - 0.5) * random.pick([1e-300, 1e-9, 1, 1e9, 1e300, 1.7e308]),
  ],
  constant: ["float64", () => 12.34],
  "small int64": ["int64", (random) => Math.floor(Math.exp(3 * Math.abs(normal(random))))],
  "int64 past 2^53": [
    "int64",
    (random) => BigInt(random.integer(1, word)) * BigInt(random.integer(2 ** 29, 2 ** 31 - 1)),
  ],
};

export interface PercentileFigures {
  /** The greatest error of any percentile, as a part of the accuracy: 1 is all that is allowed. */
  readonly worst: number;
  readonly binCount: number;
}

/** Every percentile from 0 to 1 in steps, against the exact value of its rank. */
export function measurePercentiles(
  [type]: ColumnShape,
  values: readonly Scalar[],
  { accuracy, stepCount }: { readonly accuracy: number; readonly stepCount: number },
): PercentileFigures {
  const aggregate = functionNamed("approx_percentile");
  const [algebra] = aggregate.bind(type, 0, accuracy).states;
  if (algebra === undefined) throw new Error("Cannot measure percentiles: they have no state");
  const state = algebra.empty();
  for (const value of values) algebra.addInto(state, value, { timestampMs: 0, tie: "" });
  const sorted = Float64Array.from(values, Number).sort();
  let worst = 0;
  for (let step = 0; step <= stepCount; step++) {
    const p = step / stepCount;
    const exact = sorted[Math.floor(p * (sorted.length - 1))] as number;
    const answer = aggregate.bind(type, p, accuracy).finish([state]) as number;
    const error = exact === 0 ? Math.abs(answer) : Math.abs(answer - exact) / Math.abs(exact);
    worst = Math.max(worst, error / accuracy);
  }
  return { worst, binCount: (state as ReadonlyMap<number, number>).size };
}
