/** What the published clients ask for: every type that each of them can take. */

import {
  count,
  entity,
  last,
  lastDistinct,
  mean,
  onDemandView,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";

const user = entity("user", { user_id: "string", device_id: "int64" });

const readings = streamSource("readings", {
  timestamp: "at",
  id: "id",
  columns: {
    id: "string",
    at: "timestamp",
    user_id: "string",
    device_id: "int64",
    word: "string",
    whole: "int64",
    real: "float64",
    flag: "boolean",
    moment: "timestamp",
  },
});

export const facts = streamView("facts", {
  entities: [user],
  source: readings,
  windowing: "continuous",
  features: {
    word: [last("1d"), last(3, "1d"), lastDistinct(2, "1d")],
    whole: [sum("1d"), last("1d"), last(3, "1d"), count("1d")],
    real: [mean("1d"), last(3, "1d")],
    flag: [last("1d")],
    moment: [last("1d")],
  },
  compaction: { every: "1d" },
});

/** Its effective times are on the hour: Java clients before 0.5.0 read no milliseconds in them. */
export const hourly = streamView("hourly", {
  entities: [user],
  source: readings,
  windowing: "sliding",
  interval: "1h",
  features: { word: [count("1d")], real: [mean("1d")] },
  compaction: { every: "1d" },
});

/** Gives back what it is given. */
const echo = onDemandView("echo", {
  request: {
    real: "float64",
    list: { array: "int64" },
    table: { map: "int64" },
    item: { struct: { name: "string", size: "int64", price: "float64" } },
  },
  output: {
    real: "float64",
    list: { array: "int64" },
    table: { map: "int64" },
    item: { struct: { name: "string", size: "int64", price: "float64" } },
    nothing: "string",
  },
  transform: ({ request }) => ({ ...request, nothing: null }),
});

/** Gives back what it is given, of the types that every client can send. */
export const plainEcho = onDemandView("plain_echo", {
  request: { whole: "int64", real: "float64", word: "string" },
  output: { whole: "int64", real: "float64", word: "string", nothing: "boolean" },
  transform: ({ request }) => ({ ...request, nothing: null }),
});

/** Scalars and arrays, which every client takes. */
export const scalars = service("scalars", [facts], { emptyCount: "null" });

/** What has an effective time on the hour. */
export const grid = service("grid", [hourly]);

/** Scalars that the request brings. */
export const context = service("context", [plainEcho]);

/** Maps and structs too. */
export const nested = service("nested", [echo]);
