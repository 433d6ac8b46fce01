import { expect, test } from "vitest";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { FeatureError } from "../../src/core/errors.ts";
import type { AppendOptions, EventLogShard, LogEntry } from "../../src/store/event-log.ts";
import { MemoryEventLog } from "../../src/store/memory-event-log.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { entry, graceMs, horizonMs, horizons, readAll, t0 } from "./log-case.ts";

type Operation = (log: EventLogShard) => Promise<unknown>;

const seedCount = 50;
const operationCount = 60;

test(
  "MemoryEventLog and SqliteEventLog answer alike, whatever is asked of them",
  { timeout: 60_000 },
  async () => {
    for (let seed = 1; seed <= seedCount; seed++) {
      const random = randomFrom(seed);
      const memory = new MemoryEventLog({ idsMax: 25 });
      const sql = openNodeSqlite(":memory:");
      const sqlite = new SqliteEventLog(sql, { idsMax: 25 });
      for (let step = 0; step < operationCount; step++) {
        const operation = randomOperation(random);
        const answers = [await answerOf(operation, memory), await answerOf(operation, sqlite)];
        expect(answers[0], `seed ${seed}, step ${step}`).toEqual(answers[1]);
      }
      sql.close();
    }
  },
);

async function answerOf(operation: Operation, log: EventLogShard): Promise<unknown> {
  const state = async () => [await readAll(log), await log.epochs(0), await log.appliedSeq()];
  try {
    return [await operation(log), await state()];
  } catch (error) {
    if (!(error instanceof FeatureError)) throw error;
    return [error.code, error.message, error.retryable, await state()];
  }
}

function randomOperation(random: Random): Operation {
  const nowMs = t0 + random.integer(-4, 5) * (horizonMs / 2) + random.integer(0, 3) * graceMs;
  const epoch = random.integer(-1, 8);
  const seq = random.integer(0, 40);
  const cutOf = ["u", "v", "w"].filter(() => random.next() < 0.5);
  const source = random.pick(["a", "b"]);
  const fromMs = t0 - random.integer(1, 9) * horizonMs;
  const [entries, options] = randomAppend(random, nowMs);
  const range = { afterSeq: seq, epochMax: epoch, rowsMax: random.integer(1, 10) };
  const append: Operation = (log) => log.append(entries, options);
  return random.pick<Operation>([
    ...Array<Operation>(12).fill(append),
    (log) => log.seal({ epoch, nowMs, cutOf }),
    (log) => log.closeBefore(source, fromMs),
    async (log) => [...(await log.viewFloors(cutOf))],
    (log) => log.currentEpoch(),
    (log) => log.setAppliedSeq(seq),
    (log) => log.trim(epoch),
    async (log) => (await log.read(range)).map((row) => row.seq),
  ]);
}

function randomAppend(random: Random, nowMs: number): [LogEntry[], AppendOptions] {
  const fromOffset = random.integer(0, 12);
  const nextOffset = fromOffset + random.integer(0, 4);
  const partition = `${random.integer(0, 3)}`;
  const hasRange = random.next() < 0.3;
  const entries = Array.from({ length: random.integer(0, 5) }, () => {
    const body = Uint8Array.of(random.integer(0, 2));
    const id = random.next() < 0.2 ? "" : `${random.integer(0, 20)}`;
    return entry(id, { source: random.pick(["a", "b"]), timestampMs: timeIn(random), body });
  });
  for (let offset = fromOffset; hasRange && offset < nextOffset; offset++) {
    if (random.next() < 0.3) continue;
    entries.push(entry("", { source: "c", offset, timestampMs: timeIn(random) }));
  }
  const request = {
    key: `${random.integer(0, 6)}`,
    contentHash: random.next() < 0.9 ? "h" : "other",
    keepUntilMs: nowMs + random.integer(0, 2) * horizonMs,
  };
  return [
    entries,
    {
      nowMs,
      redeliveryHorizonMs: random.next() < 0.8 ? horizons : new Map([["b", horizonMs]]),
      ...(random.next() < 0.3 && { request }),
      ...(hasRange && { partitions: [{ source: "c", partition, fromOffset, nextOffset }] }),
    },
  ];
}

function timeIn(random: Random): number {
  return t0 + random.integer(-8, 9) * (horizonMs / 4);
}
