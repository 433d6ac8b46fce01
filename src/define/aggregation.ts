/** The aggregations a view lists under its columns: `sum("1h")`, `lastDistinct(10, "7d")`. */

import type { Duration } from "../core/duration.ts";
import type { ScalarType } from "../core/value.ts";

/** A window's length: a duration in its canonical form (`1d`, not `24h`), or `lifetime`. */
export type WindowText = Duration | "lifetime";

/** How far back from the lead a window ends, with its sign: `-1d`. */
export type OffsetText = `-${Duration}`;

/** The column types each function takes. */
export interface FunctionInputs {
  readonly count: ScalarType;
  readonly sum: "int64" | "float64";
  readonly mean: "int64" | "float64";
  readonly min: Exclude<ScalarType, "boolean">;
  readonly max: Exclude<ScalarType, "boolean">;
  readonly var_pop: "int64" | "float64";
  readonly var_samp: "int64" | "float64";
  readonly stddev_pop: "int64" | "float64";
  readonly stddev_samp: "int64" | "float64";
  readonly last: ScalarType;
  readonly first: ScalarType;
  readonly last_distinct: Exclude<ScalarType, "float64">;
  readonly first_distinct: Exclude<ScalarType, "float64">;
}

export type FunctionName = keyof FunctionInputs;

/** The functions that take a column of this type. */
export type FunctionNameFor<Type extends ScalarType> = {
  [Name in FunctionName]: Type extends FunctionInputs[Name] ? Name : never;
}[FunctionName];

/** One function over one window; the column is the key it stands under in `features`. */
export interface Aggregation<
  Name extends FunctionName = FunctionName,
  Count extends number | null = number | null,
  Window extends string = string,
  Offset extends string | null = string | null,
> {
  readonly kind: "aggregation";
  readonly functionName: Name;
  readonly n: Count;
  readonly window: Window;
  readonly offset: Offset;
  readonly description: string | null;
}

export interface AggregationOptions<Offset extends OffsetText | null = OffsetText | null> {
  /** Moves the window into the past: `-1d` ends it one day before the lead. */
  readonly offset?: Offset;
  readonly description?: string;
}

/** A helper of a function without a count: `sum("1h")`, `sum("1d", { offset: "-1d" })`. */
export type WindowAggregation<Name extends FunctionName> = <
  Window extends WindowText,
  Offset extends OffsetText | null = null,
>(
  window: Window,
  options?: AggregationOptions<Offset>,
) => Aggregation<Name, null, Window, Offset>;

/** A helper of a function with a count n from 1 to 1000: `lastDistinct(10, "7d")`. */
export type CountedAggregation<Name extends FunctionName> = <
  Count extends number,
  Window extends WindowText,
  Offset extends OffsetText | null = null,
>(
  n: Count,
  window: Window,
  options?: AggregationOptions<Offset>,
) => Aggregation<Name, Count, Window, Offset>;

/** `last("1h")` is one value, `last(5, "1h")` the last five, oldest first. */
export type OptionallyCountedAggregation<Name extends FunctionName> = WindowAggregation<Name> &
  CountedAggregation<Name>;

/** Rows whose column is not null. */
export const count = windowAggregation("count");
/** The sum: exact for int64, correctly rounded for float64. */
export const sum = windowAggregation("sum");
/** The exact sum divided by the count. */
export const mean = windowAggregation("mean");
/** The least value: numbers by value, strings by their UTF-8 bytes. */
export const min = windowAggregation("min");
/** The greatest value: numbers by value, strings by their UTF-8 bytes. */
export const max = windowAggregation("max");
/** The population variance. */
export const varPop = windowAggregation("var_pop");
/** The sample variance; null of one row. */
export const varSamp = windowAggregation("var_samp");
/** The population standard deviation. */
export const stddevPop = windowAggregation("stddev_pop");
/** The sample standard deviation; null of one row. */
export const stddevSamp = windowAggregation("stddev_samp");
/** The value of the last event, or with a count the values of the last n, oldest first. */
export const last = optionallyCountedAggregation("last");
/** The value of the first event, or with a count the values of the first n, oldest first. */
export const first = optionallyCountedAggregation("first");
/** The n distinct values that occurred last, by their last occurrence, oldest first. */
export const lastDistinct = countedAggregation("last_distinct");
/** The n distinct values that occurred first, by their first occurrence, oldest first. */
export const firstDistinct = countedAggregation("first_distinct");

function windowAggregation<Name extends FunctionName>(name: Name): WindowAggregation<Name> {
  return (window, options = {}) => createAggregation(name, null, { ...options, window });
}

function countedAggregation<Name extends FunctionName>(name: Name): CountedAggregation<Name> {
  return (n, window, options = {}) => createAggregation(name, n, { ...options, window });
}

function optionallyCountedAggregation<Name extends FunctionName>(
  name: Name,
): OptionallyCountedAggregation<Name> {
  const plain = windowAggregation(name);
  const counted = countedAggregation(name);
  function aggregate(...given: unknown[]): unknown {
    return typeof given[0] === "number"
      ? counted(...(given as Parameters<typeof counted>))
      : plain(...(given as Parameters<typeof plain>));
  }
  return aggregate as OptionallyCountedAggregation<Name>;
}

interface WindowOptions<
  Window extends string,
  Offset extends OffsetText | null,
> extends AggregationOptions<Offset> {
  readonly window: Window;
}

/** Nothing is checked here: the view names itself and the column in its errors. */
function createAggregation<
  Name extends FunctionName,
  Count extends number | null,
  Window extends string,
  Offset extends OffsetText | null,
>(
  functionName: Name,
  n: Count,
  options: WindowOptions<Window, Offset>,
): Aggregation<Name, Count, Window, Offset> {
  return {
    kind: "aggregation",
    functionName,
    n,
    window: options.window,
    offset: (options.offset ?? null) as Offset,
    description: options.description ?? null,
  };
}
