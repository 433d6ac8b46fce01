/** What the serving bench asks for: one entity, five views, four windows each. */

import {
  count,
  entity,
  max,
  mean,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";

const user = entity("bench_user", { user_id: "string" });
const source = streamSource("bench_events", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amount: "float64", quantity: "int64" },
});

const shared = {
  entities: [user],
  source,
  compaction: { every: "1d" },
} as const;

export const bench_a = streamView("bench_a", {
  ...shared,
  windowing: "sliding",
  interval: "5m",
  features: { amount: [sum("1h"), sum("1d"), sum("7d"), sum("30d")] },
});
export const bench_b = streamView("bench_b", {
  ...shared,
  windowing: "sliding",
  interval: "5m",
  features: { amount: [count("1h"), count("1d"), count("7d"), count("30d")] },
});
export const bench_c = streamView("bench_c", {
  ...shared,
  windowing: "sliding",
  interval: "1h",
  features: { amount: [mean("1h"), mean("1d"), mean("7d"), mean("30d")] },
});
export const bench_d = streamView("bench_d", {
  ...shared,
  windowing: "sawtooth",
  interval: "1h",
  features: { amount: [max("1h"), max("1d"), max("7d"), max("30d")] },
});
export const bench_e = streamView("bench_e", {
  ...shared,
  windowing: "sliding",
  interval: "5m",
  features: { quantity: [sum("1h"), sum("1d"), sum("7d"), sum("30d")] },
});

export const bench_service = service("bench_service", [
  bench_a,
  bench_b,
  bench_c,
  bench_d,
  bench_e,
]);
