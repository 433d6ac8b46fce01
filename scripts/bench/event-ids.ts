/**
 * What the memory for event ids costs: its bytes in SQLite, that they stop growing once the oldest
 * ids pass the redelivery horizon, and the time of an append before and after that.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { digestText } from "../../src/core/hash.ts";
import { numberOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle } from "../../src/store/sql-handle.ts";
import { figureOf, rounded } from "./measure.ts";
import type { Figure } from "./measure.ts";

const dayMs = 86_400_000;
const horizonDays = 7;
const days = 11;
const eventsPerDay = 100_000;
const eventsPerAppend = 100;
const startMs = 1_770_000_000_000;
const encoder = new TextEncoder();

interface Day {
  readonly bytes: number;
  readonly idCount: number;
  /** One figure an append. */
  readonly microsecondsPerEvent: readonly number[];
}

/** Events of one key with UUIDs for ids, 100 to an append; the log is trimmed once a day. */
export async function eventIds(): Promise<Record<string, Figure>> {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-bench-"));
  const sql = openNodeSqlite(join(directory, "log.db"));
  try {
    const log = new SqliteEventLog(sql);
    const measured: Day[] = [];
    for (let day = 0; day < days; day++) {
      const microsecondsPerEvent = await appendDay(log, day);
      await emptyLog(log, day);
      const [row] = sql.run("SELECT COUNT(*) AS count FROM ids");
      measured.push({
        bytes: usedBytes(sql),
        idCount: numberOf(row?.["count"]),
        microsecondsPerEvent,
      });
    }
    return figuresOf(measured);
  } finally {
    sql.close();
    await rm(directory, { recursive: true });
  }
}

/** The microseconds an event took, of each append. */
async function appendDay(log: SqliteEventLog, day: number): Promise<number[]> {
  const took: number[] = [];
  const redeliveryHorizonMs = new Map([["events", horizonDays * dayMs]]);
  for (let from = 0; from < eventsPerDay; from += eventsPerAppend) {
    const entries = Array.from({ length: eventsPerAppend }, (_, i) => {
      const index = day * eventsPerDay + from + i;
      const timestampMs = startMs + Math.floor((index * dayMs) / eventsPerDay);
      const body = encoder.encode(JSON.stringify({ user_id: "u", amount: index / 100 }));
      return { source: "events", id: uuidOf(index), timestampMs, body, offset: null };
    });
    const nowMs = entries.at(-1)?.timestampMs ?? startMs;
    const startedAt = performance.now();
    await log.append(entries, { nowMs, redeliveryHorizonMs });
    took.push(((performance.now() - startedAt) * 1_000) / eventsPerAppend);
  }
  return took;
}

/** As a compaction leaves it: every row is applied and trimmed. */
async function emptyLog(log: SqliteEventLog, epoch: number): Promise<void> {
  await log.seal({ epoch, nowMs: startMs + (epoch + 1) * dayMs, cutOf: [] });
  await log.setAppliedSeq(Number.MAX_SAFE_INTEGER);
  await log.trim(epoch);
}

/** Of the pages that hold something: those of trimmed rows are free for the next ones. */
function usedBytes(sql: SqlHandle): number {
  const [row] = sql.run(
    `SELECT (pages.page_count - free.freelist_count) * sizes.page_size AS bytes
     FROM pragma_page_count AS pages, pragma_freelist_count AS free, pragma_page_size AS sizes`,
  );
  return numberOf(row?.["bytes"]);
}

function uuidOf(index: number): string {
  const hex = digestText(`event ${index}`);
  const [from, until] = [hex.slice(0, 20), hex.slice(20)];
  return `${from.replace(/^(.{8})(.{4})(.{4})(.{4})$/, "$1-$2-$3-$4")}-${until}`;
}

function figuresOf(measured: readonly Day[]): Record<string, Figure> {
  const first = measured[0] as Day;
  const last = measured.at(-1) as Day;
  // From the day on which the first ids are past the horizon nothing is added but in their place.
  const steady = measured.slice(horizonDays + 1);
  const idBytes = steady.map(({ bytes, idCount }) => bytes / idCount);
  const growth = steady.map(({ bytes }) => bytes / (steady[0] as Day).bytes);
  const mebibytes = steady.map(({ bytes }) => bytes / 2 ** 20);
  return {
    eventIdBytes: figureOf(idBytes, "bytes in SQLite of an event id that is remembered"),
    eventIdMebibytes: figureOf(
      mebibytes,
      `MiB of all ids: ${rounded(last.idCount)} of ${eventsPerDay} events a day on one key, ${horizonDays} days`,
    ),
    eventIdGrowth: figureOf(growth, "bytes on each day past the horizon over those of the first"),
    appendFirstDay: figureOf(percentiles(first), "µs an event to append, first day; to the 99th"),
    appendLastDay: figureOf(percentiles(last), "µs an event to append, past the horizon"),
  };
}

/** Of appends in the middle 98 in a hundred: the disk's own pauses are not the log's. */
function percentiles({ microsecondsPerEvent }: Day): number[] {
  const sorted = [...microsecondsPerEvent].sort((a, b) => a - b);
  return sorted.slice(Math.floor(sorted.length * 0.01), Math.ceil(sorted.length * 0.99));
}
