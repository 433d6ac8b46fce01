/** Builds the definitions of golden cases from their descriptions. */

import * as tilemark from "../../src/index.ts";
import { formatDuration } from "../../src/core/duration.ts";
import type { GoldenAggregation, GoldenView } from "./golden-file.ts";

type AnyAggregation = tilemark.Aggregation;
type Helper = (...values: readonly unknown[]) => AnyAggregation;

const helpers: Readonly<Record<string, unknown>> = {
  count: tilemark.count,
  sum: tilemark.sum,
  mean: tilemark.mean,
  min: tilemark.min,
  max: tilemark.max,
  var_pop: tilemark.varPop,
  var_samp: tilemark.varSamp,
  stddev_pop: tilemark.stddevPop,
  stddev_samp: tilemark.stddevSamp,
  last: tilemark.last,
  first: tilemark.first,
  last_distinct: tilemark.lastDistinct,
  first_distinct: tilemark.firstDistinct,
};

/** What one case needs: its view is `{name}`, its service `{name}_service`. */
export function defineGolden(name: string, view: GoldenView): Record<string, unknown> {
  const types = Object.fromEntries(
    Object.entries(view.columns).map(([column, type]) => [
      column,
      type === "timestamp_ms" ? "timestamp" : type,
    ]),
  );
  const entity = tilemark.entity(
    `${name}_entity`,
    Object.fromEntries(view.entities.map((key) => [key, types[key]])) as { key: "string" },
  );
  const config = { timestamp: view.timestamp, id: view.event_id, columns: types } as never;
  const streamConfig = {
    ...(config as object),
    log: `${name}_log`,
    redeliveryHorizon: formatDuration(view.lateness_ms),
  } as never;
  const source =
    view.kind === "batch"
      ? tilemark.batchSource(`${name}_source`, config)
      : tilemark.streamSource(`${name}_source`, streamConfig);
  const horizon = formatDuration(view.horizon_ms);
  const viewConfig = {
    entities: [entity],
    source,
    windowing: view.windowing,
    ...(view.windowing === "continuous"
      ? {}
      : { interval: formatDuration(view.aggregation_interval_ms) }),
    features: featuresOf(view.aggregations),
    compaction: { every: horizon, horizon },
  } as never;
  const defined =
    view.kind === "batch"
      ? tilemark.batchView(name, viewConfig)
      : tilemark.streamView(name, viewConfig);
  return {
    [name]: defined,
    [`${name}_service`]: tilemark.service(`${name}_service`, [defined as never]),
  };
}

function featuresOf(aggregations: readonly GoldenAggregation[]): Record<string, AnyAggregation[]> {
  const features: Record<string, AnyAggregation[]> = {};
  for (const aggregation of aggregations) {
    const helper = helpers[aggregation.function] as Helper | undefined;
    if (helper === undefined) {
      throw new Error(`Cannot define golden view: function "${aggregation.function}" is unknown`);
    }
    const window =
      aggregation.window_ms === null ? "lifetime" : formatDuration(aggregation.window_ms);
    const offset = aggregation.offset_ms ?? 0;
    const options = offset === 0 ? [] : [{ offset: `-${formatDuration(-offset)}` }];
    const counted = aggregation.n === undefined ? [] : [aggregation.n];
    (features[aggregation.column] ??= []).push(helper(...counted, window, ...options));
  }
  return features;
}
