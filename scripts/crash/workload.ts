/**
 * What a crash run plays, at instants of its own: history that is ingested and compacted, then the
 * two brackets in which a server is killed, then what shows that nothing was broken by it.
 *
 *   history ─► compaction ─► [ingest] ─► [compaction] ─► more events ─► compaction that collects
 */

import type { WorkloadEvent } from "./expected-answers.ts";

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 5, 10);

/** Each instant is past the grace of the compaction before it. */
export const instants = {
  history: startMs + 20 * minuteMs,
  firstCompaction: startMs + 30 * minuteMs,
  ingest: startMs + 50 * minuteMs,
  compaction: startMs + 70 * minuteMs,
  more: startMs + 80 * minuteMs,
  lastCompaction: startMs + 100 * minuteMs,
  end: startMs + 110 * minuteMs,
} as const;

export type EventRequest = readonly WorkloadEvent[];

/** What two clients send at the same time, each one request after the other. */
export type Clients = readonly (readonly EventRequest[])[];

const userCount = 6;
const groupCount = 4;

const historyEvents = makeEvents("history", { count: 24, untilMs: instants.history });
const ingestEvents = makeEvents("ingest", { count: 24, untilMs: instants.ingest });
const moreEvents = makeEvents("more", { count: 6, untilMs: instants.more });

export const events = { history: historyEvents, ingest: ingestEvents, more: moreEvents } as const;

export const historyClients: Clients = [[historyEvents]];
export const moreClients: Clients = [[moreEvents]];

/** Every request repeats an event that was acknowledged long ago. */
export const ingestClients: Clients = [0, 1].map((client) =>
  [0, 1, 2].map((request) => {
    const from = (client * 3 + request) * 4;
    return [...ingestEvents.slice(from, from + 4), historyEvents[from] as WorkloadEvent];
  }),
);

/** Events of an hour and a half before an instant: ties, late ones, old and new entities. */
export function makeEvents(
  name: string,
  { count, untilMs }: { readonly count: number; readonly untilMs: number },
): WorkloadEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${name}-${i}`,
    ts: untilMs - 1 - Math.floor(i / 2) * ((90 * minuteMs) / count) * (i % 5 === 0 ? 2 : 1),
    user_id: i % 7 === 6 ? `${name}-user` : `user-${i % userCount}`,
    group_id: `group-${(i * 3) % groupCount}`,
    amount: 3 ** (i % 20),
  }));
}
