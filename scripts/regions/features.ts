/** The view of the runs with regions: it lists the events of a user, so errors cannot cancel. */

import { count, entity, lastDistinct, service, streamSource, streamView } from "../../src/index.ts";

export const user = entity("user", { user_id: "string" });

export const clicks = streamSource("clicks", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string" },
});

export const seen = streamView("seen", {
  entities: [user],
  source: clicks,
  windowing: "continuous",
  features: { id: [count("lifetime"), lastDistinct(1000, "lifetime")] },
  compaction: { every: "1h" },
});

export const seen_service = service("seen_service", [seen]);
