/** What the compiler must say about calls of the client. Every `@ts-expect-error` is a claim. */

import type { Client, FeaturesAnswer, RecordOf } from "../../adapters/client/client.ts";
import type * as features from "../http/features.ts";
import type { daily, fraud as nullableFraud } from "../define/fixtures.ts";
import type { Service } from "../../src/index.ts";
import type { Holds } from "../define/types.test-d.ts";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

type Echoed = FeaturesAnswer<typeof features.echoed>["features"];
type Fraud = FeaturesAnswer<typeof nullableFraud>;

export type Claims = [
  Holds<Equal<Fraud["features"]["user_spend.amt_count_lifetime_5m"], bigint | null>>,
  Holds<Equal<Fraud["features"]["user_spend.merchant_min_1d_5m"], string | null>>,
  Holds<
    Equal<Fraud["features"]["user_spend.merchant_last_distinct_10_7d_5m"], readonly string[] | null>
  >,
  Holds<Equal<keyof Fraud["statuses"], keyof Fraud["features"]>>,
  Holds<Equal<Fraud["effectiveTimes"]["spend_ratio.over_mean"], number | undefined>>,
  Holds<Equal<Echoed["echo.table"], Readonly<Record<string, number | null>> | null>>,
  Holds<
    Equal<
      Echoed["echo.item"],
      { readonly price: number | null; readonly tags: readonly (string | null)[] | null } | null
    >
  >,
  Holds<Equal<Echoed["echo.moment"], number | null>>,
  Holds<Equal<RecordOf<typeof features.transactions>["cents"], bigint | number | null | undefined>>,
];

/** Nothing of the definitions is there at run time: the handles carry their types alone. */
export async function calls(client: Client): Promise<void> {
  const fraud = client.service<typeof features.fraud>("fraud");
  const carded = client.service<typeof features.carded>("carded");
  const audit = client.service<typeof features.audit>("audit");
  const wide = client.service<Service<"wide", readonly [typeof daily]>>("wide");
  const transactions = client.source<typeof features.transactions>("transactions");
  await client.getFeatures(fraud, { joinKeys: { user_id: "u" }, request: { amt: 1 } });
  await client.getFeatures({} as typeof features.fraud, {
    joinKeys: { user_id: "u" },
    request: { amt: 1 },
  });
  await client.getFeatures(audit, { joinKeys: { user_id: "u" } });
  await client.getFeatures(wide, { joinKeys: { user_id: "u", merchant: "m", region: 3 } });
  const keys = { card_number: 2n ** 60n, virtual: true, issued_at: "2024-01-10T12:00:00Z" };
  await client.getFeatures(carded, { joinKeys: keys });
  await client.ingest(transactions, [{ id: "a", ts: 0, cents: 3, amt: null }]);

  // @ts-expect-error The service takes request values.
  await client.getFeatures(fraud, { joinKeys: { user_id: "u" } });
  // @ts-expect-error The service has join keys.
  await client.getFeatures(fraud, { request: { amt: 1 } });
  // @ts-expect-error user_id is a string.
  await client.getFeatures(fraud, { joinKeys: { user_id: 1 }, request: { amt: 1 } });
  // @ts-expect-error It is amt.
  await client.getFeatures(fraud, { joinKeys: { user_id: "u" }, request: { amount: 1 } });
  // @ts-expect-error A float64 is a number.
  await client.getFeatures(fraud, { joinKeys: { user_id: "u" }, request: { amt: 1n } });
  // @ts-expect-error Another name than the definition's.
  client.service<typeof features.fraud>("frauds");
  // @ts-expect-error There is no column amount.
  await client.ingest(transactions, [{ id: "a", amount: 1 }]);
  const answer = await client.getFeatures(audit, { joinKeys: { user_id: "u" } });
  // @ts-expect-error A count is a bigint, and null where its status says so.
  const count: number = answer.features["user_audits.points_count_7d_1d"];
  // @ts-expect-error It is user_audits.points_sum_7d_1d.
  return answer.features["user_audits.points_sum_7d"] ?? count;
}
