import { expect, test } from "vitest";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { randomFrom } from "../builders/random.ts";
import { CompactionParts } from "../compact/compaction-parts.ts";
import { byBoth, byCard, byUser, hourMs, minuteMs, payment } from "./online-parts.ts";
import { entitiesOf, payments } from "./online-parts.ts";
import type { TestEvent } from "./online-parts.ts";
import { OnlineParts } from "./online-parts.ts";
import { loadRepository, streamView, sum } from "../../src/index.ts";
import { readViews } from "../../src/serve/read-views.ts";

const t0 = Date.UTC(2026, 2, 1, 12, 2);

async function epochsOf(parts: CompactionParts, view: ViewDefinition, entity: string) {
  return (await parts.streamRecord(view, entity))?.epochs.map(({ epoch }) => epoch);
}

test("epochs that only other views were cut at become one, in each record that is written", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  const events: TestEvent[] = [];
  for (let hour = 0; hour < 24; hour++) {
    const { nowMs } = parts.clock;
    const event = payment(`e${hour}`, nowMs - minuteMs, { user: "u", card: 1 });
    await parts.append([event], hour % 2);
    events.push(event);
    await parts.expectAnswers(events, `hour ${hour}`);
    await parts.compact(["by_card"]);
    // In all a little less than the horizon of three hours and three quarters.
    parts.clock.nowMs += 9 * minuteMs;
  }
  expect(await epochsOf(parts, byUser, "u")).toEqual([23]);
  expect(await epochsOf(parts, byBoth, "u|1")).toEqual([23]);
  // Its own cuts part its epochs until they are collected.
  expect((await epochsOf(parts, byCard, "1"))?.length).toBeLessThanOrEqual(2);
  await parts.compact();
  await parts.expectAnswers(events, "after a compaction of all");
});

test("runs that fail again and again take up one cut, and leave one partial", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  const events: TestEvent[] = [];
  for (let i = 0; i < 10; i++) {
    const event = payment(`e${i}`, t0 - i * minuteMs, { user: "u", card: 1 });
    await parts.append([event]);
    events.push(event);
    await parts.publisher.start({ views: ["by_user"] }, parts.clock.nowMs);
    parts.clock.nowMs += minuteMs;
  }
  expect(await epochsOf(parts, byUser, "u")).toEqual([0, 1]);
  expect(await epochsOf(parts, byCard, "1")).toEqual([1]);
  await parts.expectAnswers(events, "after the runs");
});

test("records whose epochs become one answer as before, whichever views are compacted when", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = randomFrom(seed);
    const parts = new CompactionParts({ nowMs: t0 });
    const events: TestEvent[] = [];
    let partialsMax = 0;
    for (let step = 0; step < 14; step++) {
      const ageMs = random.pick([minuteMs, hourMs, 9 * hourMs]);
      const some = Array.from({ length: random.integer(0, 6) }, (_, i) =>
        payment(`e${step}-${i}`, parts.clock.nowMs - random.integer(-hourMs, ageMs), {
          user: random.pick(["u1", "u2"]),
          card: random.pick([1, 2]),
          amt: random.integer(-8, 9) / 4,
        }),
      );
      await parts.append(some, random.integer(0, 2));
      events.push(...some);
      const views = ["by_user", "by_card", "by_both"].filter(() => random.next() < 0.3);
      if (views.length > 0) await parts.compact(views);
      await parts.expectAnswers(events, `seed ${seed} step ${step}`);
      // Views are compacted at least about every three hours, their horizon: all stays exact.
      parts.clock.nowMs += random.integer(1, 12 * minuteMs);
      for (const entity of entitiesOf(byBoth, events)) {
        const epochs = await epochsOf(parts, byBoth, entity);
        partialsMax = Math.max(partialsMax, epochs?.length ?? 0);
      }
    }
    expect(partialsMax, `seed ${seed}`).toBeLessThan(12);
  }
});

test("a changed view answers a gap where its log had events before, until it is compacted", async () => {
  const define = (windows: readonly ["1h"] | readonly ["1h", "6h"]) =>
    streamView("spend", {
      entities: byUser.entities,
      source: payments,
      windowing: "sliding",
      interval: "5m",
      features: { amt: windows.map((window) => sum(window)) },
      compaction: { every: "3h" },
    } as never) as unknown as ViewDefinition;
  const before = define(["1h"]);
  const after = define(["1h", "6h"]);
  expect(after.fingerprint).not.toBe(before.fingerprint);
  const parts = new OnlineParts({ nowMs: t0, repository: loadRepository({ before }) });
  const event = payment("e1", t0 - 30 * minuteMs, { user: "u", card: 1 });
  await parts.append([event]);
  await parts.expectAnswers([event], "before the change");

  const repository = loadRepository({ after });
  const changed = new OnlineParts({ nowMs: t0, repository, before: parts });
  const later = payment("e2", t0 - 20 * minuteMs, { user: "u", card: 1 });
  await changed.append([later]);
  const homes = { batch: changed.batchStore, streams: changed.homes };
  const { answers } = await readViews(homes, [{ view: after, entity: "u" }], { nowMs: t0 });
  expect(answers[0]?.features.map(({ value, fault }) => [value, fault?.code])).toEqual([
    [null, "GAP"],
    [null, "GAP"],
  ]);
});
