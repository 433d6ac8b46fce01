/** The types of views: what a builder takes, what it refuses at compile time, what it returns. */

import type { Duration } from "../core/duration.ts";
import type { Aggregation, FunctionNameFor } from "./aggregation.ts";
import type {
  EntityDefinition,
  SourceDefinition,
  ViewDefinition,
  Windowing,
} from "./definition.ts";
import type { Entity, JoinKeyTypes } from "./entity.ts";
import type { carriedTypes, ColumnTypes, Flat, IntersectionOf } from "./feature-types.ts";

/** A view, with the types of its join keys and of its features by name. */
export interface View<
  Name extends string = string,
  Keys = JoinKeyTypes,
  Features = Readonly<Record<string, unknown>>,
> extends ViewDefinition {
  readonly name: Name;
  readonly [carriedTypes]?: { readonly joinKeys: Keys; readonly features: Features };
}

export interface StreamView<
  Name extends string = string,
  Keys = JoinKeyTypes,
  Features = Readonly<Record<string, unknown>>,
> extends View<Name, Keys, Features> {
  readonly kind: "streamView";
}

export interface BatchView<
  Name extends string = string,
  Keys = JoinKeyTypes,
  Features = Readonly<Record<string, unknown>>,
> extends View<Name, Keys, Features> {
  readonly kind: "batchView";
}

export interface CompactionConfig {
  /** The cadence of compactions. */
  readonly every: Duration;
  /** How long after a compaction its record stays exact; a quarter longer than `every` if left out. */
  readonly horizon?: Duration;
}

export interface CacheConfig {
  /**
   * How old an answer may be that is given again without being read: a second to a day. Past a
   * deletion elsewhere, an answer of the deleted entity may live on for as long.
   */
  readonly maxAge: Duration;
}

/** Aggregations by column, each of a function that takes the column's type. */
export type FeatureListsOver<Columns extends ColumnTypes> = {
  readonly [Column in keyof Columns]?: readonly Aggregation<FunctionNameFor<Columns[Column]>>[];
};

/** What every view has. */
export interface SharedViewConfig<Source, Entities> {
  readonly entities: Entities;
  readonly source: Source;
  /**
   * A batch source with the same columns, for a stream view whose history another system writes:
   * compactions read it up to the watermark they are given, and the stream counts from there on.
   * Left out, compactions cover what was ingested and backfilled into the source itself.
   */
  readonly history?: SourceDefinition & { readonly kind: "batchSource" };
  readonly compaction: CompactionConfig;
  /** Keeps answers in memory for a while, in each process; left out, every request reads. */
  readonly cache?: CacheConfig;
  /** For those who ask what is served; the same records and values whatever they say. */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ViewConfig<Source, Entities, Of, Interval, Lists, Key> extends SharedViewConfig<
  Source,
  Entities
> {
  readonly windowing: Of;
  /** The step of the window edges. `continuous` takes none. */
  readonly interval?: Interval;
  /** Where lifetime windows start, as RFC 3339; never if left out. */
  readonly featureStartTime?: string;
  readonly features: Lists;
  /**
   * A column of strings or int64s: every answer becomes an array of one value a key that occurs in
   * the window, beside the keys themselves, ascending, as `{key}_keys_{window}`.
   */
  readonly secondaryKey?: Key;
}

/** A view whose features are the columns of its entity's newest row, each under its own name. */
export interface AttributeConfig<Source, Entities, Names> extends SharedViewConfig<
  Source,
  Entities
> {
  readonly attributes: Names;
  /** How old that row may be; left out, as old as it is. */
  readonly ttl?: Duration;
}

/** Names of columns that can be a secondary key. */
export type KeyColumn<Columns extends ColumnTypes> = {
  [Name in keyof Columns & string]: Columns[Name] extends "string" | "int64" ? Name : never;
}[keyof Columns & string];

/** What is checked of a config beyond its shape. */
export interface ViewRules<Columns extends ColumnTypes, Entities, Lists> {
  readonly entities: EntityRule<Columns, Entities>;
  readonly features: FeatureRule<Columns, Lists>;
}

/** Every join key must be a column of the source, of the same type. */
export type EntityRule<Columns extends ColumnTypes, Entities> = {
  readonly [Index in keyof Entities]: Entities[Index] extends Entity<infer Name, infer Keys>
    ? Columns extends Keys
      ? Entities[Index]
      : `a join key of entity "${Name}" is not a column of the source, of the same type`
    : never;
};

/** No list may stand under a name that is not a column. */
export type FeatureRule<Columns extends ColumnTypes, Lists> = {
  readonly [Column in keyof Lists]: Column extends keyof Columns
    ? Lists[Column]
    : `"${Column & string}" is not a column of the source`;
};

/** The interval is required, but for `continuous`, where there is none. */
export type IntervalRule<Of extends Windowing> = Of extends "continuous"
  ? { readonly interval?: undefined }
  : { readonly interval: Duration };

/** The join keys of all a view's entities. */
export type JoinKeysOfEntities<Entities extends readonly EntityDefinition[]> = Flat<
  IntersectionOf<Entities[number] extends infer Each ? KeysOfEntity<Each> : never>
>;

type KeysOfEntity<Each> = Each extends Entity<string, infer Keys> ? Keys : never;
