/** The time to decode and combine a record of so many tiles, without any store. */

import { EntityFold } from "../../src/compact/fold-entity.ts";
import { coverOf, readsOf } from "../../src/compact/fold-view.ts";
import { combineView } from "../../src/serve/combine-view.ts";
import { planView } from "../../src/serve/view-plan.ts";
import { readBatchRecord, writeBatchRecord } from "../../src/tile/batch-record.ts";
import { slidingKey } from "./hot-key-features.ts";
import { figureOf, median } from "./measure.ts";
import type { Figure } from "./measure.ts";
import { randomEvents } from "./random-events.ts";

const minuteMs = 60_000;
const rounds = 7;
const repeats = 300;
const eventsPerTile = 30;

/** Records of 10, 100 and 600 tiles: what the cover makes of these windows and horizons. */
export const combineCases = [
  { name: "combine10Tiles", windows: ["7d", "lifetime"], horizonMs: 10 * minuteMs },
  {
    name: "combine100Tiles",
    windows: ["1h", "1d", "7d", "30d", "lifetime"],
    horizonMs: 95 * minuteMs,
  },
  {
    name: "combine600Tiles",
    windows: ["1h", "1d", "7d", "30d", "lifetime"],
    horizonMs: 950 * minuteMs,
  },
] as const;

/** Microseconds for a batch record of a hot key. */
export function combineTime(options: (typeof combineCases)[number]): Figure {
  const nowMs = 1_770_000_000_000;
  const { horizonMs } = options;
  const asked: readonly string[] = options.windows;
  const features = slidingKey.features.filter(({ name }) =>
    asked.includes(name.split("_").at(-2) ?? ""),
  );
  const view = { ...slidingKey, horizonMs, features };
  const run = { cut: 0, sealedAtMs: nowMs, watermarkMs: nowMs };
  const fold = new EntityFold(view, coverOf(view, run));
  const spanMs = 30 * 86_400_000;
  const count = (spanMs / (5 * minuteMs)) * eventsPerTile;
  const history = { user: "u", startMs: nowMs - spanMs, endMs: nowMs, seed: 3, count };
  for (const event of randomEvents(history)) fold.add(event.ts, "", [event["amount"] ?? null]);
  const partial = fold.finish(readsOf(view, run).earliestMs);
  const bytes = writeBatchRecord({ ...run, eventCount: fold.eventCount }, partial, view);
  const plan = planView(view);
  const combine = () => {
    combineView(plan, { batch: readBatchRecord(bytes, view), stream: null }, nowMs + minuteMs);
  };
  for (let i = 0; i < repeats; i++) combine();
  const medians = Array.from({ length: rounds }, () =>
    median(
      Array.from({ length: repeats }, () => {
        const startedAt = performance.now();
        combine();
        return (performance.now() - startedAt) * 1000;
      }),
    ),
  );
  return figureOf(
    medians,
    `µs to decode and combine a record of ${partial.tiles.length} tiles, ${asked.length} windows × 3 functions`,
  );
}
