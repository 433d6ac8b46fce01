/** The errors of sketches as a command: prints the figures of many runs, and fails where they are too great. */

import { Command, InvalidArgumentError } from "commander";
import { randomFrom } from "../builders/random.ts";
import {
  columnShapes,
  measureCounts,
  measurePercentiles,
  randomHashes,
  valueShapes,
} from "./sketch-figures.ts";
import type { HashShape } from "./sketch-figures.ts";

interface SketchOptions {
  readonly runs: number;
  readonly seed: number;
}

const rowCount = 100_000;
const cardinalityMax = 100_000;

const command = new Command("sketches")
  .description("Measures how far off approx_count_distinct and approx_percentile are")
  .option("--runs <count>", "runs for each shape of values", readCount, 1_000)
  .option("--seed <seed>", "of the random values", readCount, 1)
  .action((options: SketchOptions) => {
    const isGood = [measureAllCounts(options), measureAllPercentiles(options)].every(Boolean);
    process.exitCode = isGood ? 0 : 1;
  });
command.parse();

function measureAllCounts({ runs, seed }: SketchOptions): boolean {
  let isGood = true;
  const shapes: Readonly<Record<string, HashShape>> = {
    "random hashes": randomHashes,
    ...valueShapes,
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const random = randomFrom(seed);
    for (const figures of measureCounts(shape, random, { runs, cardinalityMax })) {
      const isWithin = figures.rootMeanSquare <= 1.1 && figures.withinThree >= 0.99;
      isGood &&= isWithin;
      print(
        `approx_count_distinct(${figures.precision}) of ${figures.cardinality} ${name}: ` +
          `rms ${figures.rootMeanSquare.toFixed(3)} sigma, mean ${figures.mean.toFixed(3)} sigma, ` +
          `within 3 sigma ${(100 * figures.withinThree).toFixed(1)} %${isWithin ? "" : "  TOO FAR OFF"}`,
      );
    }
  }
  return isGood;
}

function measureAllPercentiles({ seed }: SketchOptions): boolean {
  let isGood = true;
  for (const [name, shape] of Object.entries(columnShapes)) {
    const random = randomFrom(seed);
    const values = Array.from({ length: rowCount }, () => shape[1](random));
    for (const accuracy of [0.001, 0.01, 0.1]) {
      const { worst, binCount } = measurePercentiles(shape, values, {
        accuracy,
        stepCount: 1_000,
      });
      isGood &&= worst <= 1;
      print(
        `approx_percentile of ${name}, accuracy ${accuracy}: worst error ${worst.toFixed(4)} of it, ` +
          `${binCount} bins${worst <= 1 ? "" : "  TOO FAR OFF"}`,
      );
    }
  }
  return isGood;
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("expected a whole number above 0");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
