/** Services: the features that one request asks for together. */

import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ScalarType } from "../core/value.ts";
import { brandDefinition, checkDefinition, describe } from "./brand.ts";
import { checkCount, checkFields, checkName, checkObject } from "./check.ts";
import type { OnDemandViewDefinition, ServiceDefinition, ViewDefinition } from "./definition.ts";
import type { carriedTypes, Flat, IntersectionOf } from "./feature-types.ts";
import type {
  FeaturesOfView,
  InputViews,
  OnDemandView,
  RequestValues,
  TransformResult,
} from "./on-demand-view.ts";
import type { View } from "./view-config.ts";

export type ServedView = View | OnDemandView;

export interface Service<
  Name extends string = string,
  Views extends readonly ServedView[] = readonly ServedView[],
> extends ServiceDefinition {
  readonly name: Name;
  readonly [carriedTypes]?: { readonly served: Views };
}

export interface ServiceOptions {
  /** What a count of nothing is on the wire: 0, or null. */
  readonly emptyCount?: "zero" | "null";
}

type ServedBy<Of> = Of extends {
  readonly [carriedTypes]?: { readonly served: infer Views extends readonly ServedView[] };
}
  ? Views[number]
  : never;

/** The join keys a request to a service must give: column types by name. */
export type JoinKeysOf<Of extends Service> = Flat<IntersectionOf<KeysOfServed<ServedBy<Of>>>>;

type KeysOfServed<Each> =
  Each extends OnDemandView<string, infer _, infer Inputs>
    ? KeysOfInputs<Inputs>
    : KeysOfView<Each>;

type KeysOfInputs<Inputs extends InputViews> = KeysOfView<Inputs[keyof Inputs]>;

type KeysOfView<Each> = Each extends {
  readonly [carriedTypes]?: { readonly joinKeys: infer Keys };
}
  ? Keys
  : never;

/** The request values a request to a service must give, by name. */
export type RequestOf<Of extends Service> = Flat<IntersectionOf<RequestOfServed<ServedBy<Of>>>>;

type RequestOfServed<Each> =
  Each extends OnDemandView<string, infer Request> ? RequestValues<Request> : never;

/** The values a service answers with, by `{view}.{feature}`. */
export type FeaturesOf<Of extends Service> = Flat<IntersectionOf<NamedFeatures<ServedBy<Of>>>>;

type NamedFeatures<Each> = Each extends ServedView
  ? Qualified<Each["name"], Each extends OnDemandView ? OutputOf<Each> : FeaturesOfView<Each>>
  : never;

type OutputOf<Each extends OnDemandView> = TransformResult<Each["output"]>;

type Qualified<Name extends string, Features> = {
  readonly [Feature in keyof Features & string as `${Name}.${Feature}`]: Features[Feature];
};

/**
 * Declares what is served together, by one name.
 *
 * @throws DefinitionError when its views cannot be asked for in one request.
 * @example const fraud = service("fraud", [spend, ratio], { emptyCount: "null" });
 */
export function service<const Name extends string, const Views extends readonly ServedView[]>(
  name: Name,
  views: Views,
  options: ServiceOptions = {},
): Service<Name, Views> {
  const prefix = `Cannot define service "${name}"`;
  checkName(prefix, "its name", name);
  checkServed(prefix, views);
  checkObject(prefix, "its options", options);
  checkFields(prefix, options, ["emptyCount"]);
  const { emptyCount = "zero" } = options;
  if (emptyCount !== "zero" && emptyCount !== "null") {
    throw new DefinitionError(
      `${prefix}: emptyCount is ${describe(emptyCount)}, expected "zero" or "null"`,
    );
  }
  const onDemandViews = views.filter((view) => view.kind === "onDemandView").sort(compareNames);
  const read = onDemandViews.flatMap((view) => Object.values(view.inputs));
  const direct = views.filter((view) => view.kind !== "onDemandView");
  const aggregateViews = [...new Set<ViewDefinition>([...direct, ...read])].sort(compareNames);
  refuseTwins(prefix, [...aggregateViews, ...onDemandViews]);
  checkJoinKeys(prefix, aggregateViews);
  checkRequest(prefix, onDemandViews);
  return brandDefinition<Service<Name, Views>>({
    kind: "service",
    name,
    views: aggregateViews,
    servedViews: views.map((view) => view.name).sort(),
    onDemandViews,
    emptyCount,
  });
}

function checkServed(prefix: string, views: readonly ServedView[]): void {
  if (!Array.isArray(views)) {
    throw new DefinitionError(`${prefix}: its views are ${describe(views)}, expected an array`);
  }
  checkCount(prefix, "its list of views", {
    count: views.length,
    min: 1,
    max: limits.serviceViewsMax,
  });
  const seen = new Set<unknown>();
  views.forEach((view: ServedView, i) => {
    const kinds = ["streamView", "batchView", "onDemandView"];
    checkDefinition(view, { prefix, name: `views[${i}]`, kinds });
    if (seen.has(view)) {
      throw new DefinitionError(`${prefix}: it lists view "${view.name}" twice, remove one`);
    }
    seen.add(view);
  });
}

/** Features are told apart by their view's name, so two views of a service cannot share one. */
function refuseTwins(prefix: string, views: readonly { readonly name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of views) {
    if (names.has(name)) {
      throw new DefinitionError(`${prefix}: two of its views are named "${name}", rename one`);
    }
    names.add(name);
  }
}

function checkJoinKeys(prefix: string, views: readonly ViewDefinition[]): void {
  const types = new Map<string, ScalarType>();
  for (const view of views) {
    for (const key of view.joinKeys) {
      const known = types.get(key.name) ?? key.type;
      if (known !== key.type) {
        throw new DefinitionError(
          `${prefix}: join key "${key.name}" has type "${key.type}" in view "${view.name}" and "${known}" in another, make them the same`,
        );
      }
      types.set(key.name, key.type);
    }
  }
}

function checkRequest(prefix: string, views: readonly OnDemandViewDefinition[]): void {
  const types = new Map<string, string>();
  for (const view of views) {
    for (const [name, type] of Object.entries(view.request)) {
      const text = JSON.stringify(type);
      const known = types.get(name) ?? text;
      if (known !== text) {
        throw new DefinitionError(
          `${prefix}: request value "${name}" has type ${text} in view "${view.name}" and ${known} in another, make them the same`,
        );
      }
      types.set(name, text);
    }
  }
}

function compareNames(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
