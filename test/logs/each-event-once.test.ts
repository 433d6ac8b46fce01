import { describe, expect, test } from "vitest";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { FeatureError } from "../../src/core/errors.ts";
import type { EventLogShard, LogEntry } from "../../src/store/event-log.ts";
import { MemoryEventLog } from "../../src/store/memory-event-log.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { append, entry, graceMs, horizonMs, horizons, readAll, t0 } from "./log-case.ts";

const logs: readonly [name: string, open: () => EventLogShard][] = [
  ["MemoryEventLog", () => new MemoryEventLog()],
  ["SqliteEventLog", () => new SqliteEventLog(openNodeSqlite(":memory:"))],
];
const seedCount = 60;

describe.each(logs)("%s", (_, open) => {
  test("append() has every record of a partition once, however its batches are cut and sent", async () => {
    for (let seed = 1; seed <= seedCount; seed++) {
      const random = randomFrom(seed);
      const log = open();
      const offsets = randomOffsets(random);
      const start = offsets[0] as number;
      const end = (offsets.at(-1) as number) + 1;
      let refusedCount = 0;
      const send = async (fromOffset: number, nextOffset: number): Promise<void> => {
        // A refusal says from where to send: what lies before the batch is sent with it then.
        for (let from = fromOffset; ; refusedCount++) {
          const next = await sendBatch(log, { offsets, fromOffset: from, nextOffset });
          if (next === null) return;
          expect(next, `seed ${seed}`).toBeLessThan(from);
          from = next;
        }
      };
      await send(start, start + 1);
      for (const [fromOffset, nextOffset] of randomBatches(random, start, end)) {
        await send(fromOffset, nextOffset);
      }
      await send(start, end);
      const found = (await readAll(log)).map(({ timestampMs }) => timestampMs);
      expect(found, `seed ${seed}, ${refusedCount} refused`).toEqual(offsets);
      if (seed === 1) expect(refusedCount).toBeGreaterThan(0);
    }
  });

  test("append() counts no id twice while the clock jumps", async () => {
    let refusedCount = 0;
    for (let seed = 1; seed <= seedCount; seed++) {
      const random = randomFrom(seed);
      const log = open();
      const events = randomEvents(random);
      for (let step = 0; step < 80; step++) {
        const sent = random.shuffled(events).slice(0, random.integer(0, 4));
        refusedCount += await isRefused(append(log, sent, jumpingClock(random)));
      }
      const ids = (await readAll(log)).map(({ id }) => id);
      expect(ids.length, `seed ${seed}`).toBe(new Set(ids).size);
      expect(ids.length, `seed ${seed}`).toBeGreaterThan(0);
    }
    expect(refusedCount).toBeGreaterThan(seedCount);
  });

  test("append() counts no named request twice while the clock jumps", async () => {
    let refusedCount = 0;
    for (let seed = 1; seed <= seedCount; seed++) {
      const random = randomFrom(seed);
      const log = open();
      const requests = Array.from({ length: 10 }, (_each, key) =>
        randomEvents(random)
          .slice(0, 3)
          .map((event, i) => entry("", { ...event, id: "", body: Uint8Array.of(key, i) })),
      );
      for (let step = 0; step < 80; step++) {
        const nowMs = jumpingClock(random);
        const key = random.integer(0, requests.length);
        const entries = requests[key] as LogEntry[];
        const newestMs = Math.max(...entries.map(({ timestampMs }) => timestampMs));
        const keepUntilMs = Math.max(nowMs, newestMs) + horizonMs;
        const request = { key: `${key}`, contentHash: "h", keepUntilMs };
        const options = { nowMs, redeliveryHorizonMs: horizons, request };
        refusedCount += await isRefused(log.append(entries, options));
      }
      const bodies = (await readAll(log)).map(({ body }) => body.join());
      expect(bodies.length, `seed ${seed}`).toBe(new Set(bodies).size);
      expect(bodies.length % 3, `seed ${seed}`).toBe(0);
    }
    expect(refusedCount).toBeGreaterThan(seedCount);
  });
});

/** Offsets with gaps, as a compacted partition has them. */
function randomOffsets(random: Random): number[] {
  const offsets: number[] = [];
  let offset = random.integer(0, 1_000);
  for (let i = random.integer(5, 40); i > 0; i--) {
    offsets.push(offset);
    offset += random.next() < 0.7 ? 1 : random.integer(2, 5);
  }
  return offsets;
}

/** Duplicated, overlapping and out of order. */
function randomBatches(random: Random, start: number, end: number): [number, number][] {
  return Array.from({ length: 25 }, () => {
    const from = random.integer(start, end);
    return [from, Math.min(end, from + random.integer(0, 8))];
  });
}

/** Each record's time is its offset. Null where the batch was taken, else from where to send. */
async function sendBatch(
  log: EventLogShard,
  batch: {
    readonly offsets: readonly number[];
    readonly fromOffset: number;
    readonly nextOffset: number;
  },
): Promise<number | null> {
  const { offsets, fromOffset, nextOffset } = batch;
  const inside = offsets.filter((each) => fromOffset <= each && each < nextOffset);
  const entries = inside.map((offset) => entry("", { timestampMs: offset, offset }));
  const partitions = [{ source: "a", partition: "0", fromOffset, nextOffset }];
  try {
    await log.append(entries, { nowMs: t0, redeliveryHorizonMs: horizons, partitions });
    return null;
  } catch (error) {
    if (!(error instanceof FeatureError) || error.code !== "CONFLICT") throw error;
    return Number(/send from offset (\d+)$/.exec(error.message)?.[1]);
  }
}

function randomEvents(random: Random): LogEntry[] {
  return Array.from({ length: 12 }, (_, i) =>
    entry(`${i}`, { timestampMs: t0 + random.integer(-4, 5) * (horizonMs / 4) }),
  );
}

function jumpingClock(random: Random): number {
  return t0 + random.integer(-3, 5) * (horizonMs / 2) + random.integer(0, 3) * graceMs;
}

/** 1 for what is refused as too late; any other failure is one of the test. */
async function isRefused(appended: Promise<unknown>): Promise<number> {
  try {
    await appended;
    return 0;
  } catch (error) {
    if (!(error instanceof FeatureError) || error.code !== "TOO_LATE") throw error;
    return 1;
  }
}
