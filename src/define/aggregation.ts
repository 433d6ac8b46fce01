/** The aggregations a view lists under its columns: `sum("1h")`, `lastDistinct(10, "7d")`. */

import type { Duration } from "../core/duration.ts";
import type { ScalarType } from "../core/value.ts";

/** A window's length: a duration in its canonical form (`1d`, not `24h`), or `lifetime`. */
export type WindowText = Duration | "lifetime";

/** How far back from the lead a window ends, with its sign: `-1d`. */
export type OffsetText = `-${Duration}`;

/**
 * Several windows of one size in the place of one: their answers make an array, oldest first.
 * Windows and steps fill the series from end to end, or the view is refused.
 */
export interface SeriesOptions {
  /** Where the oldest window starts: `-7d` is seven days before the lead. */
  readonly from: OffsetText;
  /** Where the newest window ends: the lead if left out. */
  readonly to?: OffsetText | "0s";
  /** From one window to the next: the window's own length if left out. */
  readonly step?: Duration;
  /**
   * `step`, if left out, rounds the lead down to a multiple of the step: windows of `1d` are days.
   * `lead` hangs the windows off the lead, as those of other aggregations are.
   */
  readonly align?: "step" | "lead";
}

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
  readonly approx_count_distinct: ScalarType;
  readonly approx_percentile: "int64" | "float64";
  readonly top_k: Exclude<ScalarType, "float64">;
  readonly histogram: Exclude<ScalarType, "float64">;
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
  Series extends SeriesOptions | null = SeriesOptions | null,
> {
  readonly kind: "aggregation";
  readonly functionName: Name;
  readonly n: Count;
  readonly window: Window;
  readonly offset: Offset;
  /** Left out where the window is alone. */
  readonly series?: Series;
  readonly description: string | null;
  /** What was given beside the options that every aggregation takes; left out where nothing was. */
  readonly functionOptions?: Readonly<Record<string, unknown>>;
}

export interface AggregationOptions<
  Offset extends OffsetText | null = OffsetText | null,
  Series extends SeriesOptions | null = SeriesOptions | null,
> {
  /** Moves the window into the past: `-1d` ends it one day before the lead. */
  readonly offset?: Offset;
  /** One answer a window of a series: `{ from: "-7d" }`; without an offset. */
  readonly series?: Series;
  readonly description?: string;
}

export interface PercentileOptions {
  /** How far off an answer may be, as a part of the exact one: 0.001 to 0.1, 0.01 if left out. */
  readonly accuracy?: number;
}

export interface ValueCountOptions {
  /** Distinct values past which the answer is null, with the reason: 1000 if left out, at most 65,536. */
  readonly distinctMax?: number;
}

/** A helper of a function without a count: `sum("1h")`, `sum("1d", { offset: "-1d" })`. */
export type WindowAggregation<Name extends FunctionName, Extra = unknown> = <
  Window extends WindowText,
  Offset extends OffsetText | null = null,
  const Series extends SeriesOptions | null = null,
>(
  window: Window,
  options?: AggregationOptions<Offset, Series> & Extra,
) => Aggregation<Name, null, Window, Offset, Series>;

/** A helper of a function with a number n before the window: `lastDistinct(10, "7d")`. */
export type CountedAggregation<Name extends FunctionName, Extra = unknown> = <
  Count extends number,
  Window extends WindowText,
  Offset extends OffsetText | null = null,
  const Series extends SeriesOptions | null = null,
>(
  n: Count,
  window: Window,
  options?: AggregationOptions<Offset, Series> & Extra,
) => Aggregation<Name, Count, Window, Offset, Series>;

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
/**
 * About how many distinct values there are: exact for a few, then within 1.04/√2^precision at one
 * sigma (6.5 % for the precision 8 that it has if none is given, of 4 to 16).
 *
 * @example approxCountDistinct("7d"); approxCountDistinct(12, "7d");
 */
export const approxCountDistinct = optionallyCountedAggregation("approx_count_distinct");
/**
 * The value below which the part p, from 0 to 1, of the values lies, within a relative accuracy:
 * that of the rank `floor(p * (n - 1))`, counted from 0, of n values in order.
 *
 * @example approxPercentile(0.95, "1d"); approxPercentile(0.5, "1d", { accuracy: 0.001 });
 */
export const approxPercentile = countedAggregation<"approx_percentile", PercentileOptions>(
  "approx_percentile",
);
/**
 * The k values that occur most often, 1 to 1000 of them, each with its exact count; of equal counts
 * the lesser value first. Null, with the reason, in a window with too many distinct values.
 *
 * @example topK(3, "7d"); topK(3, "7d", { distinctMax: 10_000 });
 */
export const topK = countedAggregation<"top_k", ValueCountOptions>("top_k");
/**
 * Every distinct value with its exact count, by value. Null, with the reason, in a window with too
 * many distinct values.
 *
 * @example histogram("7d"); histogram("7d", { distinctMax: 50 });
 */
export const histogram = windowAggregation<"histogram", ValueCountOptions>("histogram");

function windowAggregation<Name extends FunctionName, Extra = unknown>(
  name: Name,
): WindowAggregation<Name, Extra> {
  return (window, options) => createAggregation(name, null, { ...options, window });
}

function countedAggregation<Name extends FunctionName, Extra = unknown>(
  name: Name,
): CountedAggregation<Name, Extra> {
  return (n, window, options) => createAggregation(name, n, { ...options, window });
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
  Series extends SeriesOptions | null,
> extends AggregationOptions<Offset, Series> {
  readonly window: Window;
}

/** Nothing is checked here: the view names itself and the column in its errors. */
function createAggregation<
  Name extends FunctionName,
  Count extends number | null,
  Window extends string,
  Offset extends OffsetText | null,
  Series extends SeriesOptions | null,
>(
  functionName: Name,
  n: Count,
  options: WindowOptions<Window, Offset, Series>,
): Aggregation<Name, Count, Window, Offset, Series> {
  const { window, offset, series, description, ...functionOptions } = options;
  return {
    kind: "aggregation",
    functionName,
    n,
    window,
    offset: (offset ?? null) as Offset,
    ...(series !== undefined && { series }),
    description: description ?? null,
    ...(Object.keys(functionOptions).length > 0 && { functionOptions }),
  };
}
