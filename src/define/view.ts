/** Views: aggregations over the events of a source, or its newest row, a record per entity. */

import type { Duration } from "../core/duration.ts";
import { brandDefinition } from "./brand.ts";
import { buildView } from "./build-view.ts";
import type { UntypedViewConfig } from "./build-view.ts";
import type { Windowing } from "./definition.ts";
import type { Entity } from "./entity.ts";
import type {
  AttributeValues,
  ColumnTypes,
  FeatureValues,
  IntervalSuffix,
} from "./feature-types.ts";
import type { BatchSource, StreamSource } from "./source.ts";
import type {
  AttributeConfig,
  BatchView,
  EntityRule,
  FeatureListsOver,
  IntervalRule,
  JoinKeysOfEntities,
  KeyColumn,
  StreamView,
  ViewConfig,
  ViewRules,
} from "./view-config.ts";

/**
 * Declares features over a stream: fresh to the last event, exact over its whole history.
 *
 * Its features are aggregations over windows. With a `secondaryKey`, a column, each is an array of
 * one value a key; instead of `features`, `attributes` names columns of the entity's newest row.
 *
 * @throws DefinitionError when the definition cannot work; the message says what to change.
 * @example
 * const profile = streamView("user_profile", {
 *   entities: [user],
 *   source: profiles,
 *   attributes: ["tier", "country"],
 *   ttl: "30d",
 *   compaction: { every: "1d" },
 * });
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
  const Names extends readonly (keyof Columns & string)[],
>(
  name: Name,
  config: AttributeConfig<StreamSource<string, Columns>, Entities, Names> & {
    readonly entities: EntityRule<Columns, Entities>;
  },
): StreamView<Name, JoinKeysOfEntities<Entities>, AttributeValues<Columns, Names>>;
export function streamView<
  const Name extends string,
  Columns extends ColumnTypes,
  const Entities extends readonly Entity[],
  const Of extends Windowing,
  const Lists extends FeatureListsOver<Columns>,
  const Interval extends Duration = Duration,
  const Key extends KeyColumn<Columns> | undefined = undefined,
>(
  name: Name,
  config: ViewConfig<StreamSource<string, Columns>, Entities, Of, Interval, Lists, Key> &
    ViewRules<Columns, Entities, Lists> &
    IntervalRule<Of>,
): StreamView<
  Name,
  JoinKeysOfEntities<Entities>,
  FeatureValues<Columns, Lists, IntervalSuffix<Of, Interval>, Key>
>;
export function streamView(name: string, config: UntypedViewConfig): StreamView {
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
  const Names extends readonly (keyof Columns & string)[],
>(
  name: Name,
  config: AttributeConfig<HistorySource<Columns>, Entities, Names> & {
    readonly entities: EntityRule<Columns, Entities>;
  },
): BatchView<Name, JoinKeysOfEntities<Entities>, AttributeValues<Columns, Names>>;
export function batchView<
  const Name extends string,
  Columns extends ColumnTypes,
  const Entities extends readonly Entity[],
  const Lists extends FeatureListsOver<Columns>,
  const Interval extends Duration,
  const Key extends KeyColumn<Columns> | undefined = undefined,
>(
  name: Name,
  config: ViewConfig<HistorySource<Columns>, Entities, "sliding", Interval, Lists, Key> &
    ViewRules<Columns, Entities, Lists> &
    IntervalRule<"sliding">,
): BatchView<Name, JoinKeysOfEntities<Entities>, FeatureValues<Columns, Lists, Interval, Key>>;
export function batchView(name: string, config: UntypedViewConfig): BatchView {
  return brandDefinition({ kind: "batchView", ...buildView("batchView", name, config), name });
}

/** What a batch view reads: the history of a stream, or of nothing but files. */
type HistorySource<Columns extends ColumnTypes> =
  BatchSource<string, Columns> | StreamSource<string, Columns>;
