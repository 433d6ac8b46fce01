/** What the hot-key bench asks for: every window over one key, on the grid and exact. */

import { count, entity, max, service, streamSource, streamView, sum } from "../../src/index.ts";

const user = entity("bench_user", { user_id: "string" });

function sourceOf(log: string) {
  return streamSource(`events_${log}`, {
    timestamp: "ts",
    id: "id",
    columns: { user_id: "string", amount: "float64", quantity: "int64" },
    log,
  });
}

const windows = [
  ...[count("1h"), sum("1h"), max("1h")],
  ...[count("1d"), sum("1d"), max("1d")],
  ...[count("7d"), sum("7d"), max("7d")],
  ...[count("30d"), sum("30d"), max("30d")],
  ...[count("lifetime"), sum("lifetime"), max("lifetime")],
] as const;

export const slidingKey = streamView("sliding_key", {
  entities: [user],
  source: sourceOf("sliding"),
  windowing: "sliding",
  interval: "5m",
  features: { amount: windows },
  compaction: { every: "1d" },
});

export const continuousKey = streamView("continuous_key", {
  entities: [user],
  source: sourceOf("continuous"),
  windowing: "continuous",
  features: { amount: windows },
  compaction: { every: "1d" },
});

export const slidingService = service("sliding_service", [slidingKey]);
export const continuousService = service("continuous_service", [continuousKey]);
