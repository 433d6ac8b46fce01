/** Feature names and values at the type level, computed as the builders compute them at run time. */

import type { DataType, ScalarType } from "../core/value.ts";
import type { Aggregation, FunctionName } from "./aggregation.ts";
import type { Windowing } from "./definition.ts";

/** Where builder results keep types that have no value at run time. */
export declare const carriedTypes: unique symbol;

/** Column types by column name. */
export type ColumnTypes = Readonly<Record<string, ScalarType>>;

interface ScalarValues {
  readonly string: string;
  readonly int64: bigint;
  readonly float64: number;
  readonly boolean: boolean;
  /** Integer milliseconds since 1970-01-01 UTC. */
  readonly timestamp: number;
}

/** The TypeScript type of a value in a transform; null is added where a value may be absent. */
export type ValueOf<Type extends DataType> = Type extends ScalarType
  ? ScalarValues[Type]
  : Type extends { readonly array: infer Element extends DataType }
    ? readonly ValueOf<Element>[]
    : Type extends { readonly map: infer Element extends DataType }
      ? { readonly [key: string]: ValueOf<Element> }
      : Type extends { readonly struct: infer Fields extends Readonly<Record<string, DataType>> }
        ? { readonly [Field in keyof Fields]: ValueOf<Fields[Field]> | null }
        : never;

/** What a function's answer over a column is. Counts are never null, nor are lists. */
export type AggregationValue<
  Name extends FunctionName,
  Count extends number | null,
  Type extends ScalarType,
> = Name extends "count"
  ? bigint
  : Name extends "sum" | "min" | "max"
    ? ValueOf<Type> | null
    : Name extends "last" | "first" | "last_distinct" | "first_distinct"
      ? Count extends number
        ? readonly ValueOf<Type>[]
        : ValueOf<Type> | null
      : number | null;

/** `{column}_{function}[_{n}]_{window}_{interval}[_offset_{o}]`, as in the semantics. */
export type FeatureName<
  Column extends string,
  Of extends Aggregation,
  Suffix extends string,
> = `${Column}_${Of["functionName"]}${CountPart<Of["n"]>}_${Of["window"]}_${Suffix}${OffsetPart<Of["offset"]>}`;

type CountPart<Count extends number | null> = Count extends number ? `_${Count}` : "";

type OffsetPart<Offset extends string | null> = Offset extends `-${infer Size}`
  ? `_offset_${Size}`
  : "";

/** The part of a feature's name that says how its edges move. */
export type IntervalSuffix<Of extends Windowing, Interval extends string> = Of extends "continuous"
  ? "continuous"
  : Of extends "sawtooth"
    ? `${Interval}_sawtooth`
    : Interval;

/** Values by feature name, of all the aggregations a view lists. */
export type FeatureValues<Columns extends ColumnTypes, Lists, Suffix extends string> = {
  readonly [Entry in FeatureEntries<Columns, Lists, Suffix> as Entry["name"]]: Entry["value"];
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
        readonly value: AggregationValue<Name, Count, Type>;
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
