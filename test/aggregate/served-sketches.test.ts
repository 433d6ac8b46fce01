/** Sketches and value counts through records: what is served is what the window's events come to. */

import { expect, test } from "vitest";
import { EntityFold } from "../../src/compact/fold-entity.ts";
import { coverOf, readsOf } from "../../src/compact/fold-view.ts";
import { OverflowError } from "../../src/core/errors.ts";
import { applyEvents } from "../../src/ingest/apply-events.ts";
import { combineView } from "../../src/serve/combine-view.ts";
import { planView } from "../../src/serve/view-plan.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { readBatchRecord, writeBatchRecord } from "../../src/tile/batch-record.ts";
import type { RawEvent } from "../../src/tile/partial.ts";
import { addEventInto, emptyStates } from "../../src/tile/partial.ts";
import { streamKey } from "../../src/tile/keys.ts";
import { viewStreamRecord } from "../../src/tile/stream-record.ts";
import { leadAt, windowBounds } from "../../src/window/bounds.ts";
import { randomEvent, sketchFunctions as view } from "../builders/all-functions-view.ts";
import { forSeeds } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const hourMs = 3_600_000;
const sealedAtMs = Date.UTC(2026, 0, 15, 10, 7);

function randomEvents(random: Random, untilMs: number): RawEvent[] {
  return Array.from({ length: random.pick([0, 5, 40, 300]) }, (_, i) => {
    const ageMs = random.pick([hourMs, 24 * hourMs, 200 * hourMs]);
    return randomEvent(random, untilMs - random.integer(0, ageMs), `e${i}`);
  });
}

function batchOf(events: readonly RawEvent[]) {
  const run = { cut: 0, sealedAtMs, watermarkMs: sealedAtMs };
  const fold = new EntityFold(view, coverOf(view, run));
  for (const event of events.toSorted((a, b) => a.timestampMs - b.timestampMs)) {
    fold.add(event.timestampMs, event.tie, event.values);
  }
  const partial = fold.finish(readsOf(view, run).earliestMs);
  return readBatchRecord(
    writeBatchRecord({ ...run, eventCount: events.length }, partial, view),
    view,
  );
}

async function streamOf(events: readonly RawEvent[], nowMs: number) {
  const store = new MemoryStore();
  const record = {
    view,
    entity: "u",
    events: events.map((event, i) => ({ seq: i + 1, epoch: 1, event })),
  };
  await applyEvents(store, [record], {
    shard: "main-0",
    epochs: [
      { epoch: 0, startedAtMs: 0, cutOf: null },
      { epoch: 1, startedAtMs: sealedAtMs, cutOf: null },
    ],
    viewFloors: new Map(),
    nowMs,
  });
  const [value] = await store.readMany([streamKey(view, "u")]);
  return value === null || value === undefined ? null : viewStreamRecord(value.bytes, view);
}

/** From the window's events alone: no tiles, no records. */
function expectedAnswers(events: readonly RawEvent[], nowMs: number): unknown[] {
  return view.features.map((feature) => {
    const { startMs, endMs } = windowBounds(view, feature.window, nowMs);
    const states = emptyStates(view);
    for (const event of events) {
      if (event.timestampMs >= startMs && event.timestampMs < endMs) {
        addEventInto(states, event, view);
      }
    }
    try {
      return feature.bound.finish(feature.slotIndexes.map((slot) => states[slot]));
    } catch (error) {
      if (error instanceof OverflowError) return "OVERFLOW";
      throw error;
    }
  });
}

test("combineView() answers as the events of each window do, overflows included", async () => {
  const seen = { overflows: 0, answers: 0 };
  const run = async (random: Random) => {
    const nowMs = sealedAtMs + random.integer(0, 20 * hourMs);
    const covered = randomEvents(random, sealedAtMs);
    const live = randomEvents(random, nowMs);
    const records = { batch: batchOf(covered), stream: await streamOf(live, nowMs) };
    const { features } = combineView(planView(view), records, nowMs);
    const answers = features.map(({ value, fault }) => fault?.code ?? value);
    expect(answers).toEqual(expectedAnswers([...covered, ...live], nowMs));
    for (const { fault, value, effectiveTimeMs } of features) {
      expect(effectiveTimeMs).toBe(leadAt(view, nowMs));
      seen.answers += 1;
      if (fault === null) continue;
      seen.overflows += 1;
      expect(value).toBeNull();
      expect(fault.message).toMatch(/^Cannot finish "(top_k|histogram)": it has more distinct/);
    }
  };
  const runs: Promise<void>[] = [];
  forSeeds(60, (random, seed) => {
    runs.push(
      run(random).catch((cause: unknown) => {
        throw new Error(`Property fails for seed ${seed}`, { cause });
      }),
    );
  });
  await Promise.all(runs);
  expect(seen.overflows).toBeGreaterThan(20);
  expect(seen.answers - seen.overflows).toBeGreaterThan(200);
});
