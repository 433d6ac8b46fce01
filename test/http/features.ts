/** The feature repository of these tests: all kinds of join keys, request values and outputs. */

import {
  batchSource,
  batchView,
  count,
  entity,
  last,
  lastDistinct,
  loadRepository,
  max,
  mean,
  onDemandView,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";

export const user = entity("user", { user_id: "string" });
export const card = entity("card", {
  card_number: "int64",
  virtual: "boolean",
  issued_at: "timestamp",
});

export const transactions = streamSource("transactions", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amt: "float64", cents: "int64", merchant: "string" },
});

/** Of the same log, without ids, with a filter. */
export const clicks = streamSource("clicks", {
  timestamp: "at",
  columns: { user_id: "string", page: "string", robot: "boolean" },
  filter: (row) => row["robot"] !== true,
});

/** Of another log. */
export const payments = streamSource("payments", {
  timestamp: "at",
  id: "payment_id",
  log: "money",
  columns: {
    at: "timestamp",
    payment_id: "string",
    card_number: "int64",
    virtual: "boolean",
    issued_at: "timestamp",
    amt: "float64",
  },
});

/** Read by a batch view alone. */
export const audits = streamSource("audits", {
  timestamp: "at",
  columns: { user_id: "string", points: "int64" },
});

export const archive = batchSource("archive", {
  timestamp: "at",
  columns: { user_id: "string", points: "int64" },
});

export const spend = streamView("user_spend", {
  entities: [user],
  source: transactions,
  windowing: "sliding",
  interval: "5m",
  features: {
    amt: [sum("1h", { description: "Spent in an hour" }), mean("30d"), count("1h")],
    cents: [sum("1h"), last("1h")],
    merchant: [lastDistinct(3, "1h")],
    ts: [max("1h")],
  },
  compaction: { every: "1d" },
});

export const pages = streamView("user_pages", {
  entities: [user],
  source: clicks,
  windowing: "sawtooth",
  interval: "1m",
  features: { page: [last("1h"), count("1h")] },
  compaction: { every: "1d" },
});

export const cards = streamView("card_spend", {
  entities: [card],
  source: payments,
  windowing: "continuous",
  features: { amt: [sum("1h")] },
  compaction: { every: "1d" },
});

export const audited = batchView("user_audits", {
  entities: [user],
  source: audits,
  windowing: "sliding",
  interval: "1d",
  features: { points: [sum("7d"), count("7d")] },
  compaction: { every: "1d" },
});

export const archived = batchView("user_archive", {
  entities: [user],
  source: archive,
  windowing: "sliding",
  interval: "1d",
  features: { points: [sum("7d")] },
  compaction: { every: "1d" },
});

export const ratio = onDemandView("spend_ratio", {
  request: { amt: "float64" },
  inputs: { spend },
  output: { over_mean: "float64", doubled: "float64" },
  transform: ({ request, spend: features }) => ({
    over_mean: features.amt_mean_30d_5m === null ? null : request.amt / features.amt_mean_30d_5m,
    doubled: request.amt * 2,
  }),
});

/** Gives back what it is given, so that tests see what a transform sees. */
export const echo = onDemandView("echo", {
  request: {
    flag: "boolean",
    word: "string",
    whole: "int64",
    real: "float64",
    moment: "timestamp",
    list: { array: "int64" },
    table: { map: "float64" },
    item: { struct: { price: "float64", tags: { array: "string" } } },
    singles: { array: { array: "float32" } },
    constructor: "string",
  },
  output: {
    whole: "int64",
    flag: "boolean",
    word: "string",
    real: "float64",
    moment: "timestamp",
    list: { array: "int64" },
    table: { map: "float64" },
    item: { struct: { price: "float64", tags: { array: "string" } } },
    singles: { array: { array: "float32" } },
    inherited: "string",
    at: "timestamp",
  },
  transform: ({ request, now }) => ({
    ...pickEcho(request),
    inherited: request.constructor,
    at: now,
  }),
});

function pickEcho<Request extends { readonly constructor: unknown }>({
  constructor: _,
  ...rest
}: Request): Omit<Request, "constructor"> {
  return rest;
}

/** Throws for negative amounts. */
export const fragile = onDemandView("fragile", {
  request: { amt: "float64" },
  output: { root: "float64" },
  transform: ({ request }) => {
    if (request.amt < 0) throw new RangeError(`no root of ${request.amt}`);
    return { root: Math.sqrt(request.amt) };
  },
});

export const fraud = service("fraud", [spend, ratio]);
export const nullable = service("nullable", [spend], { emptyCount: "null" });
export const paged = service("paged", [pages]);
export const carded = service("carded", [cards]);
export const echoed = service("echoed", [echo]);
export const mixed = service("mixed", [spend, ratio, fragile]);
export const audit = service("audit", [audited]);

export const repository = loadRepository({
  archived,
  audit,
  carded,
  echoed,
  fraud,
  mixed,
  nullable,
  paged,
});
