/** Views with every function over every kind of column, for tests of records. */

import {
  approxCountDistinct,
  approxPercentile,
  count,
  entity,
  first,
  firstDistinct,
  histogram,
  last,
  lastDistinct,
  max,
  mean,
  min,
  stddevSamp,
  streamSource,
  streamView,
  sum,
  topK,
  varPop,
} from "../../src/index.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { RawEvent } from "../../src/tile/partial.ts";
import type { Random } from "./random.ts";

const user = entity("user", { user_id: "string" });

export const allEvents = streamSource("all_events", {
  timestamp: "ts",
  id: "id",
  columns: {
    user_id: "string",
    amt: "float64",
    qty: "int64",
    merchant: "string",
    ok: "boolean",
  },
});

export const allFunctions = streamView("all_functions", {
  entities: [user],
  source: allEvents,
  windowing: "sliding",
  interval: "5m",
  features: {
    amt: [sum("1h"), mean("1d"), varPop("1d"), stddevSamp("7d"), min("lifetime"), max("1h")],
    qty: [sum("1d"), last(3, "7d"), first("7d"), lastDistinct(4, "7d")],
    merchant: [count("1h"), min("1d"), last("1d"), firstDistinct(3, "7d")],
    ok: [last("1d"), count("7d")],
  },
  compaction: { every: "1d" },
});

/** Functions of sketches and value counts: apart, since the bytes of the view above are golden. */
export const sketchFunctions = streamView("sketch_functions", {
  entities: [user],
  source: allEvents,
  windowing: "sliding",
  interval: "5m",
  features: {
    amt: [approxCountDistinct(4, "7d"), approxPercentile(0.5, "1h"), approxPercentile(0.9, "7d")],
    qty: [topK(2, "1h", { distinctMax: 4 }), topK(2, "7d", { distinctMax: 4 }), histogram("1d")],
    merchant: [approxCountDistinct("1d"), topK(3, "lifetime"), histogram("7d", { distinctMax: 5 })],
    ok: [histogram("1h"), approxCountDistinct("lifetime")],
  },
  compaction: { every: "1d" },
});

const merchants = ["", "a", "é", "日本", "😀", "a b|c/d%"] as const;

/** A random event of either view, about one value in six null. */
export function randomEvent(random: Random, timestampMs: number, id: string): RawEvent {
  const values: Record<string, () => Scalar> = {
    amt: () => random.pick([0.1, 1e16, -1e16, 5e-324, random.next() * 1000, 12.5]),
    merchant: () => random.pick(merchants),
    ok: () => random.next() < 0.5,
    qty: () => random.pick([0, 1, -7, 2 ** 52, 9007199254740993n, -(2n ** 63n)]),
  };
  return {
    timestampMs,
    tie: id,
    values: allFunctions.valueColumns.map(({ name }) =>
      random.next() < 1 / 6 ? null : (values[name] as () => Scalar)(),
    ),
  };
}
