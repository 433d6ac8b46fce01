/** Feature names and values at the type level, computed as the builders compute them at run time. */

import type { ElementType, ScalarType } from "../core/value.ts";
import type { Aggregation, FunctionName, SeriesOptions } from "./aggregation.ts";
import type { Windowing } from "./definition.ts";

/** Where builder results keep types that have no value at run time. */
export declare const carriedTypes: unique symbol;

/** Column types by column name. */
export type ColumnTypes = Readonly<Record<string, ScalarType>>;

interface ScalarValues {
  readonly string: string;
  readonly int64: bigint;
  readonly float64: number;
  readonly float32: number;
  readonly boolean: boolean;
  /** Integer milliseconds since 1970-01-01 UTC. */
  readonly timestamp: number;
}

/** The TypeScript type of a value in a transform: what is in an array, map or struct may be null. */
export type ValueOf<Type extends ElementType> = Type extends ScalarType | "float32"
  ? ScalarValues[Type]
  : Type extends { readonly array: infer Element extends ElementType }
    ? readonly (ValueOf<Element> | null)[]
    : Type extends { readonly map: infer Element extends ElementType }
      ? { readonly [key: string]: ValueOf<Element> | null }
      : Type extends { readonly struct: infer Fields extends Readonly<Record<string, ElementType>> }
        ? { readonly [Field in keyof Fields]: ValueOf<Fields[Field]> | null }
        : never;

/** What a function's answer over a column is. Counts are never null, nor are lists. */
export type AggregationValue<
  Name extends FunctionName,
  Count extends number | null,
  Type extends ScalarType,
> = Name extends "count" | "approx_count_distinct"
  ? bigint
  : Name extends "sum" | "min" | "max"
    ? ValueOf<Type> | null
    : Name extends "last" | "first" | "last_distinct" | "first_distinct"
      ? Count extends number
        ? readonly ValueOf<Type>[]
        : ValueOf<Type> | null
      : Name extends "top_k" | "histogram"
        ? readonly CountedValue<Type>[]
        : number | null;

/** A value and how often it occurred; neither is ever null. */
export interface CountedValue<Type extends ScalarType> {
  readonly value: ValueOf<Type>;
  readonly count: bigint;
}

/**
 * `{column}_{function}[_{n}]_{window}_{interval}[_offset_{o}]`, as in the semantics; of a series
 * `_series_{from}_{to}_{step}` at its end.
 */
export type FeatureName<
  Column extends string,
  Of extends Aggregation,
  Suffix extends string,
> = `${Column}_${Of["functionName"]}${CountPart<Of["n"]>}_${Of["window"]}_${Suffix}${OffsetPart<Of["offset"]>}${SeriesPart<SeriesOf<Of>, Of["window"]>}`;

/** Of 0.95 it is `_0_95`: names have no points. */
type CountPart<Count extends number | null> = Count extends number
  ? `${Count}` extends `${infer Whole}.${infer Decimals}`
    ? `_${Whole}_${Decimals}`
    : `_${Count}`
  : "";

type OffsetPart<Offset extends string | null> = Offset extends `-${infer Size}`
  ? `_offset_${Size}`
  : "";

type SeriesOf<Of extends Aggregation> = Exclude<Of["series"], undefined>;

type SeriesPart<Series, Window extends string> = Series extends {
  readonly from: `-${infer From}`;
}
  ? `_series_${From}_${EndOf<Series>}_${StepOf<Series, Window>}`
  : "";

type EndOf<Series> = Series extends { readonly to: infer To extends string }
  ? To extends `-${infer End}`
    ? End
    : To
  : "0s";

type StepOf<Series, Window extends string> = Series extends {
  readonly step: infer Step extends string;
}
  ? Step
  : Window;

/** The part of a feature's name that says how its edges move. */
export type IntervalSuffix<Of extends Windowing, Interval extends string> = Of extends "continuous"
  ? "continuous"
  : Of extends "sawtooth"
    ? `${Interval}_sawtooth`
    : Interval;

/**
 * Values by feature name, of all the aggregations a view lists. With a secondary key each is an array
 * beside the keys of its window, `{key}_keys_{window}[_offset_{o}]`.
 */
export type FeatureValues<
  Columns extends ColumnTypes,
  Lists,
  Suffix extends string,
  Key extends string | undefined = undefined,
> = Key extends keyof Columns & string
  ? KeyedValues<FeatureEntries<Columns, Lists, Suffix>> & KeysOf<Columns, Lists, Key>
  : {
      readonly [Entry in FeatureEntries<Columns, Lists, Suffix> as Entry["name"]]: Entry["value"];
    };

type KeyedValues<Entry extends FeatureEntryOf> = {
  readonly [Each in Entry as Each["name"]]: readonly Each["value"][];
};

type KeysOf<Columns extends ColumnTypes, Lists, Key extends keyof Columns & string> = {
  readonly [
    Each in Listed<Lists> as `${Key}_keys_${Each["window"]}${OffsetPart<Each["offset"]>}`
  ]: readonly ValueOf<Columns[Key]>[];
};

/** Every aggregation of a view's lists. */
type Listed<Lists> = {
  [Column in keyof Lists]: Lists[Column] extends readonly (infer Each)[] ? Each : never;
}[keyof Lists] &
  Aggregation;

interface FeatureEntryOf {
  readonly name: string;
  readonly value: unknown;
}

/** The columns of an entity's newest row, by name: null where the row has none, or is none. */
export type AttributeValues<Columns extends ColumnTypes, Names extends readonly unknown[]> = {
  readonly [Name in Names[number] & keyof Columns]: ValueOf<Columns[Name]> | null;
};

type FeatureEntries<Columns extends ColumnTypes, Lists, Suffix extends string> = {
  [Column in keyof Lists & keyof Columns & string]: Lists[Column] extends readonly (infer Each)[]
    ? FeatureEntry<Column, Columns[Column], Each, Suffix>
    : never;
}[keyof Lists & keyof Columns & string];

type FeatureEntry<Column extends string, Type extends ScalarType, Of, Suffix extends string> =
  Of extends Aggregation<infer Name, infer Count>
    ? {
        readonly name: FeatureName<Column, Of, Suffix>;
        readonly value: SeriesOf<Of> extends SeriesOptions
          ? readonly AggregationValue<Name, Count, Type>[]
          : AggregationValue<Name, Count, Type>;
      }
    : never;

/** The intersection of a union's members. */
export type IntersectionOf<Union> = (
  Union extends unknown ? (member: Union) => void : never
) extends (all: infer All) => void
  ? All
  : never;

/** One flat object type, so that editors show fields rather than intersections. */
export type Flat<Type> = { [Key in keyof Type]: Type[Key] };
