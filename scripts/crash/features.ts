/**
 * The definitions of the crash runs: each view counts its events and lists their ids, so that an
 * event that is lost cannot hide behind one that counts twice.
 */

import {
  batchView,
  count,
  entity,
  lastDistinct,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";

const user = entity("user", { user_id: "string" });
const group = entity("group", { group_id: "string" });

export const events = streamSource("events", {
  timestamp: "ts",
  id: "id",
  columns: {
    ts: "timestamp",
    id: "string",
    user_id: "string",
    group_id: "string",
    amount: "int64",
  },
});

const shared = {
  source: events,
  features: {
    id: [count("lifetime"), lastDistinct(1000, "lifetime"), lastDistinct(1000, "1h")],
    amount: [sum("lifetime"), sum("1h")],
  },
  compaction: { every: "1d" },
} as const;

export const byUser = streamView("by_user", {
  ...shared,
  entities: [user],
  windowing: "continuous",
});

export const byGroup = streamView("by_group", {
  ...shared,
  entities: [group],
  windowing: "sliding",
  interval: "5m",
});

export const byPair = streamView("by_pair", {
  ...shared,
  entities: [user, group],
  windowing: "sawtooth",
  interval: "1h",
});

export const compactedByGroup = batchView("compacted_by_group", {
  ...shared,
  entities: [group],
  windowing: "sliding",
  interval: "5m",
});

export const everyView = service("every_view", [byUser, byGroup, byPair, compactedByGroup]);
