/** The compiler checks `types.test-d.ts`; here its definitions are loaded as well. */

import { expect, test } from "vitest";
import { DefinitionError } from "../../src/index.ts";
import * as fixtures from "./fixtures.ts";
import { compilerOnlyMistakes, everyType, refusedMistakes } from "./types.test-d.ts";

test.each(Object.entries(refusedMistakes))("loading refuses %s too", (_, mistake) => {
  expect(mistake).toThrow(DefinitionError);
});

test("the compiler alone can see mistakes inside a function", () => {
  for (const mistake of Object.values(compilerOnlyMistakes)) expect(mistake).not.toThrow();
});

test("feature names at run time are those the types compute", () => {
  const names = (view: { readonly features: readonly { readonly name: string }[] }) =>
    view.features.map(({ name }) => name);
  expect(names(fixtures.spend)).toEqual([
    "amt_count_lifetime_5m",
    "amt_mean_30d_5m",
    "amt_sum_1d_5m_offset_1d",
    "amt_sum_1h_5m",
    "amt_sum_30d_5m",
    "merchant_last_distinct_10_7d_5m",
    "merchant_min_1d_5m",
    "qty_last_1d_5m",
    "qty_last_5_1d_5m",
    "qty_max_1h_5m",
    "qty_sum_1h_5m",
  ]);
  expect(names(fixtures.recent)).toEqual([
    "amt_first_1_12h_continuous_offset_1s",
    "amt_stddev_pop_10m_continuous",
  ]);
  expect(names(fixtures.fresh)).toEqual([
    "amt_count_1d_5m_sawtooth_offset_1m",
    "amt_count_1h_5m_sawtooth",
  ]);
  expect(names(fixtures.daily)).toEqual([
    "at_max_7d_1d",
    "price_stddev_pop_lifetime_1d",
    "refund_last_7d_1d",
  ]);
});

test("onDemandView() keeps the transform as it is", () => {
  const spend = { amt_count_lifetime_5m: 2n, merchant_last_distinct_10_7d_5m: ["a"] };
  const request = { integer: 40n, at: 5 };
  const daily = { at_max_7d_1d: null };
  expect(everyType.transform({ request, now: 6, spend, daily })).toEqual({
    integer: 42n,
    list: ["a"],
    late: true,
  });
});
