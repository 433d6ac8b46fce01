/**
 * Serialises the compactions of a view: who may publish, what is sealed, what may be collected.
 * It is the only writer of batch records, so that a store without compare-and-set has a guard.
 */

import { FeatureError } from "../core/errors.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import { batchKey } from "../tile/keys.ts";
import type { OnlineStore } from "../store/online-store.ts";
import type { StateTable } from "../store/state-table.ts";
import type { LogAccess } from "../ingest/log-home.ts";
import type { ShardedStreams } from "../ingest/sharded-streams.ts";
import { Burials } from "./burials.ts";
import { graceOf } from "./grace-of.ts";
import { burialFeed, PublishFeed } from "./publish-feed.ts";
import { readFeedItems } from "./read-feed-items.ts";
import { requireSameDefinitions } from "./compactor-identity.ts";
import type {
  CollectCutRequest,
  CollectRequest,
  CompactionRun,
  DeleteRequest,
  EraseRequest,
  FeedItem,
  FeedRequest,
  FinishRequest,
  PendingDeletion,
  Published,
  PublishedView,
  PublishRequest,
  PublisherAccess,
  StartRequest,
} from "./compaction-api.ts";
import {
  collectRun,
  collectibleWatermark,
  finishRun,
  freshView,
  startRun,
  touchRun,
} from "./view-state.ts";
import type { ViewState } from "./view-state.ts";

export interface PublisherParts {
  readonly repository: Repository;
  readonly batchStore: OnlineStore;
  readonly streams: ShardedStreams;
  readonly logShards: (log: string) => readonly LogAccess[];
  readonly state: StateTable;
}

interface StartedRun {
  readonly view: ViewDefinition;
  readonly before: ViewState;
  readonly after: ViewState;
}

export class Publisher implements PublisherAccess {
  readonly #parts: PublisherParts;
  readonly #burials: Burials;
  readonly #feed: PublishFeed;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#feed = new PublishFeed(parts.state);
    this.#burials = new Burials({ ...parts, feed: this.#feed });
  }

  /** How long after a publish an older copy of a batch record may still be met. */
  get graceMs(): number {
    return graceOf(this.#parts.batchStore);
  }

  start(request: StartRequest, nowMs: number): Promise<readonly CompactionRun[]> {
    return this.#exclusive(async () => {
      const views = request.views.map((name) => this.#view(name));
      requireOneView(request);
      const compactor = await this.#requireCompactor(request, views, nowMs);
      const seals = await this.#planSeals(views);
      const runs: StartedRun[] = [];
      for (const view of views) {
        const before = await this.#state(view);
        const sealedEpoch = hasLog(view) ? (seals.get(view.source.log) ?? 0) : null;
        const after = startRun(before, view, { sealedEpoch, request, nowMs });
        runs.push({ view, before, after });
      }
      // What is about to be sealed is remembered first: a crash after it finds the same numbers.
      await this.#parts.state.put({
        ...compactor,
        ...Object.fromEntries(takenSeals(runs, seals)),
        ...Object.fromEntries(runs.map(({ view, after }) => [viewEntry(view), after])),
      });
      await this.#seal(runs);
      return runs.map((run) => this.#runOf(run, nowMs));
    });
  }

  publish(request: PublishRequest): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(request.view);
      const { cut, collectedCut, collectedWatermarkMs } = await this.#fenced(view, request.fence);
      await this.#parts.batchStore.write(
        request.records.map(({ entity, bytes }) => ({ key: batchKey(view, entity), bytes })),
      );
      const entry = {
        kind: "publish",
        fingerprint: view.fingerprint,
        fence: request.fence,
        cut,
        collectedCut,
        collectedWatermarkMs,
        entities: request.records.map(({ entity }) => entity),
      } as const;
      await this.#parts.state.put(await this.#feed.adding(view.name, entry));
    });
  }

  finish({ view: name, fence }: FinishRequest, nowMs: number): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(name);
      const state = await this.#fenced(view, fence);
      if (!state.running) return;
      const { fingerprint } = view;
      const entry = { kind: "finish", fingerprint, fence, cut: state.cut } as const;
      await this.#parts.state.put({
        [viewEntry(view)]: finishRun(state, nowMs),
        ...(await this.#feed.adding(name, entry)),
      });
      await this.#feed.dropBefore(name, fence);
    });
  }

  /** @throws FeatureError INVALID_REQUEST while an older batch record may still be met. */
  collect(request: CollectRequest, nowMs: number): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(request.view);
      const { cut, entities } = request;
      const state = await this.#fenced(view, request.fence);
      this.#requireCollectible(cut, state, nowMs);
      // Remembered first: from now on no rollback may go behind it.
      if (cut > state.touchedCut) {
        await this.#parts.state.put({ [viewEntry(view)]: touchRun(state, cut) });
      }
      const watermarkMs = collectibleWatermark(state, cut);
      await this.#parts.streams.collect({ view: view.name, entities, cut, watermarkMs });
    });
  }

  finishCollect(request: CollectCutRequest, nowMs: number): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(request.view);
      const state = await this.#fenced(view, request.fence);
      this.#requireCollectible(request.cut, state, nowMs);
      await this.#parts.state.put({ [viewEntry(view)]: collectRun(state, request.cut) });
    });
  }

  delete(request: DeleteRequest): Promise<void> {
    return this.#exclusive(() => this.#burials.delete(request));
  }

  deletions(): Promise<readonly PendingDeletion[]> {
    return this.#exclusive(() => this.#burials.pending());
  }

  finishDeletions(names: readonly string[]): Promise<void> {
    return this.#exclusive(() => this.#burials.finish(names));
  }

  erase({ view: name, fence, entities }: EraseRequest): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(name);
      await this.#fenced(view, fence);
      await this.#burials.requireBuried(view, entities);
      await Promise.all([
        this.#parts.batchStore.write(
          entities.map((entity) => ({ key: batchKey(view, entity), bytes: null })),
        ),
        this.#parts.streams.erase({ view: name, entities }),
      ]);
    });
  }

  published(): Promise<Published> {
    return this.#exclusive(async () => {
      const views: PublishedView[] = [];
      for (const view of this.#parts.repository.views.values()) {
        const { name, fingerprint } = view;
        const { publishedCut: cut, sealedAtMs, publishedAtMs } = await this.#state(view);
        views.push({
          view: name,
          fingerprint,
          cut,
          feedSeq: await this.#feed.lastSeq(name),
          startedAtMs: sealedAtMs === freshView.sealedAtMs ? null : sealedAtMs,
          finishedAtMs: publishedAtMs === freshView.publishedAtMs ? null : publishedAtMs,
        });
      }
      return { views, burialSeq: await this.#feed.lastSeq(burialFeed) };
    });
  }

  feed({ feed, afterSeq }: FeedRequest): Promise<readonly FeedItem[]> {
    return this.#exclusive(async () => {
      const placed = await this.#feed.after(feed, afterSeq);
      const view = feed === burialFeed ? null : this.#view(feed);
      const isDeleted = async (entity: string) =>
        view !== null && this.#burials.isBuried(view, entity);
      return readFeedItems({ store: this.#parts.batchStore, view, isDeleted }, placed);
    });
  }

  /** Does not wait for what is being published: whoever asks whether it is there has no time. */
  async home(): Promise<string | null> {
    return ((await this.#parts.state.get("home")) as string) ?? null;
  }

  /** The entries that remember the offline store, once it is the right one, and name this home. */
  async #requireCompactor(
    { compactor }: StartRequest,
    views: readonly ViewDefinition[],
    nowMs: number,
  ): Promise<Record<string, string>> {
    if (compactor === undefined) return {};
    const { offlineStore, definitions } = compactor;
    requireSameDefinitions(this.#parts.repository, views, definitions);
    const known = await this.#parts.state.get("offline-store");
    if (known === undefined || known === offlineStore) {
      const home = (await this.#parts.state.get("home")) as string | undefined;
      return { "offline-store": offlineStore, home: home ?? `${offlineStore}@${nowMs}` };
    }
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot compact: the log was drained into offline store ${String(known)}, this is ${offlineStore}, use the directory of the first`,
    );
  }

  /** For each log that the views read, the epoch that new runs seal: the one after the last. */
  async #planSeals(views: readonly ViewDefinition[]): Promise<Map<string, number>> {
    const seals = new Map<string, number>();
    for (const { log } of views.filter(hasLog).map(({ source }) => source)) {
      const last = (await this.#parts.state.get(`log:${log}`)) as { epoch: number } | undefined;
      seals.set(log, (last?.epoch ?? -1) + 1);
    }
    return seals;
  }

  /** Seals what runs are cut at, telling each shard of every view that is cut there. */
  async #seal(runs: readonly StartedRun[]): Promise<void> {
    for (const { view, after } of runs) {
      if (!hasLog(view)) continue;
      const cutOf: string[] = [];
      for (const other of this.#logViews()) {
        const isCutHere = other.source.log === view.source.log;
        if (isCutHere && (await this.#state(other)).cut === after.cut) cutOf.push(other.name);
      }
      const seal = { epoch: after.cut, nowMs: after.sealedAtMs, cutOf };
      await Promise.all(this.#parts.logShards(view.source.log).map((shard) => shard.seal(seal)));
    }
  }

  #logViews(): ViewDefinition[] {
    return [...this.#parts.repository.views.values()].filter(hasLog);
  }

  #runOf({ view, before, after }: StartedRun, nowMs: number): CompactionRun {
    const graceOver = nowMs - after.publishedAtMs >= this.graceMs;
    return {
      view: view.name,
      fence: after.fence,
      cut: after.cut,
      sealedAtMs: after.sealedAtMs,
      watermarkMs: after.watermarkMs,
      resumed: before.running && before.cut === after.cut,
      collectibleCut: graceOver ? after.publishedCut : after.collectedCut,
      collectedCut: after.collectedCut,
    };
  }

  #requireCollectible(cut: number, state: ViewState, nowMs: number): void {
    if (cut <= state.collectedCut) return;
    const graceOverAtMs = state.publishedAtMs + this.graceMs;
    if (cut > state.publishedCut || nowMs < graceOverAtMs) {
      throw new FeatureError(
        "INVALID_REQUEST",
        `Cannot collect cut ${cut}: cut ${state.publishedCut} was published less than ${this.graceMs} ms ago, wait for its grace to be over`,
        { retryable: true },
      );
    }
  }

  async #fenced(view: ViewDefinition, fence: number): Promise<ViewState> {
    const state = await this.#state(view);
    if (state.fence === fence) return state;
    throw new FeatureError(
      "FENCED",
      `Cannot go on compacting view "${view.name}": run ${state.fence} has started, this is run ${fence}`,
    );
  }

  async #state(view: ViewDefinition): Promise<ViewState> {
    const stored = await this.#parts.state.get(viewEntry(view));
    return { ...freshView, ...(stored as Partial<ViewState> | undefined) };
  }

  #view(name: string): ViewDefinition {
    const view = this.#parts.repository.views.get(name);
    if (view !== undefined) return view;
    throw new FeatureError("NOT_FOUND", `Cannot compact view "${name}": it is not defined`);
  }

  /** One at a time: an older run's writes are done before a newer run can start. */
  #exclusive<T>(body: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(body, body);
    this.#tail = turn;
    return turn;
  }
}

function viewEntry({ name }: ViewDefinition): string {
  return `view:${name}`;
}

function hasLog({ source }: ViewDefinition): boolean {
  return source.kind === "streamSource";
}

/** The entries that remember what is sealed: of logs where some run did not go on with an old cut. */
function takenSeals(runs: readonly StartedRun[], seals: ReadonlyMap<string, number>) {
  const taken = [...seals].filter(([log, epoch]) =>
    runs.some(({ view, after }) => view.source.log === log && after.cut === epoch),
  );
  return taken.map(([log, epoch]): [string, unknown] => [`log:${log}`, { epoch }]);
}

function requireOneView({ views, rollbackCut }: StartRequest): void {
  if (rollbackCut === undefined || views.length === 1) return;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot roll ${views.length} views back to a cut: expected one view`,
  );
}
