/** Views: aggregations over the events of a source, a record per entity. */

import type { Duration } from "../core/duration.ts";
import { brandDefinition } from "./brand.ts";
import { buildView } from "./build-view.ts";
import type { Windowing } from "./definition.ts";
import type { Entity } from "./entity.ts";
import type { ColumnTypes, FeatureValues, IntervalSuffix } from "./feature-types.ts";
import type { BatchSource, StreamSource } from "./source.ts";
import type {
  BatchView,
  FeatureListsOver,
  IntervalRule,
  JoinKeysOfEntities,
  StreamView,
  ViewConfig,
  ViewRules,
} from "./view-config.ts";

/**
 * Declares features over a stream: fresh to the last event, exact over its whole history.
 *
 * @throws DefinitionError when the definition cannot work; the message says what to change.
 * @example
 * const spend = streamView("user_spend", {
 *   entities: [user],
 *   source: transactions,
 *   windowing: "sliding",
 *   interval: "5m",
 *   features: { amt: [sum("1h"), mean("30d")], merchant: [lastDistinct(10, "7d")] },
 *   compaction: { every: "1d" },
 * });
 */
export function streamView<
  const Name extends string,
  Columns extends ColumnTypes,
  const Entities extends readonly Entity[],
  const Of extends Windowing,
  const Lists extends FeatureListsOver<Columns>,
  const Interval extends Duration = Duration,
>(
  name: Name,
  config: ViewConfig<StreamSource<string, Columns>, Entities, Of, Interval, Lists> &
    ViewRules<Columns, Entities, Lists> &
    IntervalRule<Of>,
): StreamView<
  Name,
  JoinKeysOfEntities<Entities>,
  FeatureValues<Columns, Lists, IntervalSuffix<Of, Interval>>
> {
  return brandDefinition({ kind: "streamView", ...buildView("streamView", name, config), name });
}

/**
 * Declares features over history alone: as of the last compaction, on the grid of the interval.
 *
 * @throws DefinitionError when the definition cannot work; the message says what to change.
 * @example
 * const daily = batchView("user_daily", {
 *   entities: [user],
 *   source: archive,
 *   windowing: "sliding",
 *   interval: "1d",
 *   features: { amt: [sum("30d")] },
 *   compaction: { every: "1d" },
 * });
 */
export function batchView<
  const Name extends string,
  Columns extends ColumnTypes,
  const Entities extends readonly Entity[],
  const Lists extends FeatureListsOver<Columns>,
  const Interval extends Duration,
>(
  name: Name,
  config: ViewConfig<
    BatchSource<string, Columns> | StreamSource<string, Columns>,
    Entities,
    "sliding",
    Interval,
    Lists
  > &
    ViewRules<Columns, Entities, Lists> &
    IntervalRule<"sliding">,
): BatchView<Name, JoinKeysOfEntities<Entities>, FeatureValues<Columns, Lists, Interval>> {
  return brandDefinition({ kind: "batchView", ...buildView("batchView", name, config), name });
}
