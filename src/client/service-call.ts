/** What is asked of a service and what it answers, in the types of its definition. */

import type { ScalarType } from "../core/value.ts";
import type { ValueOf } from "../define/feature-types.ts";
import type { FeaturesOf, JoinKeysOf, RequestOf, Service } from "../define/service.ts";
import type { Source } from "../define/source.ts";
import type { carriedTypes } from "../define/feature-types.ts";

declare const definition: unique symbol;

/** A service by its name, with the types of its definition and nothing of it at run time. */
export interface ServiceHandle<Of extends Service> {
  readonly name: string;
  readonly [definition]?: Of;
}

/** A service's definition, or a handle of it. */
export type ServiceRef<Of extends Service> = Of | ServiceHandle<Of>;

/** Join keys and, where the service takes some, request values. */
export type FeaturesQuery<Of extends Service> = Given<"joinKeys", JoinKeyValues<JoinKeysOf<Of>>> &
  Given<"request", RequestOf<Of>>;

/** May be left out where there is nothing to give. */
type Given<Name extends string, Values> = keyof Values extends never
  ? { readonly [Each in Name]?: Values }
  : { readonly [Each in Name]: Values };

type JoinKeyValues<Types> = {
  readonly [Name in keyof Types]: Types[Name] extends ScalarType ? Sent<Types[Name]> : never;
};

/** Int64s are sent as bigints or as whole numbers, timestamps also as RFC 3339 text. */
type Sent<Type extends ScalarType> =
  | ValueOf<Type>
  | (Type extends "int64" ? number : never)
  | (Type extends "timestamp" ? string : never);

/**
 * How a value came about. Null values with `UNKNOWN` or `TIME_OUT` are failures of that feature
 * alone; with `MISSING_DATA` nothing is known of the entity.
 */
export type FeatureStatus =
  | "PRESENT"
  | "MISSING_DATA"
  | "TIME_OUT"
  | "UNKNOWN"
  | "CACHED_PRESENT"
  | "CACHED_MISSING_DATA"
  | "CACHED_UNKNOWN";

/** Why a value is not all that it should be. Times are RFC 3339. */
export interface FeatureDetails {
  readonly reason?: string;
  readonly stale?: true;
  readonly asOf?: string;
  readonly gap?: true;
  readonly behind?: true;
  readonly degraded?: true;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly lateEventsWaiting?: number;
}

/** By `{view}.{feature}`. */
export interface FeaturesAnswer<Of extends Service> {
  /** Any may be null, for what its status says. */
  readonly features: {
    readonly [Name in keyof FeaturesOf<Of>]: FeaturesOf<Of>[Name] | null;
  };
  readonly statuses: { readonly [Name in keyof FeaturesOf<Of>]: FeatureStatus };
  /** In milliseconds since 1970, where asked for and where a value has one. */
  readonly effectiveTimes: { readonly [Name in keyof FeaturesOf<Of>]?: number };
  /** Where asked for, and of the features of which there is something to tell. */
  readonly details: { readonly [Name in keyof FeaturesOf<Of>]?: FeatureDetails };
}

/** A source by its name, with the types of its columns. */
export interface SourceHandle<Of extends Source> {
  readonly name: string;
  readonly [definition]?: Of;
}

export type SourceRef<Of extends Source> = Of | SourceHandle<Of>;

/** A record of a source without a `map`. A column that is left out is null. */
export type RecordOf<Of extends Source> = Of extends {
  readonly [carriedTypes]?: { readonly columns: infer Columns };
}
  ? {
      readonly [Name in keyof Columns]?: Columns[Name] extends ScalarType
        ? Sent<Columns[Name]> | null
        : never;
    }
  : never;
