import { expect, test } from "vitest";
import type { SourceEvent } from "../../src/define/definition.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { logShardOf } from "../../src/ingest/log-shard-of.ts";
import { limits } from "../../src/core/limits.ts";
import { randomFrom } from "../builders/random.ts";
import { hourMs, minuteMs, payment, payments } from "../ingest/online-parts.ts";
import type { TestEvent } from "../ingest/online-parts.ts";
import { CompactionParts, KilledError, hookCalls, killAt, repository } from "./compaction-parts.ts";

const t0 = Date.UTC(2026, 2, 1, 12, 2);

function rowOf({ timestampMs, id, values }: TestEvent): SourceEvent {
  return { timestampMs, id, values };
}

/** Appends an event to the shard that remembers its id. */
async function append(parts: CompactionParts, event: TestEvent): Promise<string | undefined> {
  const shard = logShardOf(payments.name, event.id, parts.logs.length);
  return (await parts.append([event], shard))[0];
}

function compact(parts: CompactionParts) {
  return compactViews(
    { api: parts.api(), offline: parts.offline, repository },
    { views: ["by_user", "by_card", "by_both"] },
  );
}

test("an event that is loaded and ingested counts once, whichever comes first, at every moment", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = randomFrom(seed);
    const parts = new CompactionParts({ nowMs: t0 });
    const pool = Array.from({ length: 12 }, (_, i) =>
      payment(`e${i}`, t0 - random.integer(1, 300) * minuteMs, { user: "u", card: 1 }),
    );
    const ingested = new Set<TestEvent>();
    const loaded = new Set<TestEvent>();
    for (let step = 0; step < 20; step++) {
      const event = random.pick(pool);
      const action = random.pick(["append", "append", "load", "compact", "kill"]);
      if (action === "append") {
        await append(parts, event);
        ingested.add(event);
      } else if (action === "load") {
        parts.offline.putLoad(payments, `load ${step}`, [rowOf(event)]);
        loaded.add(event);
      } else if (action === "compact") {
        await compact(parts);
        for (const each of loaded) ingested.add(each);
      } else {
        const kill = killAt(random.integer(0, 40), random.pick(["before", "after"]));
        const hooked = hookCalls({ api: parts.api(), offline: parts.offline }, kill);
        const run = compactViews(
          { ...hooked, repository },
          { views: ["by_user", "by_card", "by_both"] },
        );
        const [settled] = await Promise.allSettled([run]);
        if (settled.status === "rejected") expect(settled.reason).toBeInstanceOf(KilledError);
        // Whether the loaded ones are covered by now depends on where it was killed.
        await compact(parts);
        for (const each of loaded) ingested.add(each);
      }
      parts.clock.nowMs += random.pick([1, minuteMs, 20 * minuteMs]);
      const known = pool.filter((each) => ingested.has(each));
      await parts.expectAnswers(known, `seed ${seed} step ${step} ${action}`);
    }
  }
});

test("a load waits for the cut that covers what was ingested of it before", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  const event = payment("e", t0 - minuteMs, { user: "u", card: 1 });
  // A run that seals and dies, then the event comes into the next epoch.
  const die = hookCalls(
    { api: parts.api(), offline: parts.offline },
    {
      after: (_, name) => {
        if (name === "start") throw new KilledError("killed");
      },
    },
  );
  await expect(compactViews({ ...die, repository }, { views: ["by_user"] })).rejects.toThrow();
  await append(parts, event);
  parts.offline.putLoad(payments, "load", [rowOf(event)]);
  const [resumed] = await compact(parts);
  expect(resumed).toMatchObject({ view: "by_user", cut: 0, resumed: true, rows: 0 });
  await parts.expectAnswers([event], "after the run that was resumed");
  const [next] = await compact(parts);
  expect(next).toMatchObject({ cut: 2, rows: 1 });
  await parts.expectAnswers([event], "after the next");
});

test("an event older than a load's memory is refused, by whichever clock", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  const horizonMs = payments.redeliveryHorizonMs;
  const old = payment("old", t0 - horizonMs - hourMs, { user: "u", card: 1 });
  const edge = payment("edge", t0 - horizonMs + 1, { user: "u", card: 1 });
  parts.offline.putLoad(payments, "load", [rowOf(old), rowOf(edge)]);
  await compact(parts);
  expect(await append(parts, edge)).toBe("repeat");
  // The clock of whoever sends this goes hours after the others.
  parts.clock.nowMs = t0 - 3 * hourMs;
  await expect(append(parts, old)).rejects.toMatchObject({ code: "TOO_LATE" });
  parts.clock.nowMs = t0 + limits.clockErrorMsMax;
  await parts.expectAnswers([old, edge], "after all");
});
