/**
 * What the compiler must say about definitions. Every `@ts-expect-error` is a claim that `tsc`
 * checks: it fails when the line compiles. Each mistake stands in a function, so that a test can
 * also show that it is refused when it is loaded.
 */

import {
  approxCountDistinct,
  approxPercentile,
  count,
  entity,
  histogram,
  last,
  lastDistinct,
  mean,
  onDemandView,
  service,
  streamSource,
  streamView,
  batchSource,
  batchView,
  sum,
  topK,
} from "../../src/index.ts";
import type { FeaturesOf, FeaturesOfView, JoinKeysOf, RequestOf } from "../../src/index.ts";
import {
  archive,
  daily,
  fraud,
  fresh,
  ratio,
  recent,
  spend,
  transactions,
  user,
} from "./fixtures.ts";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Fails to compile unless its type argument is `true`. */
export type Holds<Claim extends true> = Claim;

export type Claims = [
  Holds<
    Equal<
      FeaturesOfView<typeof spend>,
      {
        readonly amt_sum_1h_5m: number | null;
        readonly amt_sum_30d_5m: number | null;
        readonly amt_mean_30d_5m: number | null;
        readonly amt_count_lifetime_5m: bigint;
        readonly amt_sum_1d_5m_offset_1d: number | null;
        readonly qty_sum_1h_5m: bigint | null;
        readonly qty_last_1d_5m: bigint | null;
        readonly qty_last_5_1d_5m: readonly bigint[];
        readonly qty_max_1h_5m: bigint | null;
        readonly merchant_last_distinct_10_7d_5m: readonly string[];
        readonly merchant_min_1d_5m: string | null;
      }
    >
  >,
  Holds<
    Equal<
      FeaturesOfView<typeof recent>,
      {
        readonly amt_first_1_12h_continuous_offset_1s: readonly number[];
        readonly amt_stddev_pop_10m_continuous: number | null;
      }
    >
  >,
  Holds<
    Equal<
      FeaturesOfView<typeof fresh>,
      {
        readonly amt_count_1h_5m_sawtooth: bigint;
        readonly amt_count_1d_5m_sawtooth_offset_1m: bigint;
      }
    >
  >,
  Holds<
    Equal<
      FeaturesOfView<typeof daily>,
      {
        readonly price_stddev_pop_lifetime_1d: number | null;
        readonly refund_last_7d_1d: boolean | null;
        readonly at_max_7d_1d: number | null;
      }
    >
  >,
  Holds<
    Equal<
      FeaturesOfView<typeof sketched>,
      {
        readonly amt_approx_percentile_0_95_1d_5m: number | null;
        readonly amt_approx_percentile_0_1d_5m: number | null;
        readonly amt_approx_percentile_1_1d_5m_offset_1d: number | null;
        readonly amt_approx_count_distinct_1d_5m: bigint;
        readonly merchant_approx_count_distinct_12_1d_5m: bigint;
        readonly merchant_top_k_3_1d_5m: readonly {
          readonly value: string;
          readonly count: bigint;
        }[];
        readonly qty_histogram_1d_5m: readonly { readonly value: bigint; readonly count: bigint }[];
      }
    >
  >,
  Holds<Equal<JoinKeysOf<typeof fraud>, { readonly user_id: "string" }>>,
  Holds<Equal<RequestOf<typeof fraud>, { readonly amt: number }>>,
  Holds<Equal<FeaturesOf<typeof fraud>["user_spend.amt_count_lifetime_5m"], bigint>>,
  Holds<Equal<FeaturesOf<typeof fraud>["spend_ratio.over_mean"], number | null>>,
  Holds<Equal<(typeof fraud)["name"], "fraud">>,
  Holds<Equal<FeaturesOfView<typeof ratio>, { readonly over_mean: number | null }>>,
  Holds<Equal<JoinKeysOf<typeof chained>, { readonly user_id: "string" }>>,
  Holds<Equal<RequestOf<typeof chained>, { readonly amt: number; readonly limit: number }>>,
  Holds<
    Equal<
      FeaturesOf<typeof chained>,
      { readonly "spend_check.over": boolean | null; readonly "spend_check.vector": Vector }
    >
  >,
  Holds<Equal<keyof FeaturesOf<typeof wide> & `merchant_daily.${string}`, DailyName>>,
  Holds<
    Equal<
      JoinKeysOf<typeof wide>,
      { readonly user_id: "string"; readonly merchant: "string"; readonly region: "int64" }
    >
  >,
];

type DailyName = `merchant_daily.${keyof FeaturesOfView<typeof daily>}`;

const wide = service("wide", [daily, ratio]);

/** Functions that are given more than a window. */
export const sketched = streamView("sketched", {
  entities: [user],
  source: transactions,
  windowing: "sliding",
  interval: "5m",
  features: {
    amt: [
      approxPercentile(0.95, "1d", { accuracy: 0.05 }),
      approxPercentile(0, "1d"),
      approxPercentile(1, "1d", { offset: "-1d" }),
      approxCountDistinct("1d"),
    ],
    merchant: [approxCountDistinct(12, "1d"), topK(3, "1d", { distinctMax: 50 })],
    qty: [histogram("1d")],
  },
  compaction: { every: "1d" },
});

/** A transform of structs, which it gets by the names of their fields. */
export const favourite = onDemandView("favourite", {
  inputs: { sketched },
  output: { merchant: "string", visits: "int64" },
  transform: (inputs) => {
    const [top] = inputs.sketched.merchant_top_k_3_1d_5m;
    return { merchant: top?.value ?? null, visits: top?.count ?? 0n };
  },
});

/** Every type of value that a transform meets. */
export const everyType = onDemandView("every_type", {
  request: {
    text: "string",
    number: "float64",
    integer: "int64",
    flag: "boolean",
    at: "timestamp",
    list: { array: "int64" },
    table: { map: "float64" },
    pair: { struct: { x: "float64", y: "string" } },
  },
  inputs: { spend, daily },
  output: { integer: "int64", list: { array: "string" }, late: "boolean" },
  transform: (inputs) => {
    type Request = Holds<
      Equal<
        typeof inputs.request,
        {
          readonly text: string;
          readonly number: number;
          readonly integer: bigint;
          readonly flag: boolean;
          readonly at: number;
          readonly list: readonly (bigint | null)[];
          readonly table: Readonly<Record<string, number | null>>;
          readonly pair: { readonly x: number | null; readonly y: string | null };
        }
      >
    >;
    const typed: Request = true;
    return {
      integer: inputs.request.integer + inputs.spend.amt_count_lifetime_5m,
      list: inputs.spend.merchant_last_distinct_10_7d_5m,
      late: typed && inputs.now > (inputs.daily.at_max_7d_1d ?? inputs.request.at),
    };
  },
});

type Vector = readonly (number | null)[] | null;

/** Reads another on-demand view, which its service does not serve. */
export const check = onDemandView("spend_check", {
  request: { limit: "float64" },
  inputs: { ratio },
  output: { over: "boolean", vector: { array: "float32" } },
  descriptions: { over: "Whether it is over the limit" },
  transform: ({ request, ratio: { over_mean } }) => ({
    over: over_mean === null ? null : over_mean > request.limit,
    vector: [over_mean],
  }),
});

const chained = service("chained", [check]);

/** A transform may leave out `request` and `inputs`. */
export const clock = onDemandView("clock", {
  output: { hour: "int64" },
  transform: ({ now }) => ({ hour: BigInt(Math.floor(now / 3_600_000) % 24) }),
});

const columns = { user_id: "string", amt: "float64", merchant: "string" } as const;
const compaction = { every: "1d" } as const;
const sliding = { windowing: "sliding", interval: "5m", compaction } as const;
const over = { ...sliding, entities: [user], source: transactions } as const;

/** Mistakes that are refused by the compiler, and again when they are loaded. */
export const refusedMistakes: Readonly<Record<string, () => unknown>> = {
  "a misspelt column in features": () =>
    // @ts-expect-error amount is no column.
    streamView("v", { ...over, features: { amount: [sum("1h")] } }),
  "a misspelt column beside a right one": () =>
    // @ts-expect-error amount is no column.
    streamView("v", { ...over, features: { amt: [sum("1h")], amount: [sum("1h")] } }),
  "the sum of a string": () =>
    // @ts-expect-error merchant is a string.
    streamView("v", { ...over, features: { merchant: [sum("1h")] } }),
  "the mean of a string after its count": () =>
    // @ts-expect-error merchant is a string.
    streamView("v", { ...over, features: { merchant: [count("1h"), mean("1h")] } }),
  "the distinct values of a float64": () =>
    // @ts-expect-error Floats are not told apart by equality.
    streamView("v", { ...over, features: { amt: [lastDistinct(3, "1h")] } }),
  "a window without a unit": () =>
    // @ts-expect-error A duration ends in its unit.
    streamView("v", { ...over, features: { amt: [sum("90")] } }),
  "an offset without its sign": () =>
    // @ts-expect-error An offset is negative.
    streamView("v", { ...over, features: { amt: [sum("1h", { offset: "1h" })] } }),
  "a distinct list without its count": () =>
    // @ts-expect-error It takes a count first.
    streamView("v", { ...over, features: { merchant: [lastDistinct("1h")] } }),
  "a percentile of a string": () =>
    // @ts-expect-error merchant is a string.
    streamView("v", { ...over, features: { merchant: [approxPercentile(0.5, "1h")] } }),
  "a percentile without its part": () =>
    // @ts-expect-error It takes a part first.
    streamView("v", { ...over, features: { amt: [approxPercentile("1h")] } }),
  "the most frequent of a float64": () =>
    // @ts-expect-error Floats are not told apart by equality.
    streamView("v", { ...over, features: { amt: [topK(3, "1h")] } }),
  "a histogram with a count": () =>
    // @ts-expect-error It takes no count.
    streamView("v", { ...over, features: { merchant: [histogram(3, "1h")] } }),
  "an accuracy for a histogram": () =>
    // @ts-expect-error It has distinctMax.
    streamView("v", { ...over, features: { merchant: [histogram("1h", { accuracy: 0.1 })] } }),
  "a misspelt accuracy": () =>
    streamView("v", {
      ...over,
      // @ts-expect-error It is accuracy.
      features: { amt: [approxPercentile(0.5, "1h", { acuracy: 0.1 })] },
    }),
  "a sum with a count": () =>
    // @ts-expect-error It takes no count.
    streamView("v", { ...over, features: { amt: [sum(3, "1h")] } }),
  "a timestamp that columns does not list": () =>
    // @ts-expect-error columns lists ts, so timestamp must be ts.
    streamSource("s", { timestamp: "tss", columns: { ...columns, ts: "timestamp" } }),
  "a timestamp of another type": () =>
    // @ts-expect-error amt is a float64.
    streamSource("s", { timestamp: "amt", columns }),
  "an id that columns does not list": () =>
    streamSource("s", {
      timestamp: "ts",
      // @ts-expect-error columns lists the timestamp, so it must list the id.
      id: "idd",
      columns: { ...columns, ts: "timestamp", id: "string" },
    }),
  "an id of another type": () =>
    // @ts-expect-error amt is a float64.
    batchSource("s", { timestamp: "ts", id: "amt", columns }),
  "a column of an unknown type": () =>
    // @ts-expect-error There is no type double.
    streamSource("s", { timestamp: "ts", columns: { amt: "double" } }),
  "a join key of type float64": () =>
    // @ts-expect-error A float64 cannot be a join key.
    entity("price", { price: "float64" }),
  "a join key that the source lacks": () =>
    streamView("v", {
      ...sliding,
      // @ts-expect-error transactions has no device_id.
      entities: [entity("device", { device_id: "string" })],
      source: transactions,
      features: { amt: [sum("1h")] },
    }),
  "a join key of another type than its column": () =>
    streamView("v", {
      ...sliding,
      // @ts-expect-error user_id is a string in transactions.
      entities: [user, entity("user_number", { user_id: "int64" })],
      source: transactions,
      features: { amt: [sum("1h")] },
    }),
  "an interval on continuous": () =>
    // @ts-expect-error continuous takes no interval.
    streamView("v", { ...over, windowing: "continuous", features: { amt: [sum("1h")] } }),
  "sliding without an interval": () =>
    // @ts-expect-error sliding needs an interval.
    streamView("v", {
      entities: [user],
      source: transactions,
      windowing: "sliding",
      features: { amt: [sum("1h")] },
      compaction,
    }),
  "a batch view that is not sliding": () =>
    // @ts-expect-error A batch view knows nothing past its watermark.
    batchView("v", { ...over, windowing: "sawtooth", features: { amt: [sum("1h")] } }),
  "a stream view over a batch source": () =>
    // @ts-expect-error archive does not stream.
    streamView("v", { ...over, source: archive, features: { price: [sum("1h")] } }),
  "a missing compaction": () =>
    // @ts-expect-error compaction is required.
    streamView("v", {
      entities: [user],
      source: transactions,
      windowing: "continuous",
      features: { amt: [sum("1h")] },
    }),
  "a request type that does not exist": () =>
    onDemandView("d", {
      // @ts-expect-error There is no type number.
      request: { amt: "number" },
      output: { a: "float64" },
      transform: () => ({ a: null }),
    }),
  "a description of no output": () =>
    onDemandView("d", {
      output: { a: "float64" },
      // @ts-expect-error The output is a.
      descriptions: { b: "What it is" },
      transform: () => ({ a: null }),
    }),
  "a float32 that is no element of an array": () =>
    onDemandView("d", {
      // @ts-expect-error Alone, a number is a float64.
      output: { a: "float32" },
      transform: () => ({ a: null }),
    }),
  "an input named like an argument": () =>
    onDemandView("d", {
      // @ts-expect-error now is the instant.
      inputs: { now: spend },
      output: { a: "float64" },
      transform: () => ({ a: null }),
    }),
  "a service of something else": () =>
    // @ts-expect-error An entity has no features.
    service("s", [user]),
  "a service with another empty count": () =>
    // @ts-expect-error It is zero or null.
    service("s", [spend], { emptyCount: "none" }),
};

/** Mistakes inside functions, which only the compiler can see. */
export const compilerOnlyMistakes: Readonly<Record<string, () => unknown>> = {
  "a misspelt feature": () =>
    onDemandView("d", {
      inputs: { spend },
      output: { a: "float64" },
      // @ts-expect-error It is amt_mean_30d_5m.
      transform: (inputs) => ({ a: inputs.spend.amt_mean_30_5m }),
    }),
  "a misspelt request value": () =>
    onDemandView("d", {
      request: { amt: "float64" },
      output: { a: "float64" },
      // @ts-expect-error It is amt.
      transform: ({ request }) => ({ a: request.amount }),
    }),
  "a misspelt output of another on-demand view": () =>
    onDemandView("d", {
      inputs: { ratio },
      output: { a: "float64" },
      // @ts-expect-error It is over_mean.
      transform: (inputs) => ({ a: inputs.ratio.over }),
    }),
  "a misspelt input": () =>
    onDemandView("d", {
      inputs: { spend },
      output: { a: "float64" },
      // @ts-expect-error It is spend.
      transform: (inputs) => ({ a: inputs.spent.amt_mean_30d_5m }),
    }),
  "arithmetic on a feature that may be null": () =>
    onDemandView("d", {
      inputs: { spend },
      output: { a: "float64" },
      // @ts-expect-error It may be null.
      transform: (inputs) => ({ a: inputs.spend.amt_mean_30d_5m * 2 }),
    }),
  "a number with a bigint": () =>
    onDemandView("d", {
      inputs: { spend },
      output: { a: "float64" },
      // @ts-expect-error A count is a bigint.
      transform: (inputs) => ({ a: inputs.spend.amt_count_lifetime_5m * 2 }),
    }),
  "a change to its inputs": () =>
    onDemandView("d", {
      request: { amt: "float64" },
      output: { a: "float64" },
      transform: ({ request }) => {
        // @ts-expect-error Inputs are frozen.
        request.amt = 1;
        return { a: request.amt };
      },
    }),
  "a wrong output key": () =>
    onDemandView("d", {
      output: { a: "float64" },
      // @ts-expect-error The output is a.
      transform: () => ({ b: 1 }),
    }),
  "an output too many": () =>
    onDemandView("d", {
      output: { a: "float64" },
      // @ts-expect-error There is no output b.
      transform: () => ({ a: 1, b: 1 }),
    }),
  "a missing output": () =>
    onDemandView("d", {
      output: { a: "float64", b: "float64" },
      // @ts-expect-error b is missing.
      transform: () => ({ a: 1 }),
    }),
  "an output of another type": () =>
    onDemandView("d", {
      output: { a: "float64" },
      // @ts-expect-error a is a number.
      transform: () => ({ a: "1" }),
    }),
  "an output that is not there yet": () =>
    onDemandView("d", {
      output: { a: "float64" },
      // @ts-expect-error A transform is synchronous.
      transform: async () => ({ a: 1 }),
    }),
  "a number for an int64 output": () =>
    onDemandView("d", {
      output: { a: "int64" },
      // @ts-expect-error An int64 is a bigint.
      transform: () => ({ a: 1 }),
    }),
  "a misspelt feature of a service": () => (features: FeaturesOf<typeof fraud>) =>
    // @ts-expect-error It is user_spend.amt_sum_1h_5m.
    features["user_spend.amt_sum_1h"],
  "a misspelt feature of a list": () => (features: FeaturesOfView<typeof recent>) =>
    // @ts-expect-error It is amt_first_1_12h_continuous_offset_1s.
    features.amt_first_12h_continuous_offset_1s,
  "a list of another type": () =>
    onDemandView("d", {
      inputs: { spend },
      output: { a: { array: "int64" } },
      // @ts-expect-error Merchants are strings.
      transform: (inputs) => ({ a: inputs.spend.merchant_last_distinct_10_7d_5m }),
    }),
  "a count of last that is not a number": () =>
    // @ts-expect-error The count is a number.
    last("5", "1h"),
};
