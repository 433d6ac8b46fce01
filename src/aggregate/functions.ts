/** The table of aggregate functions, by the names that features carry. */

import { DefinitionError } from "../core/errors.ts";
import type { AggregateFunction } from "./aggregate.ts";
import { count } from "./count.ts";
import { firstDistinct, lastDistinct } from "./distinct.ts";
import { max, min } from "./extreme.ts";
import { first, last } from "./last-first.ts";
import { mean } from "./mean.ts";
import { approxCountDistinct } from "./sketches/approx-count-distinct.ts";
import { approxPercentile } from "./sketches/approx-percentile.ts";
import { sum } from "./sum.ts";
import { histogram, topK } from "./value-counts.ts";
import { stddevPop, stddevSamp, varPop, varSamp } from "./variance.ts";

const functions: readonly AggregateFunction[] = [
  count,
  sum,
  mean,
  min,
  max,
  varPop,
  varSamp,
  stddevPop,
  stddevSamp,
  last,
  first,
  lastDistinct,
  firstDistinct,
  approxCountDistinct,
  approxPercentile,
  topK,
  histogram,
];

export const aggregateFunctions: ReadonlyMap<string, AggregateFunction> = new Map(
  functions.map((aggregate) => [aggregate.name, aggregate]),
);

/** @throws DefinitionError when there is none of that name. */
export function functionNamed(name: string): AggregateFunction {
  const found = aggregateFunctions.get(name);
  if (found !== undefined) return found;
  throw new DefinitionError(
    `Cannot find the function "${name}": there is none of that name, expected one of ${[...aggregateFunctions.keys()].join(", ")}`,
  );
}
