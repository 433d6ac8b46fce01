/**
 * The contract of an offline store: every event for good, and the scans that compaction folds.
 *
 * What it holds of a source:
 * - *segments*: the rows of one sealed epoch of one log shard, put once, as drained from the log;
 * - *loads*: files of history, put once each under a name derived from their content;
 * - *corrections*: for an event id what it should have been, or that it should not have been;
 * - *deletions*: entities whose rows must not be, whatever brings them.
 */

import type { Scalar } from "../core/value.ts";
import type {
  EntityDefinition,
  SourceDefinition,
  SourceEvent,
  ViewDefinition,
} from "../define/definition.ts";
import type { LogEntry } from "../store/event-log.ts";

export interface SegmentName {
  readonly source: SourceDefinition;
  readonly shard: string;
  readonly epoch: number;
}

/** A row of the log with its columns opened. */
export interface OfflineEvent extends SourceEvent {
  readonly seq: number;
  readonly epoch: number;
  readonly arrivedAtMs: number;
}

export interface LoadSummary {
  readonly read: number;
  readonly loaded: number;
  /** Rows left out, by reason; `read` is `loaded` plus all of these. */
  readonly skipped: ReadonlyMap<string, number>;
  /** True when the same files had been loaded before: nothing was done. */
  readonly repeated: boolean;
}

export interface Correction {
  readonly id: string;
  /** Null removes the event. */
  readonly event: SourceEvent | null;
}

export interface Deletion {
  readonly entity: EntityDefinition;
  /** One value a join key of the entity, in its order. */
  readonly joinKeys: readonly Scalar[];
}

/** A load of which the log shards know nothing yet, so that no scan of the source sees it. */
export interface NewLoad {
  readonly name: string;
  readonly source: SourceDefinition;
}

/** A row of a load as the log would keep it. */
export type LoadedRow = Pick<LogEntry, "id" | "timestampMs" | "body">;

export interface ScanRequest {
  /** Its `history` is scanned where it has one, else its `source`. */
  readonly view: ViewDefinition;
  /**
   * Segments of epochs up to this one are scanned, and the loads of a batch source. Of a stream
   * source those loads that were registered with an epoch up to this one.
   */
  readonly cut: number;
  /** Events in `[fromMs, untilMs)`; the ends may be infinite. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Rows in columns. Entities follow one another; within one, events go by (timestamp, id). */
export interface ScanChunk {
  readonly rowCount: number;
  /** One array a join key; rows with a null join key are left out of the scan. */
  readonly joinKeys: readonly (readonly Scalar[])[];
  readonly timestampsMs: ArrayLike<number>;
  /** "" for every row where the source declares no id. */
  readonly ids: readonly string[];
  /** One array a value column of the view, in its order. */
  readonly values: readonly (readonly (Scalar | null)[])[];
}

/**
 * Everything put is durable when the promise resolves, whole or not at all, and putting it again
 * changes nothing, also from another process at the same time.
 */
export interface OfflineStore {
  /** Names the store for good: a log is drained into one store, and into no other. */
  identity(): Promise<string>;
  /** The home whose log was drained into it; null before there was one. */
  home(): Promise<string | null>;
  /** @throws FeatureError INVALID_REQUEST where it has the events of another home. */
  setHome(home: string): Promise<void>;
  hasSegment(name: SegmentName): Promise<boolean>;
  putSegment(name: SegmentName, rows: AsyncIterable<readonly OfflineEvent[]>): Promise<void>;
  putCorrections(source: SourceDefinition, corrections: readonly Correction[]): Promise<void>;
  /** From then on no scan of any source that has an entity's join keys sees its rows. */
  putDeletions(deletions: readonly Deletion[]): Promise<void>;
  /**
   * Takes the rows of deleted entities out of every segment, load and correction of the sources of
   * `views`, also of those put since. Before that it remembers as published, for each view, the
   * entities that these rows have there, so that their records are found.
   */
  purge(views: readonly ViewDefinition[]): Promise<void>;
  /** The entities put published for a view that a deletion covers, until they are forgotten. */
  deletedEntities(view: ViewDefinition): AsyncIterable<readonly string[]>;
  /** Forgets that entities were published: their records are gone. */
  forgetPublished(view: ViewDefinition, entities: readonly string[]): Promise<void>;
  /** Loads of a stream source that are not registered. */
  newLoads(source: SourceDefinition): Promise<readonly NewLoad[]>;
  /**
   * A load's rows at or after an instant, an id once, as bodies of the log; none where the source
   * declares no id.
   */
  recentRows(load: NewLoad, fromMs: number): AsyncIterable<readonly LoadedRow[]>;
  /** The load belongs to scans with a cut of `epoch` or later. The first epoch given stays. */
  registerLoad(load: NewLoad, epoch: number): Promise<void>;
  /**
   * An event id counts once: of several rows of one id the one that came through the log first
   * wins, then loads by name; then its newest correction replaces it. Rows of deleted entities are
   * not there.
   */
  scan(request: ScanRequest): AsyncIterable<ScanChunk>;
  /** Rows a scan would bring, for progress; an estimate. */
  estimateRows(request: ScanRequest): Promise<number>;
  /**
   * The entities with events in segments of epochs in `(afterEpoch, throughEpoch]`, each once; also
   * those whose events there a purge took away, as they were of a deleted entity too, but for
   * deleted ones.
   */
  entitiesOf(
    view: ViewDefinition,
    epochs: { readonly afterEpoch: number; readonly throughEpoch: number },
  ): AsyncIterable<readonly string[]>;
  /**
   * Remembers, before they are published, which entities a run covers: those of its scan, and for
   * a stream view all in segments of epochs up to the cut, however old or corrected their events.
   */
  putPublished(request: ScanRequest): Promise<void>;
  /**
   * Every entity ever put published for a view and absent from the scan, but for deleted ones: they
   * get empty records.
   */
  vanishedEntities(request: ScanRequest): AsyncIterable<readonly string[]>;
}
