/** What the cases of the event log's contract are made of. */

import type { EventLogShard, LogEntry, LogRow } from "../../src/store/event-log.ts";
import { limits } from "../../src/core/limits.ts";

export interface LogCase {
  readonly name: string;
  /** How many ids the shard remembers; a million where it is left out. */
  readonly idsMax?: number;
  run(log: EventLogShard): Promise<void>;
}

export const t0 = 1_700_000_000_000;
export const horizonMs = 3_600_000;
export const horizons = new Map([
  ["a", horizonMs],
  ["b", horizonMs],
]);
/** How long what is remembered outlives its time: clocks differ, and requests take time. */
export const graceMs = limits.clockErrorMsMax + limits.requestMsMax;

export function entry(id: string, fields: Partial<LogEntry> = {}): LogEntry {
  return { source: "a", id, timestampMs: t0, body: Uint8Array.of(7), offset: null, ...fields };
}

export async function append(log: EventLogShard, entries: readonly LogEntry[], nowMs: number) {
  const result = await log.append(entries, { nowMs, redeliveryHorizonMs: horizons });
  return result.outcomes;
}

/** Seals an epoch that no view has as its cut. */
export function seal(log: EventLogShard, epoch: number, nowMs: number): Promise<void> {
  return log.seal({ epoch, nowMs, cutOf: [] });
}

export async function readAll(log: EventLogShard): Promise<LogRow[]> {
  const rows = await log.read({ afterSeq: 0, epochMax: Infinity, rowsMax: 1_000_000 });
  // A view of a larger buffer equals no other: compare plain copies.
  return rows.map((row) => ({ ...row, body: Uint8Array.from(row.body) }));
}
