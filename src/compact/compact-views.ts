/**
 * A compaction: seal, drain, fold, publish, collect. Killed anywhere, the next one takes up the
 * sealed cut that was not finished; two at once are harmless, since only the newest may publish.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import type { OfflineStore, ScanRequest } from "../offline/offline-store.ts";
import { requireHome } from "../offline/require-home.ts";
import type { CompactionApi, CompactionRun } from "./compaction-api.ts";
import { definitionsOf } from "./compactor-identity.ts";
import { drainLog } from "./drain-log.ts";
import { registerLoads } from "./register-loads.ts";
import { eraseDeleted, finishDeletions, takeDeletions } from "./take-deletions.ts";
import { coverOf, emptyRecord, foldView } from "./fold-view.ts";
import type { FoldedRecord } from "./fold-view.ts";

export interface CompactionParts {
  readonly api: CompactionApi;
  readonly offline: OfflineStore;
  readonly repository: Repository;
  readonly onProgress?: (progress: CompactionProgress) => void;
}

export interface CompactionProgress {
  readonly view: string;
  readonly phase: "drain" | "collect" | "fold" | "done";
  readonly rows: number;
  /** About how many rows there are in all; 0 where it is not known. */
  readonly rowsTotal: number;
  readonly keys: number;
  readonly bytes: number;
}

export interface CompactionOptions {
  /** Names of the views; every view where it is left out. */
  readonly views?: readonly string[];
  /** Up to where the history of batch views, and of views with a `history`, is complete. */
  readonly watermarkMs?: number;
  /** Publishes once more at an earlier cut of the one view named. */
  readonly rollbackCut?: number;
}

/** What a finished run came to. */
export interface CompactionSummary extends CompactionRun {
  readonly rows: number;
  /** Entities with events, and entities that had some once and now have none. */
  readonly keys: number;
  readonly vanishedKeys: number;
  readonly bytes: number;
}

/**
 * @throws FeatureError FENCED when a newer run has taken over, CONFLICT for a rollback or a watermark
 *   that the stream records do not cover from.
 */
export async function compactViews(
  parts: CompactionParts,
  options: CompactionOptions = {},
): Promise<readonly CompactionSummary[]> {
  const { api, offline, repository } = parts;
  const views = options.views ?? [...repository.views.keys()];
  const { watermarkMs, rollbackCut } = options;
  requireHome(await offline.home(), await api.home());
  await registerLoads(
    api,
    offline,
    views.map((name) => viewOf(repository, name)),
  );
  const runs = await api.start({
    views,
    ...(watermarkMs === undefined ? {} : { watermarkMs }),
    ...(rollbackCut === undefined ? {} : { rollbackCut }),
    compactor: {
      offlineStore: await offline.identity(),
      definitions: definitionsOf(repository),
    },
  });
  await offline.setHome((await api.home()) as string);
  const deletions = await takeDeletions(api, offline, repository);
  await finishDeletions(api, deletions, await drainLogs(parts, runs));
  await offline.purge([...repository.views.values()]);
  const summaries: CompactionSummary[] = [];
  for (const run of runs) {
    const view = viewOf(repository, run.view);
    await eraseDeleted(api, offline, { view, run });
    await collectView(parts, view, run);
    summaries.push(await publishView(parts, view, run));
  }
  return summaries;
}

/** Resolves with the shards that were drained. */
async function drainLogs(
  parts: CompactionParts,
  runs: readonly CompactionRun[],
): Promise<readonly string[]> {
  const drained: string[] = [];
  const cuts = new Map<string, number>();
  for (const run of runs) {
    const { source } = viewOf(parts.repository, run.view);
    if (source.kind === "batchSource") continue;
    cuts.set(source.log, Math.max(cuts.get(source.log) ?? -1, run.cut));
  }
  for (const [log, cut] of cuts) {
    const sources = [...parts.repository.sources.values()].filter(
      (source) => source.kind === "streamSource" && source.log === log,
    );
    for (const shard of await parts.api.shards(log)) {
      const rows = await drainLog(parts.api, parts.offline, { shard, sources, cut });
      parts.onProgress?.({ view: log, phase: "drain", rows, rowsTotal: rows, keys: 0, bytes: 0 });
      drained.push(shard);
    }
  }
  return drained;
}

/** Removes from the stream records what every batch record still in reach has covered. */
async function collectView(
  { api, offline }: CompactionParts,
  view: ViewDefinition,
  run: CompactionRun,
): Promise<void> {
  if (view.kind === "batchView" || run.collectibleCut <= run.collectedCut) return;
  const cut = run.collectibleCut;
  // With a history an event stays past its epoch, until a watermark is past it.
  const afterEpoch = view.history === null ? run.collectedCut : -1;
  const epochs = { afterEpoch, throughEpoch: cut };
  for await (const entities of offline.entitiesOf(view, epochs)) {
    for (let i = 0; i < entities.length; i += limits.collectEntitiesMax) {
      const batch = entities.slice(i, i + limits.collectEntitiesMax);
      await api.collect({ view: view.name, fence: run.fence, cut, entities: batch });
    }
  }
  await api.finishCollect({ view: view.name, fence: run.fence, cut });
}

async function publishView(
  parts: CompactionParts,
  view: ViewDefinition,
  run: CompactionRun,
): Promise<CompactionSummary> {
  const { api, offline } = parts;
  const request = scanRequestOf(view, run);
  const rowsTotal = await offline.estimateRows(request);
  await offline.putPublished(request);
  const publishing = new Publishing(parts, run, rowsTotal);
  for await (const record of foldView(view, run, offline.scan(request))) {
    await publishing.add(record);
  }
  let vanishedKeys = 0;
  for await (const entities of offline.vanishedEntities(request)) {
    vanishedKeys += entities.length;
    for (const entity of entities) await publishing.add(emptyRecord(view, run, entity));
  }
  await publishing.flush();
  await api.finish({ view: view.name, fence: run.fence });
  const { rows, keys, bytes } = publishing;
  parts.onProgress?.({ view: view.name, phase: "done", rows, rowsTotal: rows, keys, bytes });
  return { ...run, rows, keys: keys - vanishedKeys, vanishedKeys, bytes };
}

function scanRequestOf(view: ViewDefinition, run: CompactionRun): ScanRequest {
  return {
    view,
    cut: run.cut,
    fromMs: coverOf(view, run).keepFromMs,
    untilMs: view.kind === "batchView" || view.history !== null ? run.watermarkMs : Infinity,
  };
}

/** Sends records in batches, one ahead of the fold. */
class Publishing {
  readonly #parts: CompactionParts;
  readonly #run: CompactionRun;
  readonly #rowsTotal: number;
  #batch: FoldedRecord[] = [];
  #batchBytes = 0;
  /** What was sent last; it resolves with its failure, which whoever waits for it throws. */
  #sending: Promise<{ readonly failure: unknown } | null> = Promise.resolve(null);
  rows = 0;
  keys = 0;
  bytes = 0;

  constructor(parts: CompactionParts, run: CompactionRun, rowsTotal: number) {
    this.#parts = parts;
    this.#run = run;
    this.#rowsTotal = rowsTotal;
  }

  async add(record: FoldedRecord): Promise<void> {
    this.#batch.push(record);
    this.#batchBytes += record.bytes.length;
    this.rows += record.eventCount;
    this.keys += 1;
    this.bytes += record.bytes.length;
    const full =
      this.#batch.length >= limits.publishRecordsMax || this.#batchBytes >= limits.publishBytesMax;
    if (full) await this.#send();
  }

  async flush(): Promise<void> {
    if (this.#batch.length > 0) await this.#send();
    await this.#sent();
  }

  async #send(): Promise<void> {
    const { view, fence } = this.#run;
    const records = this.#batch;
    this.#batch = [];
    this.#batchBytes = 0;
    await this.#sent();
    this.#sending = this.#parts.api.publish({ view, fence, records }).then(
      () => null,
      (failure: unknown) => ({ failure }),
    );
    const { rows, keys, bytes } = this;
    const rowsTotal = this.#rowsTotal;
    this.#parts.onProgress?.({ view, phase: "fold", rows, rowsTotal, keys, bytes });
  }

  async #sent(): Promise<void> {
    const failed = await this.#sending;
    if (failed !== null) throw failed.failure;
  }
}

function viewOf(repository: Repository, name: string): ViewDefinition {
  const view = repository.views.get(name);
  if (view !== undefined) return view;
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot compact view "${name}": this feature repository does not define it`,
  );
}
