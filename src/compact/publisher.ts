/**
 * Serialises the compactions of a view: who may publish, what is sealed, what may be collected.
 * It is the only writer of batch records, so that a store without compare-and-set has a guard.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import { batchKey } from "../tile/keys.ts";
import type { OnlineStore } from "../store/online-store.ts";
import type { LogAccess } from "../ingest/log-home.ts";
import type { ShardedStreams } from "../ingest/sharded-streams.ts";
import { requireSameDefinitions } from "./compactor-identity.ts";
import type {
  CollectCutRequest,
  CollectRequest,
  CompactionRun,
  FinishRequest,
  PublishRequest,
  PublisherAccess,
  StartRequest,
} from "./compaction-api.ts";

/** A durable table; `put` writes all its entries or none. */
export interface StateTable {
  get(key: string): Promise<unknown>;
  put(entries: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface PublisherParts {
  readonly repository: Repository;
  readonly batchStore: OnlineStore;
  readonly streams: ShardedStreams;
  readonly logShards: (log: string) => readonly LogAccess[];
  readonly state: StateTable;
}

/** What is remembered of a view. */
interface ViewState {
  readonly fence: number;
  readonly running: boolean;
  readonly cut: number;
  readonly sealedAtMs: number;
  readonly watermarkMs: number;
  readonly publishedCut: number;
  readonly publishedAtMs: number;
  readonly collectedCut: number;
}

interface Seal {
  readonly epoch: number;
  readonly sealedAtMs: number;
}

const freshView: ViewState = {
  fence: 0,
  running: false,
  cut: -1,
  sealedAtMs: 0,
  watermarkMs: 0,
  publishedCut: -1,
  publishedAtMs: 0,
  collectedCut: -1,
};

export class Publisher implements PublisherAccess {
  readonly #parts: PublisherParts;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** How long after a publish an older copy of a batch record may still be met. */
  get graceMs(): number {
    return (
      this.#parts.batchStore.capabilities.stalenessMsMax +
      limits.requestMsMax +
      limits.clockErrorMsMax
    );
  }

  start(request: StartRequest, nowMs: number): Promise<readonly CompactionRun[]> {
    return this.#exclusive(async () => {
      const views = request.views.map((name) => this.#view(name));
      const offlineStore = await this.#requireCompactor(request, views);
      const states = new Map<string, ViewState>();
      for (const view of views) states.set(view.name, await this.#state(view));
      const seals = await this.#planSeals(
        views.filter(({ name }) => !states.get(name)?.running),
        nowMs,
      );
      const runs = views.map((view) => {
        const before = states.get(view.name) as ViewState;
        return { view, before, after: startedState(before, { view, seals, nowMs, request }) };
      });
      // What is about to be sealed is remembered first: a crash after it finds the same numbers.
      await this.#parts.state.put({
        ...offlineStore,
        ...Object.fromEntries([...seals].map(([log, seal]) => [`log:${log}`, seal])),
        ...Object.fromEntries(runs.map(({ view, after }) => [`view:${view.name}`, after])),
      });
      for (const { view, after } of runs) await this.#seal(view, after);
      return runs.map(({ view, before, after }) => this.#runOf(view, { before, after, nowMs }));
    });
  }

  publish(request: PublishRequest): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(request.view);
      await this.#fenced(view, request.fence);
      await this.#parts.batchStore.write(
        request.records.map(({ entity, bytes }) => ({ key: batchKey(view, entity), bytes })),
      );
    });
  }

  finish({ view: name, fence }: FinishRequest, nowMs: number): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(name);
      const state = await this.#fenced(view, fence);
      if (!state.running) return;
      const finished = {
        ...state,
        running: false,
        publishedCut: state.cut,
        publishedAtMs: nowMs,
      };
      await this.#parts.state.put({ [`view:${view.name}`]: finished });
    });
  }

  /** @throws FeatureError INVALID_REQUEST while an older batch record may still be met. */
  collect(request: CollectRequest, nowMs: number): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(request.view);
      const state = await this.#fenced(view, request.fence);
      this.#requireCollectible(request.cut, state, nowMs);
      await this.#parts.streams.collect({
        view: view.name,
        entities: request.entities,
        cut: request.cut,
      });
    });
  }

  finishCollect(request: CollectCutRequest, nowMs: number): Promise<void> {
    return this.#exclusive(async () => {
      const view = this.#view(request.view);
      const state = await this.#fenced(view, request.fence);
      this.#requireCollectible(request.cut, state, nowMs);
      const collectedCut = Math.max(state.collectedCut, request.cut);
      await this.#parts.state.put({ [`view:${view.name}`]: { ...state, collectedCut } });
    });
  }

  /** The entry that remembers the offline store, once it is the right one. */
  async #requireCompactor(
    { compactor }: StartRequest,
    views: readonly ViewDefinition[],
  ): Promise<Record<string, string>> {
    if (compactor === undefined) return {};
    requireSameDefinitions(this.#parts.repository, views, compactor.definitions);
    const known = await this.#parts.state.get("offline-store");
    if (known === undefined || known === compactor.offlineStore) {
      return { "offline-store": compactor.offlineStore };
    }
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot compact: the log was drained into offline store ${String(known)}, this is ${compactor.offlineStore}, use the directory of the first`,
    );
  }

  /** The seals that new runs need: one for each log that some view reads. */
  async #planSeals(views: readonly ViewDefinition[], nowMs: number): Promise<Map<string, Seal>> {
    const seals = new Map<string, Seal>();
    for (const { source } of views) {
      if (source.kind === "batchSource" || seals.has(source.log)) continue;
      const last = (await this.#parts.state.get(`log:${source.log}`)) as Seal | undefined;
      seals.set(source.log, { epoch: (last?.epoch ?? -1) + 1, sealedAtMs: nowMs });
    }
    return seals;
  }

  async #seal(view: ViewDefinition, state: ViewState): Promise<void> {
    if (view.source.kind === "batchSource") return;
    const shards = this.#parts.logShards(view.source.log);
    await Promise.all(shards.map((shard) => shard.seal(state.cut, state.sealedAtMs)));
  }

  #runOf(
    view: ViewDefinition,
    run: { readonly before: ViewState; readonly after: ViewState; readonly nowMs: number },
  ): CompactionRun {
    const { before, after, nowMs } = run;
    const graceOver = nowMs - after.publishedAtMs >= this.graceMs;
    return {
      view: view.name,
      fence: after.fence,
      cut: after.cut,
      sealedAtMs: after.sealedAtMs,
      watermarkMs: after.watermarkMs,
      resumed: before.running,
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
    const stored = await this.#parts.state.get(`view:${view.name}`);
    return (stored as ViewState | undefined) ?? freshView;
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

function startedState(
  before: ViewState,
  start: {
    readonly view: ViewDefinition;
    readonly seals: ReadonlyMap<string, Seal>;
    readonly nowMs: number;
    readonly request: StartRequest;
  },
): ViewState {
  const fence = before.fence + 1;
  if (before.running) return { ...before, fence };
  const { source } = start.view;
  const seal = source.kind === "batchSource" ? undefined : start.seals.get(source.log);
  return {
    ...before,
    fence,
    running: true,
    cut: seal?.epoch ?? before.cut + 1,
    sealedAtMs: start.nowMs,
    watermarkMs: start.request.watermarkMs ?? start.nowMs,
  };
}
