/** What an offline store in memory holds of one source: segments, loads and corrections. */

import { hashText } from "../../src/core/hash.ts";
import { compareUtf8 } from "../../src/core/value.ts";
import type { SourceDefinition, SourceEvent } from "../../src/define/definition.ts";
import type { Correction, OfflineEvent } from "../../src/offline/offline-store.ts";

interface Segment {
  readonly shard: string;
  readonly epoch: number;
  rows: readonly OfflineEvent[];
}

interface Load {
  events: readonly SourceEvent[];
  /** Null until it is registered. */
  epoch: number | null;
}

export class MemorySourceRows {
  readonly #name: string;
  readonly #segments = new Map<string, Segment>();
  readonly #loads = new Map<string, Load>();
  /** The newest of each id. */
  readonly corrections = new Map<string, SourceEvent | null>();
  #corrected: readonly SourceEvent[] = [];
  /** Counts what was put, so that what was worked out from the rows is known to be old. */
  revision = 0;

  constructor(name: string) {
    this.#name = name;
  }

  hasSegment(shard: string, epoch: number): boolean {
    return this.#segments.has(`${shard} ${epoch}`);
  }

  putSegment(shard: string, epoch: number, rows: readonly OfflineEvent[]): void {
    if (this.hasSegment(shard, epoch)) return;
    this.#segments.set(`${shard} ${epoch}`, { shard, epoch, rows });
    this.revision++;
  }

  putLoad(name: string, events: readonly SourceEvent[]): void {
    if (this.#loads.has(name)) return;
    this.#loads.set(name, { events, epoch: null });
    this.revision++;
  }

  putCorrections(corrections: readonly Correction[]): void {
    for (const { id, event } of corrections) this.corrections.set(id, event);
    const events = corrections.map(({ event }) => event).filter((event) => event !== null);
    this.#corrected = [...this.#corrected, ...events];
    this.revision++;
  }

  loadOf(name: string): readonly SourceEvent[] | undefined {
    return this.#loads.get(name)?.events;
  }

  unregistered(): string[] {
    return [...this.#loads].filter(([, { epoch }]) => epoch === null).map(([name]) => name);
  }

  register(name: string, epoch: number): void {
    const load = this.#loads.get(name);
    if (load === undefined || load.epoch !== null) return;
    load.epoch = epoch;
    this.revision++;
  }

  /** What came through the log first comes first, then loads by name. */
  eventsUpTo({ kind }: SourceDefinition, cut: number): readonly SourceEvent[] {
    const loads = [...this.#loads]
      .filter(([, { epoch }]) => kind === "batchSource" || (epoch !== null && epoch <= cut))
      .sort(([a], [b]) => compareUtf8(a, b));
    const segments = this.#segmentsIn({ afterEpoch: -Infinity, throughEpoch: cut });
    return [
      ...segments.sort(compareSegments).flatMap(({ rows }) => rows),
      ...loads.flatMap(([, { events }]) => events),
    ];
  }

  segmentEvents(epochs: EpochRange): readonly SourceEvent[] {
    return this.#segmentsIn(epochs).flatMap(({ rows }) => rows);
  }

  /** Every row there is, and every event of a correction, also of one that does not count any more. */
  all(): readonly SourceEvent[] {
    return [
      ...[...this.#segments.values()].flatMap(({ rows }) => rows),
      ...[...this.#loads.values()].flatMap(({ events }) => events),
      ...this.#corrected,
    ];
  }

  /** Takes rows away for good. Segments and loads stay there, even when they are empty. */
  remove(isCovered: (event: SourceEvent) => boolean): void {
    if (!this.all().some(isCovered)) return;
    const isKept = (event: SourceEvent) => !isCovered(event);
    for (const segment of this.#segments.values()) segment.rows = segment.rows.filter(isKept);
    for (const load of this.#loads.values()) load.events = load.events.filter(isKept);
    this.#corrected = this.#corrected.filter(isKept);
    for (const [id, event] of this.corrections) {
      if (event !== null && isCovered(event)) this.corrections.set(id, null);
    }
    this.revision++;
  }

  dumpSegments(): [name: string, rows: readonly OfflineEvent[]][] {
    return [...this.#segments].map(([key, { rows }]) => [`${this.#name} ${key}`, rows]);
  }

  #segmentsIn({ afterEpoch, throughEpoch }: EpochRange): Segment[] {
    return [...this.#segments.values()].filter(
      ({ epoch }) => epoch > afterEpoch && epoch <= throughEpoch,
    );
  }
}

interface EpochRange {
  readonly afterEpoch: number;
  readonly throughEpoch: number;
}

/** What came through the log first: by epoch, then shard. */
function compareSegments(a: Segment, b: Segment): number {
  return a.epoch - b.epoch || hashText(a.shard) - hashText(b.shard);
}
