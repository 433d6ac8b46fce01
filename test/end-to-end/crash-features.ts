/** Features that show each event id, for the tests that kill the server. */

import { count, entity, lastDistinct, service, streamSource, streamView } from "../../src/index.ts";

const user = entity("user", { user_id: "string" });
const group = entity("group", { group_id: "string" });

const events = streamSource("events", {
  timestamp: "ts",
  id: "id",
  columns: { ts: "timestamp", id: "string", user_id: "string", group_id: "string" },
});

const shared = { source: events, windowing: "continuous", compaction: { every: "1d" } } as const;

export const userIds = streamView("user_ids", {
  ...shared,
  entities: [user],
  features: { id: [count("lifetime"), lastDistinct(1000, "lifetime")] },
});

export const groupIds = streamView("group_ids", {
  ...shared,
  entities: [group],
  features: { id: [count("lifetime"), lastDistinct(1000, "lifetime")] },
});

export const ids = service("ids", [userIds, groupIds]);
