/** A small feature repository, in the shape that users write. */

import {
  batchSource,
  batchView,
  count,
  entity,
  first,
  last,
  lastDistinct,
  max,
  mean,
  min,
  onDemandView,
  service,
  stddevPop,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";

export const user = entity("user", { user_id: "string" });

export const merchantKey = entity("merchant", { merchant: "string", region: "int64" });

export const transactions = streamSource("transactions", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amt: "float64", qty: "int64", merchant: "string" },
});

export const archive = batchSource("archive", {
  timestamp: "at",
  columns: {
    at: "timestamp",
    user_id: "string",
    merchant: "string",
    region: "int64",
    price: "float64",
    refund: "boolean",
  },
});

export const spend = streamView("user_spend", {
  entities: [user],
  source: transactions,
  windowing: "sliding",
  interval: "5m",
  features: {
    amt: [
      sum("1h"),
      sum("30d"),
      mean("30d"),
      count("lifetime"),
      sum("1d", { offset: "-1d", description: "Yesterday's spend" }),
    ],
    qty: [sum("1h"), last("1d"), last(5, "1d"), max("1h")],
    merchant: [lastDistinct(10, "7d"), min("1d")],
  },
  compaction: { every: "1d" },
});

export const recent = streamView("user_recent", {
  entities: [user],
  source: transactions,
  windowing: "continuous",
  features: { amt: [first(1, "12h", { offset: "-1s" }), stddevPop("10m")] },
  compaction: { every: "1h", horizon: "2h" },
});

export const fresh = streamView("user_fresh", {
  entities: [user],
  source: transactions,
  windowing: "sawtooth",
  interval: "5m",
  featureStartTime: "2024-01-01T00:00:00Z",
  features: { amt: [count("1h"), count("1d", { offset: "-1m" })] },
  compaction: { every: "1d" },
});

export const daily = batchView("merchant_daily", {
  entities: [user, merchantKey],
  source: archive,
  windowing: "sliding",
  interval: "1d",
  features: { price: [stddevPop("lifetime")], refund: [last("7d")], at: [max("7d")] },
  compaction: { every: "1d", horizon: "36h" },
});

export const ratio = onDemandView("spend_ratio", {
  request: { amt: "float64" },
  inputs: { spend },
  output: { over_mean: "float64" },
  transform: ({ request, spend: { amt_mean_30d_5m: average } }) => ({
    over_mean: average ? request.amt / average : null,
  }),
});

export const fraud = service("fraud", [spend, ratio], { emptyCount: "null" });
