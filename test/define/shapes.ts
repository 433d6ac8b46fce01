/** Views of every shape, in the shape that users write; their claims are checked by the compiler. */

import {
  batchView,
  count,
  entity,
  last,
  lastDistinct,
  max,
  onDemandView,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import type { FeaturesOf, FeaturesOfView } from "../../src/index.ts";
import type { Holds } from "./types.test-d.ts";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** One flat object, as an intersection is not one to the compiler. */
type Flat<Type> = { readonly [Key in keyof Type]: Type[Key] };

export const user = entity("user", { user_id: "string" });

export const events = streamSource("events", {
  timestamp: "ts",
  id: "id",
  columns: {
    ts: "timestamp",
    id: "string",
    user_id: "string",
    amt: "float64",
    qty: "int64",
    shop: "string",
    till: "int64",
    vip: "boolean",
    since: "timestamp",
  },
});

const over = { entities: [user], source: events, compaction: { every: "1d" } } as const;
const sliding = { ...over, windowing: "sliding", interval: "5m" } as const;

/** Series. */
export const trend = streamView("user_trend", {
  ...sliding,
  features: {
    amt: [
      sum("1d", { series: { from: "-7d" } }),
      max("1h", { series: { from: "-4h", to: "-1h", step: "30m" } }),
      sum("1h"),
    ],
    qty: [count("1d", { series: { from: "-2d", to: "0s", align: "lead" } })],
    shop: [last(2, "1d", { series: { from: "-3d" } })],
  },
});

/** Arrays by secondary key. */
export const byShop = streamView("user_by_shop", {
  ...over,
  windowing: "sawtooth",
  interval: "5m",
  secondaryKey: "shop",
  features: {
    amt: [sum("1d"), sum("1d", { offset: "-1d" })],
    qty: [count("lifetime"), last(2, "1d")],
  },
});

export const byTill = batchView("user_by_till", {
  ...sliding,
  secondaryKey: "till",
  features: { shop: [lastDistinct(3, "7d")] },
});

/** Attributes. */
export const profile = streamView("user_profile", {
  ...over,
  attributes: ["shop", "qty", "vip", "since"],
  ttl: "30d",
});

export const archived = batchView("user_archived", { ...over, attributes: ["amt"] });

export const greeting = onDemandView("greeting", {
  inputs: { profile, byShop },
  output: { is_vip: "boolean", spent: "float64" },
  transform: (inputs) => ({
    is_vip: inputs.profile.vip,
    spent: inputs.byShop.amt_sum_1d_5m_sawtooth.reduce((a: number, b) => a + (b ?? 0), 0),
  }),
});

export const everything = service("everything", [trend, byShop, byTill, profile, greeting]);

export type ShapeClaims = [
  Holds<
    Equal<
      FeaturesOfView<typeof trend>,
      {
        readonly amt_sum_1d_5m_series_7d_0s_1d: readonly (number | null)[];
        readonly amt_max_1h_5m_series_4h_1h_30m: readonly (number | null)[];
        readonly amt_sum_1h_5m: number | null;
        readonly qty_count_1d_5m_series_2d_0s_1d: readonly bigint[];
        readonly shop_last_2_1d_5m_series_3d_0s_1d: readonly (readonly string[])[];
      }
    >
  >,
  Holds<
    Equal<
      Flat<FeaturesOfView<typeof byShop>>,
      {
        readonly amt_sum_1d_5m_sawtooth: readonly (number | null)[];
        readonly amt_sum_1d_5m_sawtooth_offset_1d: readonly (number | null)[];
        readonly qty_count_lifetime_5m_sawtooth: readonly bigint[];
        readonly qty_last_2_1d_5m_sawtooth: readonly (readonly bigint[])[];
        readonly shop_keys_1d: readonly string[];
        readonly shop_keys_1d_offset_1d: readonly string[];
        readonly shop_keys_lifetime: readonly string[];
      }
    >
  >,
  Holds<
    Equal<
      Flat<FeaturesOfView<typeof byTill>>,
      {
        readonly shop_last_distinct_3_7d_5m: readonly (readonly string[])[];
        readonly till_keys_7d: readonly bigint[];
      }
    >
  >,
  Holds<
    Equal<
      FeaturesOfView<typeof profile>,
      {
        readonly shop: string | null;
        readonly qty: bigint | null;
        readonly vip: boolean | null;
        readonly since: number | null;
      }
    >
  >,
  Holds<Equal<FeaturesOfView<typeof archived>, { readonly amt: number | null }>>,
  Holds<Equal<FeaturesOf<typeof everything>["user_by_till.till_keys_7d"], readonly bigint[]>>,
  Holds<Equal<FeaturesOf<typeof everything>["user_profile.vip"], boolean | null>>,
];

/** Mistakes that are refused by the compiler, and again when they are loaded. */
export const refusedMistakes: Readonly<Record<string, () => unknown>> = {
  "a series that starts after the lead": () =>
    // @ts-expect-error It starts before the lead.
    streamView("v", { ...sliding, features: { amt: [sum("1d", { series: { from: "7d" } })] } }),
  "a series that starts nowhere": () =>
    // @ts-expect-error It says where it starts.
    streamView("v", { ...sliding, features: { amt: [sum("1d", { series: { step: "1d" } })] } }),
  "a series of another alignment": () =>
    streamView("v", {
      ...sliding,
      // @ts-expect-error It is step or lead.
      features: { amt: [sum("1d", { series: { from: "-7d", align: "end" } })] },
    }),
  "a secondary key that is no column": () =>
    // @ts-expect-error There is no column store.
    streamView("v", { ...sliding, secondaryKey: "store", features: { amt: [sum("1d")] } }),
  "a secondary key of float64s": () =>
    // @ts-expect-error amt is a float64.
    streamView("v", { ...sliding, secondaryKey: "amt", features: { qty: [sum("1d")] } }),
  "an attribute that is no column": () =>
    // @ts-expect-error There is no column tier.
    streamView("v", { ...over, attributes: ["shop", "tier"] }),
  "attributes beside features": () =>
    // @ts-expect-error A view has one or the other.
    streamView("v", { ...sliding, features: { amt: [sum("1d")] }, attributes: ["shop"] }),
  "attributes with an interval": () =>
    // @ts-expect-error There is no window.
    streamView("v", { ...over, attributes: ["shop"], interval: "5m" }),
  "a time to live of aggregations": () =>
    // @ts-expect-error Only attributes grow old.
    streamView("v", { ...sliding, features: { amt: [sum("1d")] }, ttl: "1d" }),
  "attributes of an entity that the source lacks": () =>
    // @ts-expect-error events has no device_id.
    streamView("v", { ...over, entities: [entity("d", { device_id: "string" })], attributes: [] }),
};
