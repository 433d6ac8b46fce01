/** What a feature repository imports. */

export {
  approxCountDistinct,
  approxPercentile,
  count,
  first,
  firstDistinct,
  histogram,
  last,
  lastDistinct,
  max,
  mean,
  min,
  stddevPop,
  stddevSamp,
  sum,
  topK,
  varPop,
  varSamp,
} from "./define/aggregation.ts";
export { entity } from "./define/entity.ts";
export { loadRepository } from "./define/load-repository.ts";
export { onDemandView } from "./define/on-demand-view.ts";
export { service } from "./define/service.ts";
export { batchSource, streamSource } from "./define/source.ts";
export { batchView, streamView } from "./define/view.ts";
export { DefinitionError, FeatureError } from "./core/errors.ts";

export type { Duration } from "./core/duration.ts";
export type { DataType, Scalar, ScalarType, Value } from "./core/value.ts";
export type { Aggregation, OffsetText, SeriesOptions, WindowText } from "./define/aggregation.ts";
export type { RawRow, Repository, RowPlace, Windowing } from "./define/definition.ts";
export type { Entity } from "./define/entity.ts";
export type { ValueOf } from "./define/feature-types.ts";
export type { FeaturesOfView, OnDemandView } from "./define/on-demand-view.ts";
export type { FeaturesOf, JoinKeysOf, RequestOf, Service } from "./define/service.ts";
export type { BatchSource, StreamSource } from "./define/source.ts";
export type { BatchView, StreamView, View } from "./define/view-config.ts";
