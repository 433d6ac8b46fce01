import { expect, test } from "vitest";
import { drainLog } from "../../src/compact/drain-log.ts";
import type { OfflineEvent } from "../../src/offline/offline-store.ts";
import { randomFrom } from "../builders/random.ts";
import { payment, payments, visit, visits } from "../ingest/online-parts.ts";
import type { TestEvent } from "../ingest/online-parts.ts";
import { CompactionParts, hookCalls } from "./compaction-parts.ts";

const t0 = Date.UTC(2026, 2, 1, 12, 2);
const sources = [payments, visits];
const shard = "main-0";

/** Events of both sources in turn, `count` an epoch, the last epoch left open. */
async function buildEpochs(counts: readonly number[]): Promise<{
  readonly parts: CompactionParts;
  readonly epochs: readonly (readonly TestEvent[])[];
}> {
  const parts = new CompactionParts({ nowMs: t0 });
  const epochs = counts.map((count, epoch) =>
    Array.from({ length: count }, (_, i) => {
      const id = `${epoch}-${i}`;
      const timestampMs = t0 - i * 1_000;
      return i % 3 === 2
        ? visit(id, timestampMs, i % 2 === 0 ? "u" : null)
        : payment(id, timestampMs, { user: "u", card: i });
    }),
  );
  for (const [epoch, events] of epochs.entries()) {
    parts.clock.nowMs = t0 + epoch;
    await parts.append(events);
    if (epoch < epochs.length - 1) {
      await parts.logs[0]?.home.seal({ epoch, nowMs: parts.clock.nowMs, cutOf: [] });
    }
  }
  return { parts, epochs };
}

interface DumpedSegments {
  readonly segments: readonly [string, readonly OfflineEvent[]][];
}

function segmentsOf(parts: CompactionParts): Record<string, OfflineEvent[]> {
  const { segments } = parts.offline.dump() as DumpedSegments;
  return Object.fromEntries(segments.map(([key, rows]) => [key, [...rows]]));
}

/** What the segments of sealed epochs must be. */
function expectedSegments(epochs: readonly (readonly TestEvent[])[]) {
  const expected: Record<string, unknown[]> = {};
  let seq = 0;
  epochs.forEach((events, epoch) => {
    for (const { name } of sources) expected[`${name} ${shard} ${epoch}`] = [];
    for (const { source, ...event } of events) {
      seq += 1;
      const row = { ...event, seq, epoch, arrivedAtMs: t0 + epoch };
      expected[`${source.name} ${shard} ${epoch}`]?.push(row);
    }
  });
  return expected;
}

async function seqsLeft(parts: CompactionParts): Promise<number[]> {
  const range = { afterSeq: 0, epochMax: Infinity, rowsMax: 1_000 };
  return ((await parts.logs[0]?.log.read(range)) ?? []).map(({ seq }) => seq);
}

test("drainLog() moves every row of sealed epochs, page by page, and leaves the open epoch", async () => {
  const { parts, epochs } = await buildEpochs([11, 1, 8, 3]);
  const drained = await drainLog(parts.api(), parts.offline, { shard, sources, cut: 2 });
  expect(drained).toBe(20);
  expect(segmentsOf(parts)).toEqual(expectedSegments(epochs.slice(0, 3)));
  expect(await seqsLeft(parts)).toEqual([21, 22, 23]);
  expect(await drainLog(parts.api(), parts.offline, { shard, sources, cut: 2 })).toBe(0);
});

test("drainLog() stops at its cut, though more epochs are sealed", async () => {
  const { parts, epochs } = await buildEpochs([4, 4, 4, 4]);
  expect(await drainLog(parts.api(), parts.offline, { shard, sources, cut: 0 })).toBe(4);
  expect(segmentsOf(parts)).toEqual(expectedSegments(epochs.slice(0, 1)));
  expect(await seqsLeft(parts)).toHaveLength(12);
  expect(await drainLog(parts.api(), parts.offline, { shard, sources, cut: -1 })).toBe(0);
});

test("drainLog() at once by several compactors puts each segment whole", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomFrom(seed);
    const { parts, epochs } = await buildEpochs([9, 7, 10, 2]);
    const pause = async () => {
      for (let turns = random.integer(0, 25); turns > 0; turns--) await Promise.resolve();
    };
    const drains = [0, 1, 2].map(() => {
      const hooks = { before: pause, after: pause };
      const { api, offline } = hookCalls({ api: parts.api(), offline: parts.offline }, hooks);
      return drainLog(api, offline, { shard, sources, cut: 2 });
    });
    await Promise.all(drains);
    expect(segmentsOf(parts), `seed ${seed}`).toEqual(expectedSegments(epochs.slice(0, 3)));
    expect(await seqsLeft(parts), `seed ${seed}`).toEqual([27, 28]);
  }
});

test("drainLog() refuses rows of a source that it does not know, and forgets none of them", async () => {
  const { parts } = await buildEpochs([9, 1]);
  const request = { shard, sources: [payments], cut: 0 };
  const refused = { code: "NOT_FOUND", message: expect.stringContaining('source "visits"') };
  for (let attempt = 0; attempt < 2; attempt++) {
    const drain = drainLog(parts.api(), parts.offline, request);
    await expect(drain).rejects.toMatchObject(refused);
    expect(await seqsLeft(parts)).toHaveLength(10);
  }
  // Nor where another compactor, that knew it, put the segments of the others and was killed.
  const name = { source: payments, shard, epoch: 0 };
  await parts.offline.putSegment(name, (async function* () {})());
  const drain = drainLog(parts.api(), parts.offline, request);
  await expect(drain).rejects.toMatchObject(refused);
  expect(await seqsLeft(parts)).toHaveLength(10);
});
