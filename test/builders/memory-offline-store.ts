/** The contract of an offline store over arrays in memory: the measure for tests of compaction. */

import { hashText } from "../../src/core/hash.ts";
import { compareScalars, compareUtf8 } from "../../src/core/value.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { SourceDefinition, SourceEvent, ViewDefinition } from "../../src/define/definition.ts";
import { entityOf, projectView } from "../../src/ingest/view-projection.ts";
import type {
  Correction,
  OfflineEvent,
  OfflineStore,
  ScanChunk,
  ScanRequest,
  SegmentName,
} from "../../src/offline/offline-store.ts";

interface Segment extends SegmentName {
  readonly rows: readonly OfflineEvent[];
}

interface ScanRow {
  readonly joinKeys: readonly Scalar[];
  readonly entity: string;
  readonly event: SourceEvent;
}

/** Small, so that entities and their events go over the ends of chunks. */
const chunkRowsMax = 3;

export class MemoryOfflineStore implements OfflineStore {
  readonly #segments = new Map<string, Segment>();
  readonly #loads = new Map<string, readonly SourceEvent[]>();
  readonly #corrections = new Map<string, Map<string, SourceEvent | null>>();
  readonly #published = new Map<string, Set<string>>();

  hasSegment(name: SegmentName): Promise<boolean> {
    return Promise.resolve(this.#segments.has(segmentKey(name)));
  }

  identity(): Promise<string> {
    return Promise.resolve("memory");
  }

  /** Whole or not at all; of two that come at once the one that ends first stays. */
  async putSegment(name: SegmentName, rows: AsyncIterable<readonly OfflineEvent[]>): Promise<void> {
    const collected: OfflineEvent[] = [];
    for await (const page of rows) collected.push(...page);
    const key = segmentKey(name);
    if (!this.#segments.has(key)) this.#segments.set(key, { ...name, rows: collected });
  }

  /** A file of history: put once under its name. */
  putLoad(source: SourceDefinition, name: string, events: readonly SourceEvent[]): void {
    const key = `${source.name} ${name}`;
    if (!this.#loads.has(key)) this.#loads.set(key, events);
  }

  putCorrections(source: SourceDefinition, corrections: readonly Correction[]): Promise<void> {
    const known = this.#corrections.get(source.name) ?? new Map<string, SourceEvent | null>();
    for (const { id, event } of corrections) known.set(id, event);
    this.#corrections.set(source.name, known);
    return Promise.resolve();
  }

  async *scan(request: ScanRequest): AsyncGenerator<ScanChunk> {
    const rows = this.#rowsOf(request);
    for (let i = 0; i < rows.length; i += chunkRowsMax) {
      await Promise.resolve();
      yield chunkOf(request.view, rows.slice(i, i + chunkRowsMax));
    }
  }

  estimateRows(request: ScanRequest): Promise<number> {
    return Promise.resolve(this.#rowsOf(request).length);
  }

  async *entitiesOf(
    view: ViewDefinition,
    { afterEpoch, throughEpoch }: { readonly afterEpoch: number; readonly throughEpoch: number },
  ): AsyncGenerator<readonly string[]> {
    for (const entity of this.#segmentEntities(view, { afterEpoch, throughEpoch })) {
      await Promise.resolve();
      yield [entity];
    }
  }

  putPublished(request: ScanRequest): Promise<void> {
    const { view, cut } = request;
    const known = this.#published.get(publishedKey(view)) ?? new Set<string>();
    for (const { entity } of this.#rowsOf(request)) known.add(entity);
    if (view.kind === "streamView") {
      const covered = this.#segmentEntities(view, { afterEpoch: -1, throughEpoch: cut });
      for (const entity of covered) known.add(entity);
    }
    this.#published.set(publishedKey(view), known);
    return Promise.resolve();
  }

  async *vanishedEntities(request: ScanRequest): AsyncGenerator<readonly string[]> {
    const present = new Set(this.#rowsOf(request).map(({ entity }) => entity));
    for (const entity of this.#published.get(publishedKey(request.view)) ?? []) {
      await Promise.resolve();
      if (!present.has(entity)) yield [entity];
    }
  }

  /** Everything held, to be compared. */
  dump(): unknown {
    const sorted = <T>(map: ReadonlyMap<string, T>) =>
      [...map].sort(([a], [b]) => compareUtf8(a, b));
    return {
      segments: sorted(this.#segments).map(([key, { rows }]) => [key, rows]),
      published: sorted(this.#published).map(([key, entities]) => [key, [...entities].sort()]),
    };
  }

  /** Sorted by entity, time and id; each id once, corrections applied. */
  #rowsOf({ view, cut, fromMs, untilMs }: ScanRequest): readonly ScanRow[] {
    const projection = projectView(view);
    const rows: ScanRow[] = [];
    for (const event of this.#eventsOf(view.source, cut)) {
      const entity = entityOf(projection, event);
      if (entity === null || event.timestampMs < fromMs || event.timestampMs >= untilMs) continue;
      const joinKeys = projection.joinKeyIndexes.map((index) => event.values[index] as Scalar);
      rows.push({ joinKeys, entity, event });
    }
    return rows.sort(compareRows);
  }

  #eventsOf(source: SourceDefinition, cut: number): readonly SourceEvent[] {
    const segments = this.#segmentsOf(source, -Infinity, cut).sort(compareSegments);
    const loads = [...this.#loads]
      .filter(([key]) => key.startsWith(`${source.name} `))
      .sort(([a], [b]) => compareUtf8(a, b));
    const all: SourceEvent[] = [...segments.flatMap(({ rows }) => rows)];
    for (const [, events] of loads) all.push(...events);
    if (source.id === null) return all;
    const distinct = new Map<string, SourceEvent>();
    for (const event of all) if (!distinct.has(event.id)) distinct.set(event.id, event);
    const corrections = this.#corrections.get(source.name) ?? new Map<string, null>();
    for (const [id, event] of corrections) {
      if (!distinct.has(id)) continue;
      if (event === null) distinct.delete(id);
      else distinct.set(id, event);
    }
    return [...distinct.values()];
  }

  #segmentsOf(source: SourceDefinition, afterEpoch: number, throughEpoch: number): Segment[] {
    return [...this.#segments.values()].filter(
      (segment) =>
        segment.source.name === source.name &&
        segment.epoch > afterEpoch &&
        segment.epoch <= throughEpoch,
    );
  }

  #segmentEntities(
    view: ViewDefinition,
    epochs: { readonly afterEpoch: number; readonly throughEpoch: number },
  ): ReadonlySet<string> {
    const projection = projectView(view);
    const segments = this.#segmentsOf(view.source, epochs.afterEpoch, epochs.throughEpoch);
    const entities = segments.flatMap(({ rows }) => rows.map((row) => entityOf(projection, row)));
    return new Set(entities.filter((entity) => entity !== null));
  }
}

function segmentKey({ source, shard, epoch }: SegmentName): string {
  return `${source.name} ${shard} ${epoch}`;
}

function publishedKey({ name, fingerprint }: ViewDefinition): string {
  return `${name} ${fingerprint}`;
}

/** What came through the log first: by epoch, then shard. */
function compareSegments(a: Segment, b: Segment): number {
  return a.epoch - b.epoch || hashText(a.shard) - hashText(b.shard);
}

function compareRows(a: ScanRow, b: ScanRow): number {
  for (let i = 0; i < a.joinKeys.length; i++) {
    const order = compareScalars(a.joinKeys[i] as Scalar, b.joinKeys[i] as Scalar);
    if (order !== 0) return order;
  }
  return a.event.timestampMs - b.event.timestampMs || compareUtf8(a.event.id, b.event.id);
}

function chunkOf(view: ViewDefinition, rows: readonly ScanRow[]): ScanChunk {
  const { valueIndexes } = projectView(view);
  return {
    rowCount: rows.length,
    joinKeys: view.joinKeys.map((_, i) => rows.map(({ joinKeys }) => joinKeys[i] as Scalar)),
    timestampsMs: rows.map(({ event }) => event.timestampMs),
    ids: rows.map(({ event }) => event.id),
    values: valueIndexes.map((index) => rows.map(({ event }) => event.values[index] ?? null)),
  };
}
