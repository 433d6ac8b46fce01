/** What a feature repository is once it is loaded: validated, with every default filled in. */

import type { BoundFunction, MergeAlgebra, RowAlgebra } from "../aggregate/aggregate.ts";
import type { ColumnSlot } from "../aggregate/keyed-states.ts";
import type { DataType, Scalar, ScalarType, Value } from "../core/value.ts";
import type { WindowSpan } from "../window/bounds.ts";
import type { WindowSeries } from "../window/series.ts";

export interface Column {
  readonly name: string;
  readonly type: ScalarType;
}

export interface EntityDefinition {
  readonly kind: "entity";
  readonly name: string;
  /** In the order they were declared. Join keys are strings, int64s, booleans or timestamps. */
  readonly joinKeys: readonly Column[];
}

/** Where a raw row stood in its file; streams have none. */
export interface RowPlace {
  readonly file: string;
  /** Counted from 1, the header line left out. */
  readonly row: number;
}

/** A raw row: a parsed JSON object, a CSV line with every cell a string, or a Parquet row. */
export type RawRow = Readonly<Record<string, unknown>>;

export interface SourceDefinition {
  readonly kind: "streamSource" | "batchSource";
  readonly name: string;
  /** The column of type `timestamp` that orders the events. */
  readonly timestamp: string;
  /** The column of type `string` that identifies an event, where the source declares one. */
  readonly id: string | null;
  /** Every column, timestamp and id included, in the order they were declared. */
  readonly columns: readonly Column[];
  /** The event log it appends to; sources of one log can share an ingest request. */
  readonly log: string;
  /** How long, in event time, an event id is remembered. Older events are refused. */
  readonly redeliveryHorizonMs: number;
  /** Runs before anything else sees a row. */
  readonly map: ((row: RawRow, place: RowPlace | null) => RawRow) | null;
  /** Runs on the mapped row; false drops it, and so does a text that says why. */
  readonly filter: ((row: RawRow) => boolean | string) | null;
}

/** Sizes and offsets in milliseconds. */
export type Window = WindowSpan;

export type Windowing = "sliding" | "sawtooth" | "continuous";

export interface FeatureDefinition {
  /** `{column}_{function}[_{n}]_{window}_{interval}`, without the view's name. */
  readonly name: string;
  readonly column: string;
  readonly functionName: string;
  readonly n: number | null;
  /** The function's own option, such as an accuracy; null where it has none. */
  readonly option: number | null;
  /** The newest one where there is a series of them. */
  readonly window: Window;
  /** The windows whose answers make one array, oldest first; null where the window is alone. */
  readonly series: WindowSeries | null;
  /** What it is of one window. */
  readonly bound: BoundFunction<MergeAlgebra>;
  /** What it is of all its windows; `bound` says the same of a window that is alone. */
  readonly output: DataType;
  /** The answer for no rows, of all its windows. */
  readonly emptyValue: Value;
  /** For each state of `bound`, its index in the view's `slots`. */
  readonly slotIndexes: readonly number[];
  readonly description: string | null;
}

/** One state of one column, or of whole rows: the unit that records store, shared by features. */
export type Slot = ColumnSlot | RowSlot;

export interface RowSlot {
  readonly column: null;
  readonly columnIndex: null;
  readonly algebra: RowAlgebra;
}

/** Of a view whose features are the columns of its entity's newest row. */
export interface AttributeRules {
  /** How old that row may be; null for as old as it is. */
  readonly ttlMs: number | null;
}

export interface ViewDefinition {
  readonly kind: "streamView" | "batchView";
  readonly name: string;
  readonly entities: readonly EntityDefinition[];
  /** The join keys of all its entities, in order: the columns that identify a record. */
  readonly joinKeys: readonly Column[];
  readonly source: SourceDefinition;
  /**
   * Of a stream view whose history this system did not write: where compactions read it. The batch
   * record then covers event times before its watermark, and the stream those from it on. Null where
   * compactions cover what was ingested, by epoch.
   */
  readonly history: SourceDefinition | null;
  /** With a history: watermarks are rounded down to multiples of this. Else 0. */
  readonly watermarkStepMs: number;
  readonly windowing: Windowing;
  /** Zero for `continuous`, as attribute views are. */
  readonly intervalMs: number;
  /** Where lifetime windows start; null for never. */
  readonly featureStartTimeMs: number | null;
  /** Sorted by name, the order of the wire. */
  readonly features: readonly FeatureDefinition[];
  /** The column by whose values each answer is an array, as the features of keys say; null for none. */
  readonly secondaryKey: Column | null;
  /** Set where the features are attributes instead of aggregations. */
  readonly attributes: AttributeRules | null;
  /** The columns it reads, sorted by name: the order that a source lists them in is no matter. */
  readonly valueColumns: readonly Column[];
  readonly slots: readonly Slot[];
  /** Whether some slot needs the tie key, so that raw events keep it. */
  readonly ordered: boolean;
  readonly compactionEveryMs: number;
  /** How long after a compaction's seal its record stays exact. */
  readonly horizonMs: number;
  /** How old an answer from the serving cache may be; null where it is always read. No part of its data. */
  readonly cacheMaxAgeMs: number | null;
  /** What its owner says of it, for those who ask; no part of what it means. */
  readonly tags: Readonly<Record<string, string>>;
  /** 16 hex digits over the view's data, its source's data and the declared versions of its functions. */
  readonly fingerprint: string;
}

export interface OnDemandViewDefinition {
  readonly kind: "onDemandView";
  readonly name: string;
  /** The request values it takes, by name. */
  readonly request: Readonly<Record<string, DataType>>;
  /** The views it reads, by the name the transform knows them under. */
  readonly inputs: Readonly<Record<string, ViewDefinition | OnDemandViewDefinition>>;
  /** Its features, in the order they were declared. */
  readonly output: Readonly<Record<string, DataType>>;
  /** Of its features, by name; some may have none. */
  readonly descriptions: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** On-demand views that stand on each other up to this one, itself included: 1 where it reads none. */
  readonly depth: number;
  readonly transform: (inputs: TransformInputs) => Readonly<Record<string, unknown>>;
}

/** Frozen. Feature values carry their names without the view's; int64s are bigints. */
export interface TransformInputs {
  readonly request: Readonly<Record<string, unknown>>;
  /** The request's one instant, in milliseconds. */
  readonly now: number;
  readonly [input: string]: unknown;
}

export interface ServiceDefinition {
  readonly kind: "service";
  readonly name: string;
  /** Views with records, sorted by name: its own, and those its on-demand views read. */
  readonly views: readonly ViewDefinition[];
  /** Names of the views whose features are in the answer, sorted. */
  readonly servedViews: readonly string[];
  /** Its own and those they read, each after all that it reads; by name where that leaves a choice. */
  readonly onDemandViews: readonly OnDemandViewDefinition[];
  /** What a count of nothing is on the wire: 0 unless declared `null`. */
  readonly emptyCount: "zero" | "null";
}

export interface Repository {
  readonly entities: ReadonlyMap<string, EntityDefinition>;
  readonly sources: ReadonlyMap<string, SourceDefinition>;
  readonly views: ReadonlyMap<string, ViewDefinition>;
  readonly onDemandViews: ReadonlyMap<string, OnDemandViewDefinition>;
  readonly services: ReadonlyMap<string, ServiceDefinition>;
}

/** One validated event of a source: its columns as scalars or null, in the order of `columns`. */
export interface SourceEvent {
  readonly timestampMs: number;
  /** The event id; "" where the source declares none. */
  readonly id: string;
  readonly values: readonly (Scalar | null)[];
}

export type { BoundFunction, DataType, Scalar, ScalarType, Value };
