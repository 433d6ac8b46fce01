/** What the servers of this suite serve, in every runtime over every store. */

import {
  count,
  entity,
  last,
  max,
  onDemandView,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";

export const customer = entity("customer", { customer_id: "string" });

export const purchases = streamSource("purchases", {
  timestamp: "ts",
  id: "id",
  columns: { customer_id: "string", amount: "float64", cents: "int64" },
});

export const spend = streamView("spend", {
  entities: [customer],
  source: purchases,
  windowing: "sliding",
  interval: "1h",
  features: {
    amount: [sum("1d"), max("5d"), count("lifetime")],
    cents: [sum("lifetime"), last("5d")],
  },
  compaction: { every: "1d" },
});

export const basket = onDemandView("basket", {
  request: { amount: "float64" },
  inputs: { spend },
  output: { over_max: "float64" },
  transform: ({ request, spend: features }) => ({
    over_max:
      features.amount_max_5d_1h === null ? null : request.amount / features.amount_max_5d_1h,
  }),
});

export const checkout = service("checkout", [spend, basket]);
