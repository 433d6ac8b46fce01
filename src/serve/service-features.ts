/** What a service answers with, known before anything is asked: its features in their stable order. */

import type { DataType } from "../core/value.ts";
import type {
  OnDemandViewDefinition,
  ServiceDefinition,
  ViewDefinition,
} from "../define/definition.ts";

/** A feature of an answer, as its definition has it. */
export interface FeatureDescription {
  /** `{view}.{feature}` */
  readonly name: string;
  readonly type: DataType;
  readonly description: string | null;
  readonly tags: Readonly<Record<string, string>>;
  /** Whether it counts, for which services may ask null in the place of nothing; arrays of counts too. */
  readonly isCount: boolean;
}

/** One view of a service with its features, in the order of the answer. */
export interface DescribedView {
  readonly name: string;
  readonly features: readonly FeatureDescription[];
}

const described = new WeakMap<ServiceDefinition, readonly DescribedView[]>();

/**
 * The views that a service serves: on-demand views by name with their outputs as declared, then the
 * other views by name with their features by name.
 */
export function describeViews(service: ServiceDefinition): readonly DescribedView[] {
  const known = described.get(service);
  if (known !== undefined) return known;
  const served = new Set(service.servedViews);
  const onDemandViews = new Map(service.onDemandViews.map((view) => [view.name, view]));
  const views = [
    ...service.servedViews.flatMap((name) => onDemandViews.get(name) ?? []).map(describeOnDemand),
    ...service.views.filter(({ name }) => served.has(name)).map(describeView),
  ];
  described.set(service, views);
  return views;
}

function describeOnDemand(view: OnDemandViewDefinition): DescribedView {
  const features = Object.entries(view.output).map(([name, type]) => ({
    name: `${view.name}.${name}`,
    type,
    description: Object.hasOwn(view.descriptions, name) ? (view.descriptions[name] ?? null) : null,
    tags: view.tags,
    isCount: false,
  }));
  return { name: view.name, features };
}

function describeView(view: ViewDefinition): DescribedView {
  const features = view.features.map((feature) => ({
    name: `${view.name}.${feature.name}`,
    type: feature.output,
    description: feature.description,
    tags: view.tags,
    isCount: feature.functionName === "count",
  }));
  return { name: view.name, features };
}
