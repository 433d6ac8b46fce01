/** The demo feature repository: a shop's purchases, by customer, by product and by country. */

import {
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
import { isProduct, mapPurchase } from "./map-purchase.ts";

export const customer = entity("customer", { customer_id: "string" });
export const product = entity("product", { stock_code: "string" });
export const country = entity("country", { country: "string" });

export const purchases = streamSource("purchases", {
  timestamp: "ts",
  id: "line_id",
  columns: {
    customer_id: "string",
    stock_code: "string",
    country: "string",
    quantity: "int64",
    amount: "float64",
  },
  map: mapPurchase,
  filter: isProduct,
  version: "1",
});

export const customerSpend = streamView("customer_spend", {
  entities: [customer],
  source: purchases,
  windowing: "sliding",
  interval: "5m",
  features: {
    amount: [sum("1h"), sum("1d"), sum("30d"), mean("30d"), max("30d"), count("lifetime")],
    quantity: [sum("7d"), min("7d")],
  },
  compaction: { every: "1d" },
});

export const customerProducts = streamView("customer_products", {
  entities: [customer],
  source: purchases,
  windowing: "continuous",
  features: {
    stock_code: [count("10m"), lastDistinct(5, "30d"), last("30d"), first("30d")],
  },
  compaction: { every: "1d" },
});

export const productSales = streamView("product_sales", {
  entities: [product],
  source: purchases,
  windowing: "sawtooth",
  interval: "1h",
  features: {
    quantity: [sum("1h"), sum("1d"), sum("7d"), stddevPop("7d")],
    amount: [sum("7d")],
  },
  compaction: { every: "1d" },
});

export const countrySales = batchView("country_sales", {
  entities: [country],
  source: purchases,
  windowing: "sliding",
  interval: "1d",
  features: {
    amount: [sum("1d"), sum("7d"), mean("30d")],
    customer_id: [count("7d")],
  },
  compaction: { every: "1d" },
});

export const basketCheck = onDemandView("basket_check", {
  request: { basket_amount: "float64", basket_items: "int64" },
  inputs: { spend: customerSpend },
  output: { over_mean: "float64", is_largest: "boolean", mean_item_amount: "float64" },
  transform: ({ request, spend }) => ({
    over_mean: spend.amount_mean_30d_5m ? request.basket_amount / spend.amount_mean_30d_5m : null,
    is_largest:
      spend.amount_max_30d_5m === null ? null : request.basket_amount > spend.amount_max_30d_5m,
    mean_item_amount:
      request.basket_items === 0n ? null : request.basket_amount / Number(request.basket_items),
  }),
});

export const checkout = service("checkout", [customerSpend, customerProducts, basketCheck]);
export const merchandising = service("merchandising", [productSales, countrySales]);
