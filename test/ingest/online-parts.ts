/** The online side in this process: logs in SQLite, stream and batch records in memory, a clock. */

import { expect } from "vitest";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { Repository, SourceEvent, ViewDefinition } from "../../src/define/definition.ts";
import {
  count,
  entity,
  lastDistinct,
  loadRepository,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import { LogHome } from "../../src/ingest/log-home.ts";
import { ShardedStreams } from "../../src/ingest/sharded-streams.ts";
import { writeSourceEvent } from "../../src/ingest/source-event-codec.ts";
import { StoreStreamHome } from "../../src/ingest/store-stream-home.ts";
import { entityOf, projectView } from "../../src/ingest/view-projection.ts";
import { readViews } from "../../src/serve/read-views.ts";
import type { LogEntry } from "../../src/store/event-log.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { StreamHome } from "../../src/store/stream-home.ts";
import { batchKey, shardOf, streamKey } from "../../src/tile/keys.ts";
import { readStreamRecord } from "../../src/tile/stream-record.ts";
import type { StreamRecord } from "../../src/tile/stream-record.ts";
import { windowBounds } from "../../src/window/bounds.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

export const user = entity("user", { user_id: "string" });
const card = entity("card", { card: "int64" });

export const payments = streamSource("payments", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", card: "int64", amt: "float64" },
});
export const visits = streamSource("visits", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amt: "float64" },
});

// Lists of ids cannot be right by chance, and a count shows what a list of distinct ids hides.
const idFeatures = [
  lastDistinct(1_000, "1h"),
  lastDistinct(1_000, "6h", { offset: "-30m" }),
  lastDistinct(1_000, "lifetime"),
  count("6h"),
  count("lifetime"),
] as const;

export const byUser = streamView("by_user", {
  entities: [user],
  source: payments,
  windowing: "sliding",
  interval: "5m",
  features: { id: idFeatures, amt: [sum("6h"), sum("lifetime")] },
  compaction: { every: "3h" },
});
export const byCard = streamView("by_card", {
  entities: [card],
  source: payments,
  windowing: "continuous",
  features: { id: idFeatures, amt: [sum("6h")] },
  compaction: { every: "3h" },
});
export const byBoth = streamView("by_both", {
  entities: [user, card],
  source: payments,
  windowing: "sawtooth",
  interval: "5m",
  features: { id: idFeatures },
  compaction: { every: "3h" },
});
export const visitsByUser = streamView("visits_by_user", {
  entities: [user],
  source: visits,
  windowing: "sliding",
  interval: "5m",
  features: { id: idFeatures, amt: [sum("1h")] },
  compaction: { every: "3h" },
});

export const streamViews: readonly ViewDefinition[] = [byUser, byCard, byBoth, visitsByUser];

export interface TestEvent extends SourceEvent {
  readonly source: typeof payments | typeof visits;
}

export function payment(
  id: string,
  timestampMs: number,
  keys: { readonly user: string | null; readonly card: Scalar | null; readonly amt?: number },
): TestEvent {
  const columns = { id, ts: timestampMs, user_id: keys.user, card: keys.card, amt: keys.amt ?? 1 };
  return eventOf(payments, columns);
}

export function visit(id: string, timestampMs: number, userId: string | null): TestEvent {
  return eventOf(visits, { id, ts: timestampMs, user_id: userId, amt: 0.25 });
}

function eventOf(
  source: TestEvent["source"],
  columns: Readonly<Record<string, Scalar | null>> & { readonly id: string; readonly ts: number },
): TestEvent {
  const values = source.columns.map(({ name }) => columns[name] ?? null);
  return { source, timestampMs: columns.ts, id: columns.id, values };
}

export interface OnlinePartsOptions {
  readonly nowMs: number;
  readonly repository?: Repository;
  /** How long logs keep rows for other regions. */
  readonly retentionMs?: number;
  /** Parts whose stores and logs these go on with, as after a deployment. */
  readonly before?: OnlineParts;
  /** Puts something before a home of streams, as one that fails. */
  readonly wrapHome?: (home: StreamHome) => StreamHome;
}

const streamShardCount = 2;
const logShardCount = 2;

export class OnlineParts {
  readonly repository: Repository;
  readonly clock: { nowMs: number };
  readonly batchStore: MemoryStore;
  readonly streamStores: readonly MemoryStore[];
  readonly homes: readonly StreamHome[];
  readonly streams: ShardedStreams;
  readonly logs: readonly { readonly log: SqliteEventLog; readonly home: LogHome }[];

  constructor(options: OnlinePartsOptions) {
    const { nowMs, repository, before, retentionMs = 0, wrapHome = (home) => home } = options;
    this.clock = { nowMs };
    this.batchStore = before?.batchStore ?? new MemoryStore();
    this.streamStores =
      before?.streamStores ?? Array.from({ length: streamShardCount }, () => new MemoryStore());
    this.repository = repository ?? loadRepository({ byUser, byCard, byBoth, visitsByUser });
    this.homes = this.streamStores.map((store) =>
      wrapHome(new StoreStreamHome(store, this.repository)),
    );
    this.streams = new ShardedStreams(this.homes);
    this.logs = Array.from({ length: logShardCount }, (_, i) => {
      const log = before?.logs[i]?.log ?? new SqliteEventLog(openNodeSqlite(":memory:"));
      const { streams, repository: definitions } = this;
      const shard = `main-${i}`;
      const home = new LogHome({ shard, log, streams, repository: definitions, retentionMs });
      return { log, home };
    });
  }

  /** Appends events to one log shard, now. */
  async append(events: readonly TestEvent[], logShard = 0): Promise<readonly string[]> {
    const horizons = new Map([payments, visits].map((each) => [each.name, 168 * hourMs]));
    const options = { nowMs: this.clock.nowMs, redeliveryHorizonMs: horizons };
    const home = this.logs[logShard]?.home as LogHome;
    return (await home.append(events.map(entryOf), options)).outcomes;
  }

  async streamRecord(view: ViewDefinition, entityKey: string): Promise<StreamRecord | null> {
    const store = this.streamStores[shardOf(entityKey, streamShardCount)] as MemoryStore;
    const [stored] = await store.readMany([streamKey(view, entityKey)]);
    return stored === null || stored === undefined ? null : readStreamRecord(stored.bytes, view);
  }

  /** Every record of some entities, by key: with `versions` also how often each was written. */
  async dump(
    events: readonly TestEvent[],
    versions: "versions" | "bytes" = "bytes",
  ): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const view of this.repository.views.values()) {
      const entities = entitiesOf(view, events);
      const keys = entities.flatMap((each) => [batchKey(view, each), streamKey(view, each)]);
      for (const [i, store] of [this.batchStore, ...this.streamStores].entries()) {
        (await store.readMany(keys)).forEach((value, j) => {
          if (value === null) return;
          const version = versions === "versions" ? ` ${value.version}` : "";
          found[`${i} ${keys[j]}`] = Buffer.from(value.bytes).toString("hex") + version;
        });
      }
    }
    return found;
  }

  /** Expects of every stream view and entity the answers that these events come to, here and now. */
  async expectAnswers(events: readonly TestEvent[], when: string): Promise<void> {
    const { nowMs } = this.clock;
    const views = [...this.repository.views.values()].filter(({ kind }) => kind === "streamView");
    const reads = views.flatMap((view) =>
      entitiesOf(view, events).map((each) => ({ view, entity: each })),
    );
    const { answers } = await readViews({ batch: this.batchStore, streams: this.homes }, reads, {
      nowMs,
    });
    const shown = answers.map(({ features }, i) => ({
      ...reads[i],
      view: reads[i]?.view.name,
      values: features.map(({ value, fault, degraded }) => fault ?? degraded ?? value),
    }));
    const expected = reads.map((read) => ({
      ...read,
      view: read.view.name,
      values: bruteForce(read.view, eventsOf(read.view, events, read.entity), nowMs),
    }));
    expect(shown, when).toEqual(expected);
  }
}

/** The entities of events in a view, each once. */
export function entitiesOf(view: ViewDefinition, events: readonly TestEvent[]): string[] {
  const projection = projectView(view);
  const own = events.filter(({ source }) => source.name === view.source.name);
  const entities = own.map((event) => entityOf(projection, event));
  return [...new Set(entities.filter((each) => each !== null))].sort();
}

function eventsOf(
  view: ViewDefinition,
  events: readonly TestEvent[],
  entityKey: string,
): readonly TestEvent[] {
  const projection = projectView(view);
  const own = events.filter(({ source }) => source.name === view.source.name);
  return own.filter((event) => entityOf(projection, event) === entityKey);
}

/** The features of a view over the events of one entity: whole lists, nothing merged. */
export function bruteForce(
  view: ViewDefinition,
  events: readonly SourceEvent[],
  atMs: number,
): unknown[] {
  const columnOf = (name: string) => view.source.columns.findIndex((each) => each.name === name);
  return view.features.map(({ functionName, column, window }) => {
    const { startMs, endMs } = windowBounds(view, window, atMs);
    const inside = events
      .filter(({ timestampMs }) => timestampMs >= startMs && timestampMs < endMs)
      .sort((a, b) => a.timestampMs - b.timestampMs || (a.id < b.id ? -1 : 1));
    if (functionName === "last_distinct") return inside.map(({ id }) => id);
    if (functionName === "count") return inside.length;
    const amounts = inside.map(({ values }) => values[columnOf(column)] as number);
    return amounts.length === 0 ? null : amounts.reduce((a, b) => a + b);
  });
}

export function entryOf({ source, ...event }: TestEvent): LogEntry {
  const body = writeSourceEvent(source, event);
  return { source: source.name, id: event.id, timestampMs: event.timestampMs, body, offset: null };
}
