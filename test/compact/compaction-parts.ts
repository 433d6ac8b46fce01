/** A publisher and an offline store beside the online side, and ways to stop a compaction. */

import { compactViews } from "../../src/compact/compact-views.ts";
import type { CompactionApi } from "../../src/compact/compaction-api.ts";
import { Publisher } from "../../src/compact/publisher.ts";
import type { Repository, SourceDefinition } from "../../src/define/definition.ts";
import { batchSource, batchView, count, lastDistinct, loadRepository } from "../../src/index.ts";
import type { LogAccess } from "../../src/ingest/log-home.ts";
import type { OfflineStore } from "../../src/offline/offline-store.ts";
import { MemoryStateTable } from "../../src/store/memory-state-table.ts";
import { MemoryOfflineStore } from "../builders/memory-offline-store.ts";
import { OnlineParts, byBoth, byCard, byUser, payments } from "../ingest/online-parts.ts";
import { user, visitsByUser } from "../ingest/online-parts.ts";

export const archive = batchSource("archive", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string" },
});
export const archiveByUser = batchView("archive_by_user", {
  entities: [user],
  source: archive,
  windowing: "sliding",
  interval: "5m",
  features: { id: [lastDistinct(100, "6h"), count("lifetime")] },
  compaction: { every: "3h" },
});
/** A batch view of events that stream in: what it knows comes from the log. */
export const dailyByUser = batchView("daily_by_user", {
  entities: [user],
  source: payments,
  windowing: "sliding",
  interval: "5m",
  features: { id: [lastDistinct(100, "6h"), count("lifetime")] },
  compaction: { every: "3h" },
});

export const repository = loadRepository({
  byUser,
  byCard,
  byBoth,
  visitsByUser,
  archiveByUser,
  dailyByUser,
});

export const viewNames = [...repository.views.keys()];

/** Rows in a page of the log: few, so that epochs span pages. */
const pageRowsMax = 4;

export interface CompactionPartsOptions {
  readonly nowMs: number;
  readonly repository?: Repository;
  readonly retentionMs?: number;
  /** Puts something before a log shard, as one whose seal fails. */
  readonly wrapLog?: (log: LogAccess) => LogAccess;
}

export class CompactionParts extends OnlineParts {
  readonly offline = new MemoryOfflineStore();
  readonly state = new MemoryStateTable();
  readonly logShards: (log: string) => readonly LogAccess[];
  publisher: Publisher;

  constructor(options: CompactionPartsOptions) {
    const { nowMs, retentionMs = 0, wrapLog = (log) => log } = options;
    super({ nowMs, retentionMs, repository: options.repository ?? repository });
    const shards = this.logs.map(({ home }) => wrapLog(home));
    this.logShards = (log) => (log === "main" ? shards : []);
    this.publisher = this.openPublisher();
  }

  /** A publisher as after a restart: what it knows is in its table. */
  openPublisher(): Publisher {
    const { repository: definitions, batchStore, streams, logShards, state } = this;
    return new Publisher({ repository: definitions, batchStore, streams, logShards, state });
  }

  /** The API as a compactor elsewhere has it. */
  api(): CompactionApi {
    const shardOf = (name: string) =>
      this.logShards("main").find(({ shard }) => shard === name) as LogAccess;
    return {
      start: (request) => this.publisher.start(request, this.clock.nowMs),
      now: () => Promise.resolve(this.clock.nowMs),
      home: () => this.publisher.home(),
      closeBefore: ({ shard, source, beforeMs }) => shardOf(shard).closeBefore(source, beforeMs),
      appendRows: async ({ shard, source, rows }) => {
        const entries = rows.map((row) => ({ ...row, source, offset: null }));
        const { redeliveryHorizonMs } = this.repository.sources.get(source) as SourceDefinition;
        await shardOf(shard).append(entries, {
          nowMs: this.clock.nowMs,
          redeliveryHorizonMs: new Map([[source, redeliveryHorizonMs]]),
        });
      },
      deletions: () => this.publisher.deletions(),
      finishDeletions: (names) => this.publisher.finishDeletions(names),
      erase: (request) => this.publisher.erase(request),
      shards: (log) => Promise.resolve(this.logShards(log).map(({ shard }) => shard)),
      readLog: ({ shard, ...range }) => shardOf(shard).read({ ...range, rowsMax: pageRowsMax }),
      trimLog: ({ shard, ...trim }) => shardOf(shard).trim({ ...trim, nowMs: this.clock.nowMs }),
      publish: (request) => this.publisher.publish(request),
      finish: (request) => this.publisher.finish(request, this.clock.nowMs),
      collect: (request) => this.publisher.collect(request, this.clock.nowMs),
      finishCollect: (request) => this.publisher.finishCollect(request, this.clock.nowMs),
    };
  }

  compact(views?: readonly string[], watermarkMs?: number) {
    const options = {
      ...(views === undefined ? {} : { views }),
      ...(watermarkMs === undefined ? {} : { watermarkMs }),
    };
    const { offline, repository: definitions } = this;
    return compactViews({ api: this.api(), offline, repository: definitions }, options);
  }

  /** The views whose run was started and not finished. */
  async runningViews(): Promise<string[]> {
    const views = [...this.repository.views.keys()];
    const states = await Promise.all(views.map((view) => this.state.get(`view:${view}`)));
    return views.filter((_, i) => (states[i] as { running?: boolean } | undefined)?.running);
  }
}

export class KilledError extends Error {}

/** What happens around each call that a compactor makes, in the order they are made. */
export interface CallHooks {
  readonly before?: (callIndex: number, name: string) => Promise<void> | void;
  readonly after?: (callIndex: number, name: string) => Promise<void> | void;
}

/** The API and the offline store with hooks around every call, counted together. */
export function hookCalls(
  { api, offline }: { readonly api: CompactionApi; readonly offline: OfflineStore },
  { before, after }: CallHooks,
): { readonly api: CompactionApi; readonly offline: OfflineStore } {
  let calls = 0;
  async function around<T>(name: string, call: () => Promise<T>): Promise<T> {
    const callIndex = calls++;
    await before?.(callIndex, name);
    const result = await call();
    await after?.(callIndex, name);
    return result;
  }
  async function* aroundEach<T>(name: string, call: () => AsyncIterable<T>): AsyncGenerator<T> {
    const callIndex = calls++;
    await before?.(callIndex, name);
    yield* call();
    await after?.(callIndex, name);
  }
  return {
    api: {
      start: (request) => around("start", () => api.start(request)),
      now: () => around("now", () => api.now()),
      home: () => api.home(),
      closeBefore: (request) => around("closeBefore", () => api.closeBefore(request)),
      appendRows: (request) => around("appendRows", () => api.appendRows(request)),
      deletions: () => around("deletions", () => api.deletions()),
      finishDeletions: (names) => around("finishDeletions", () => api.finishDeletions(names)),
      erase: (request) => around("erase", () => api.erase(request)),
      shards: (log) => around("shards", () => api.shards(log)),
      readLog: (request) => around("readLog", () => api.readLog(request)),
      trimLog: (request) => around("trimLog", () => api.trimLog(request)),
      publish: (request) => around("publish", () => api.publish(request)),
      finish: (request) => around("finish", () => api.finish(request)),
      collect: (request) => around("collect", () => api.collect(request)),
      finishCollect: (request) => around("finishCollect", () => api.finishCollect(request)),
    },
    offline: {
      identity: () => offline.identity(),
      home: () => offline.home(),
      setHome: (home) => offline.setHome(home),
      hasSegment: (name) => around("hasSegment", () => offline.hasSegment(name)),
      putSegment: (name, rows) => around("putSegment", () => offline.putSegment(name, rows)),
      putCorrections: (source, corrections) => offline.putCorrections(source, corrections),
      putDeletions: (deletions) => around("putDeletions", () => offline.putDeletions(deletions)),
      purge: (views) => around("purge", () => offline.purge(views)),
      deletedEntities: (view) => aroundEach("deletedEntities", () => offline.deletedEntities(view)),
      forgetPublished: (view, entities) =>
        around("forgetPublished", () => offline.forgetPublished(view, entities)),
      newLoads: (source) => around("newLoads", () => offline.newLoads(source)),
      recentRows: (load, fromMs) =>
        aroundEach("recentRows", () => offline.recentRows(load, fromMs)),
      registerLoad: (load, epoch) =>
        around("registerLoad", () => offline.registerLoad(load, epoch)),
      scan: (request) => aroundEach("scan", () => offline.scan(request)),
      estimateRows: (request) => around("estimateRows", () => offline.estimateRows(request)),
      entitiesOf: (view, epochs) =>
        aroundEach("entitiesOf", () => offline.entitiesOf(view, epochs)),
      putPublished: (request) => around("putPublished", () => offline.putPublished(request)),
      vanishedEntities: (request) =>
        aroundEach("vanished", () => offline.vanishedEntities(request)),
    },
  };
}

/**
 * Hooks that kill the compactor at one call: nothing it does afterwards arrives. At `once` the call
 * alone fails, before it arrives, and whoever goes on all the same gets through.
 */
export function killAt(killedCall: number, when: "before" | "after" | "once"): CallHooks {
  let isDead = false;
  function die(): never {
    isDead = when !== "once";
    throw new KilledError("the compactor was killed");
  }
  return {
    before: (callIndex) => {
      if (isDead || (when !== "after" && callIndex === killedCall)) die();
    },
    after: (callIndex) => {
      if (isDead || (when === "after" && callIndex === killedCall)) die();
    },
  };
}
