import { expect, test } from "vitest";
import { compactViews } from "../../src/compact/compact-views.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { batchView, count, last, loadRepository, streamView, sum } from "../../src/index.ts";
import { readViews } from "../../src/serve/read-views.ts";
import { openDuckdb } from "../engines/open-stores.ts";
import { hourMs, minuteMs, payment, payments, user } from "../ingest/online-parts.ts";
import { CompactionParts } from "./compaction-parts.ts";

const shared = { entities: [user], source: payments, compaction: { every: "3h" } } as const;
const windowed = { ...shared, windowing: "sliding", interval: "5m" } as const;

const trend = streamView("trend", {
  ...windowed,
  features: { amt: [sum("1h", { series: { from: "-3h" } })] },
});
const byCard = streamView("by_card", {
  ...windowed,
  secondaryKey: "card",
  features: { amt: [sum("6h"), last(2, "6h")], id: [count("lifetime")] },
});
const newest = streamView("newest", { ...shared, attributes: ["card", "amt"], ttl: "2h" });
const archived = batchView("archived", { ...shared, attributes: ["amt"] });

const repository = loadRepository({ trend, byCard, newest, archived });
const nowMs = Date.UTC(2026, 2, 1, 12, 2);

async function answersOf(parts: CompactionParts): Promise<Record<string, unknown>> {
  const views = [...repository.views.values()] as readonly ViewDefinition[];
  const homes = { batch: parts.batchStore, streams: parts.homes };
  const reads = views.map((view) => ({ view, entity: "u" }));
  const { answers } = await readViews(homes, reads, { nowMs: parts.clock.nowMs });
  const entries = answers.flatMap(({ view, features }) =>
    features.map(({ value, status }, i) => [
      `${view.name}.${view.features[i]?.name}`,
      status === "PRESENT" ? value : status,
    ]),
  );
  return Object.fromEntries(entries) as Record<string, unknown>;
}

test("views of every shape answer the same before and after a compaction, and take corrections", async () => {
  const { store } = await openDuckdb();
  const parts = new CompactionParts({ nowMs, repository });
  const agoMs = (minutes: number) => nowMs - minutes * minuteMs;
  await parts.append([
    payment("e1", agoMs(5 * 60), { user: "u", card: 7, amt: 1.5 }),
    payment("e2", agoMs(130), { user: "u", card: -3, amt: 2 }),
    payment("e3", agoMs(70), { user: "u", card: null, amt: 4 }),
    payment("e4", agoMs(20), { user: "u", card: 7, amt: 8 }),
    payment("e5", agoMs(0), { user: "u", card: 9, amt: 100 }),
  ]);
  await parts.append([payment("e6", agoMs(10), { user: "u", card: 2n ** 60n, amt: 0.5 })], 1);
  const before = {
    "trend.amt_sum_1h_5m_series_3h_0s_1h": [2, 4, 8.5],
    "by_card.card_keys_6h": [-3, 7, 2n ** 60n],
    "by_card.amt_sum_6h_5m": [2, 9.5, 0.5],
    "by_card.amt_last_2_6h_5m": [[2], [1.5, 8], [0.5]],
    "by_card.card_keys_lifetime": [-3, 7, 2n ** 60n],
    "by_card.id_count_lifetime_5m": [1, 2, 1],
    "newest.card": 2n ** 60n,
    "newest.amt": 0.5,
    "archived.amt": "MISSING_DATA",
  };
  expect(await answersOf(parts)).toEqual(before);

  const compact = () => compactViews({ api: parts.api(), offline: store, repository }, {});
  await compact();
  expect(await answersOf(parts)).toEqual({ ...before, "archived.amt": 0.5 });

  // The newest payment is taken back, and another one is put right.
  const corrected = payment("e4", agoMs(20), { user: "u", card: 9, amt: 16 });
  await store.putCorrections(payments, [
    { id: "e6", event: null },
    { id: "e4", event: corrected },
  ]);
  await compact();
  expect(await answersOf(parts)).toEqual({
    "trend.amt_sum_1h_5m_series_3h_0s_1h": [2, 4, 16],
    "by_card.card_keys_6h": [-3, 7, 9],
    "by_card.amt_sum_6h_5m": [2, 1.5, 16],
    "by_card.amt_last_2_6h_5m": [[2], [1.5], [16]],
    "by_card.card_keys_lifetime": [-3, 7, 9],
    "by_card.id_count_lifetime_5m": [1, 1, 1],
    "newest.card": 9,
    "newest.amt": 16,
    "archived.amt": 16,
  });

  // A little later the payment of the first instant counts; much later the row is past its ttl.
  parts.clock.nowMs += 1;
  expect(await answersOf(parts)).toMatchObject({ "newest.card": 9, "newest.amt": 100 });
  parts.clock.nowMs = nowMs + 2 * hourMs + 1;
  expect(await answersOf(parts)).toMatchObject({
    "newest.amt": "MISSING_DATA",
    "archived.amt": 16,
  });
}, 30_000);
