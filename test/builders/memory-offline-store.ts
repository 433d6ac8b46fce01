/** The contract of an offline store over arrays in memory: the measure for tests of compaction. */

import { FeatureError } from "../../src/core/errors.ts";
import { compareScalars, compareUtf8 } from "../../src/core/value.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { SourceDefinition, SourceEvent, ViewDefinition } from "../../src/define/definition.ts";
import { entityOf, projectView } from "../../src/ingest/view-projection.ts";
import type { ViewProjection } from "../../src/ingest/view-projection.ts";
import { writeSourceEvent } from "../../src/ingest/source-event-codec.ts";
import type {
  Correction,
  Deletion,
  LoadedRow,
  NewLoad,
  OfflineEvent,
  OfflineStore,
  ScanChunk,
  ScanRequest,
  SegmentName,
} from "../../src/offline/offline-store.ts";
import { requireHome } from "../../src/offline/require-home.ts";
import { MemoryDeletions } from "./memory-deletions.ts";
import { MemorySourceRows } from "./memory-source-rows.ts";

/** Small, so that entities, their events and ids go over the ends of chunks. */
const chunkRowsMax = 3;

interface ScanRow {
  readonly joinKeys: readonly Scalar[];
  readonly entity: string;
  readonly event: SourceEvent;
}

interface PurgedEntity {
  readonly entity: string;
  readonly joinKeys: readonly Scalar[];
  readonly epoch: number;
}

/** The rows of a view up to a cut, as long as nothing has been put. */
interface KnownRows {
  readonly revision: string;
  readonly cut: number;
  readonly rows: readonly ScanRow[];
}

export class MemoryOfflineStore implements OfflineStore {
  readonly #sources = new Map<string, MemorySourceRows>();
  readonly #deletions = new MemoryDeletions();
  /** The join keys of each entity put published, by view. */
  #home: string | null = null;
  readonly #published = new Map<string, Map<string, readonly Scalar[]>>();
  /** By view, who was in rows that a purge took out of segments, and in which epoch. */
  readonly #purged = new Map<string, PurgedEntity[]>();
  readonly #rows = new WeakMap<ViewDefinition, KnownRows>();

  hasSegment({ source, shard, epoch }: SegmentName): Promise<boolean> {
    return Promise.resolve(this.#rowsOf(source).hasSegment(shard, epoch));
  }

  identity(): Promise<string> {
    return Promise.resolve("memory");
  }

  home(): Promise<string | null> {
    return Promise.resolve(this.#home);
  }

  async setHome(home: string): Promise<void> {
    this.#home ??= home;
    requireHome(await this.home(), home);
  }

  /** Whole or not at all; of two that come at once the one that ends first stays. */
  async putSegment(name: SegmentName, rows: AsyncIterable<readonly OfflineEvent[]>): Promise<void> {
    const collected: OfflineEvent[] = [];
    for await (const page of rows) collected.push(...page);
    this.#rowsOf(name.source).putSegment(name.shard, name.epoch, collected);
  }

  /** A file of history: put once under its name. */
  putLoad(source: SourceDefinition, name: string, events: readonly SourceEvent[]): void {
    this.#rowsOf(source).putLoad(name, events);
  }

  putCorrections(source: SourceDefinition, corrections: readonly Correction[]): Promise<void> {
    this.#rowsOf(source).putCorrections(corrections);
    return Promise.resolve();
  }

  async putDeletions(deletions: readonly Deletion[]): Promise<void> {
    this.#deletions.add(deletions);
  }

  purge(views: readonly ViewDefinition[]): Promise<void> {
    for (const view of views) this.#rememberCovered(view);
    for (const view of views) {
      for (const source of [view.source, scannedSource(view)]) {
        const isCovered = this.#deletions.coverOf(source);
        if (isCovered !== null) this.#rowsOf(source).remove(isCovered);
      }
    }
    return Promise.resolve();
  }

  async *deletedEntities(view: ViewDefinition): AsyncGenerator<readonly string[]> {
    const deleted = [...this.#publishedOf(view)].filter(([, joinKeys]) =>
      this.#deletions.hides(view, joinKeys),
    );
    yield* pagesOf(deleted.map(([entity]) => entity));
  }

  forgetPublished(view: ViewDefinition, entities: readonly string[]): Promise<void> {
    for (const entity of entities) this.#publishedOf(view).delete(entity);
    const left = this.#purgedOf(view).filter(({ entity }) => !entities.includes(entity));
    this.#purged.set(`${view.name} ${view.fingerprint}`, left);
    return Promise.resolve();
  }

  newLoads(source: SourceDefinition): Promise<readonly NewLoad[]> {
    const names = source.kind === "batchSource" ? [] : this.#rowsOf(source).unregistered();
    return Promise.resolve(names.sort(compareUtf8).map((name) => ({ name, source })));
  }

  async *recentRows(
    { name, source }: NewLoad,
    fromMs: number,
  ): AsyncGenerator<readonly LoadedRow[]> {
    if (source.id === null) return;
    const isCovered = this.#deletions.coverOf(source);
    const rows = new Map<string, LoadedRow>();
    for (const event of this.#loadOf(source, name)) {
      const { id, timestampMs } = event;
      if (timestampMs < fromMs || isCovered?.(event) === true || rows.has(id)) continue;
      rows.set(id, { id, timestampMs, body: writeSourceEvent(source, event) });
    }
    yield* pagesOf([...rows.values()]);
  }

  async registerLoad({ name, source }: NewLoad, epoch: number): Promise<void> {
    this.#loadOf(source, name);
    this.#rowsOf(source).register(name, epoch);
  }

  async *scan(request: ScanRequest): AsyncGenerator<ScanChunk> {
    const projection = projectionOf(request.view);
    const rows = this.#scanRows(request);
    for (let i = 0; i < rows.length; i += chunkRowsMax) {
      await Promise.resolve();
      yield chunkOf(projection, rows.slice(i, i + chunkRowsMax));
    }
  }

  estimateRows(request: ScanRequest): Promise<number> {
    return Promise.resolve(this.#scanRows(request).length);
  }

  async *entitiesOf(
    view: ViewDefinition,
    { afterEpoch, throughEpoch }: { readonly afterEpoch: number; readonly throughEpoch: number },
  ): AsyncGenerator<readonly string[]> {
    const found = this.#segmentEntities(view, { afterEpoch, throughEpoch });
    const purged = this.#purgedOf(view)
      .filter(({ epoch }) => epoch > afterEpoch && epoch <= throughEpoch)
      .filter(({ joinKeys }) => !this.#deletions.hides(view, joinKeys))
      .map(({ entity }) => entity);
    for (const entity of new Set([...found.keys(), ...purged])) {
      await Promise.resolve();
      yield [entity];
    }
  }

  putPublished(request: ScanRequest): Promise<void> {
    const { view, cut } = request;
    const known = this.#publishedOf(view);
    for (const { entity, joinKeys } of this.#scanRows(request)) known.set(entity, joinKeys);
    if (view.kind === "streamView") {
      const covered = this.#segmentEntities(view, { afterEpoch: -1, throughEpoch: cut });
      for (const [entity, joinKeys] of covered) known.set(entity, joinKeys);
    }
    return Promise.resolve();
  }

  async *vanishedEntities(request: ScanRequest): AsyncGenerator<readonly string[]> {
    const { view } = request;
    const present = new Set(this.#scanRows(request).map(({ entity }) => entity));
    for (const [entity, joinKeys] of [...this.#publishedOf(view)]) {
      await Promise.resolve();
      if (!present.has(entity) && !this.#deletions.hides(view, joinKeys)) yield [entity];
    }
  }

  /** Everything held, to be compared. */
  dump(): unknown {
    const sorted = <T>(entries: Iterable<[string, T]>) =>
      [...entries].sort(([a], [b]) => compareUtf8(a, b));
    return {
      segments: sorted([...this.#sources.values()].flatMap((rows) => rows.dumpSegments())),
      published: sorted(this.#published).map(([key, found]) => [key, [...found.keys()].sort()]),
      purged: sorted(this.#purged),
    };
  }

  #rowsOf({ name }: SourceDefinition): MemorySourceRows {
    let rows = this.#sources.get(name);
    if (rows === undefined) this.#sources.set(name, (rows = new MemorySourceRows(name)));
    return rows;
  }

  #loadOf(source: SourceDefinition, name: string): readonly SourceEvent[] {
    const events = this.#rowsOf(source).loadOf(name);
    if (events !== undefined) return events;
    throw new FeatureError(
      "NOT_FOUND",
      `Cannot find load "${name}": the offline store has none of that name for source "${source.name}", expected one of its new loads`,
    );
  }

  #publishedOf({ name, fingerprint }: ViewDefinition): Map<string, readonly Scalar[]> {
    const key = `${name} ${fingerprint}`;
    let found = this.#published.get(key);
    if (found === undefined) this.#published.set(key, (found = new Map()));
    return found;
  }

  #purgedOf({ name, fingerprint }: ViewDefinition): PurgedEntity[] {
    const key = `${name} ${fingerprint}`;
    let found = this.#purged.get(key);
    if (found === undefined) this.#purged.set(key, (found = []));
    return found;
  }

  /** The entities that a view has in the rows that a purge will remove. */
  #rememberCovered(view: ViewDefinition): void {
    const sources = new Set([view.source, scannedSource(view)]);
    for (const source of sources) {
      const isCovered = this.#deletions.coverOf(source);
      if (isCovered === null) continue;
      const projection = projectView({ ...view, source });
      const known = this.#publishedOf(view);
      for (const event of this.#rowsOf(source).all()) {
        const entity = isCovered(event) ? entityOf(projection, event) : null;
        if (entity === null) continue;
        const joinKeys = joinKeysOf(projection, event);
        known.set(entity, joinKeys);
        if (source === view.source && "epoch" in event) {
          this.#purgedOf(view).push({ entity, joinKeys, epoch: event.epoch as number });
        }
      }
    }
  }

  #scanRows({ view, cut, fromMs, untilMs }: ScanRequest): readonly ScanRow[] {
    const rows = this.#viewRows(view, cut);
    if (fromMs === -Infinity && untilMs === Infinity) return rows;
    return rows.filter(
      ({ event: { timestampMs } }) => timestampMs >= fromMs && timestampMs < untilMs,
    );
  }

  /** Sorted by entity, time and id; each id once, corrections applied. */
  #viewRows(view: ViewDefinition, cut: number): readonly ScanRow[] {
    const source = scannedSource(view);
    const revision = `${this.#rowsOf(source).revision} ${this.#deletions.revision}`;
    const known = this.#rows.get(view);
    if (known?.revision === revision && known.cut === cut) return known.rows;
    const projection = projectionOf(view);
    const rows: ScanRow[] = [];
    for (const event of this.#eventsOf(source, cut)) {
      const entity = entityOf(projection, event);
      if (entity === null) continue;
      rows.push({ joinKeys: joinKeysOf(projection, event), entity, event });
    }
    rows.sort(compareRows);
    this.#rows.set(view, { revision, cut, rows });
    return rows;
  }

  #eventsOf(source: SourceDefinition, cut: number): readonly SourceEvent[] {
    const rows = this.#rowsOf(source);
    const isCovered = this.#deletions.coverOf(source) ?? (() => false);
    const all = rows.eventsUpTo(source, cut).filter((event) => !isCovered(event));
    if (source.id === null) return all;
    const distinct = new Map<string, SourceEvent>();
    for (const event of all) if (!distinct.has(event.id)) distinct.set(event.id, event);
    for (const [id, event] of rows.corrections) {
      if (!distinct.has(id)) continue;
      // An event corrected into one of a deleted entity is gone: what it was before was wrong.
      if (event === null || isCovered(event)) distinct.delete(id);
      else distinct.set(id, event);
    }
    return [...distinct.values()];
  }

  #segmentEntities(
    view: ViewDefinition,
    epochs: { readonly afterEpoch: number; readonly throughEpoch: number },
  ): ReadonlyMap<string, readonly Scalar[]> {
    const projection = projectView(view);
    const isCovered = this.#deletions.coverOf(view.source);
    const found = new Map<string, readonly Scalar[]>();
    for (const event of this.#rowsOf(view.source).segmentEvents(epochs)) {
      if (isCovered?.(event) === true) continue;
      const entity = entityOf(projection, event);
      if (entity !== null) found.set(entity, joinKeysOf(projection, event));
    }
    return found;
  }
}

function scannedSource({ history, source }: ViewDefinition): SourceDefinition {
  return history ?? source;
}

const projections = new WeakMap<ViewDefinition, ViewProjection>();

/** Where a view finds its columns in the source that is scanned. */
function projectionOf(view: ViewDefinition): ViewProjection {
  let projection = projections.get(view);
  if (projection === undefined) {
    projection = projectView({ ...view, source: scannedSource(view) });
    projections.set(view, projection);
  }
  return projection;
}

/** Of an event that belongs to an entity, so that none of them is null. */
function joinKeysOf({ joinKeyIndexes }: ViewProjection, event: SourceEvent): readonly Scalar[] {
  return joinKeyIndexes.map((index) => event.values[index] as Scalar);
}

function compareRows(a: ScanRow, b: ScanRow): number {
  for (let i = 0; i < a.joinKeys.length; i++) {
    const order = compareScalars(a.joinKeys[i] as Scalar, b.joinKeys[i] as Scalar);
    if (order !== 0) return order;
  }
  return a.event.timestampMs - b.event.timestampMs || compareUtf8(a.event.id, b.event.id);
}

function chunkOf({ view, valueIndexes }: ViewProjection, rows: readonly ScanRow[]): ScanChunk {
  return {
    rowCount: rows.length,
    joinKeys: view.joinKeys.map((_, i) => rows.map(({ joinKeys }) => joinKeys[i] as Scalar)),
    timestampsMs: rows.map(({ event }) => event.timestampMs),
    ids: rows.map(({ event }) => event.id),
    values: valueIndexes.map((index) => rows.map(({ event }) => event.values[index] ?? null)),
  };
}

async function* pagesOf<Item>(items: readonly Item[]): AsyncGenerator<readonly Item[]> {
  for (let i = 0; i < items.length; i += chunkRowsMax) {
    await Promise.resolve();
    yield items.slice(i, i + chunkRowsMax);
  }
}
