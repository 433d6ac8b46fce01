/** Services: the features that one request asks for together. */

import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ScalarType } from "../core/value.ts";
import { brandDefinition, checkDefinition, describe } from "./brand.ts";
import { checkCount, checkFields, checkName, checkObject } from "./check.ts";
import type { OnDemandViewDefinition, ServiceDefinition, ViewDefinition } from "./definition.ts";
import type { carriedTypes, Flat, IntersectionOf } from "./feature-types.ts";
import type {
  DataTypes,
  FeaturesOfView,
  InputViews,
  OnDemandView,
  RequestValues,
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

type KeysOfServed<Each> = Each extends {
  readonly kind: "onDemandView";
  readonly inputs: infer Inputs extends InputViews;
}
  ? KeysOfServed<Inputs[keyof Inputs]>
  : KeysOfView<Each>;

type KeysOfView<Each> = Each extends {
  readonly [carriedTypes]?: { readonly joinKeys: infer Keys };
}
  ? Keys
  : never;

/** The request values a request to a service must give, by name. */
export type RequestOf<Of extends Service> = Flat<IntersectionOf<RequestOfServed<ServedBy<Of>>>>;

/** Of on-demand views, and of those that they read. */
type RequestOfServed<Each> = Each extends {
  readonly kind: "onDemandView";
  readonly request: infer Request extends DataTypes;
  readonly inputs: infer Inputs extends InputViews;
}
  ? RequestValues<Request> | RequestOfServed<Inputs[keyof Inputs]>
  : never;

/** The values a service answers with, by `{view}.{feature}`. */
export type FeaturesOf<Of extends Service> = Flat<IntersectionOf<NamedFeatures<ServedBy<Of>>>>;

type NamedFeatures<Each> = Each extends ServedView
  ? Qualified<Each["name"], FeaturesOfView<Each>>
  : never;

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
  checkServiceName(prefix, name);
  checkServed(prefix, views);
  checkObject(prefix, "its options", options);
  checkFields(prefix, options, ["emptyCount"]);
  const { emptyCount = "zero" } = options;
  if (emptyCount !== "zero" && emptyCount !== "null") {
    throw new DefinitionError(
      `${prefix}: emptyCount is ${describe(emptyCount)}, expected "zero" or "null"`,
    );
  }
  const onDemandViews = withInputs(views.filter((view) => view.kind === "onDemandView"));
  const read = onDemandViews.flatMap((view) => Object.values(view.inputs));
  const recordViews = [...new Set([...views, ...read].filter(isRecordView))].sort(compareNames);
  refuseTwins(prefix, [...recordViews, ...onDemandViews]);
  checkJoinKeys(prefix, recordViews);
  checkRequest(prefix, onDemandViews);
  return brandDefinition<Service<Name, Views>>({
    kind: "service",
    name,
    views: recordViews,
    servedViews: views.map((view) => view.name).sort(),
    onDemandViews,
    emptyCount,
  });
}

/** `fraud`, or `fraud:v2` for a variant of it. */
function checkServiceName(prefix: string, name: unknown): void {
  const [base, ...variants] = typeof name === "string" ? name.split(":") : [name];
  checkName(prefix, "its name", variants.length > 1 ? name : base);
  for (const variant of variants) checkName(prefix, "the variant in its name", variant);
}

/** Each once, after all that it reads. */
function withInputs(views: readonly OnDemandViewDefinition[]): readonly OnDemandViewDefinition[] {
  const ordered = new Set<OnDemandViewDefinition>();
  const add = (view: OnDemandViewDefinition): void => {
    if (ordered.has(view)) return;
    const inputs = Object.values(view.inputs).filter((input) => input.kind === "onDemandView");
    inputs.sort(compareNames).forEach(add);
    ordered.add(view);
  };
  [...views].sort(compareNames).forEach(add);
  return [...ordered];
}

function isRecordView(view: ViewDefinition | OnDemandViewDefinition): view is ViewDefinition {
  return view.kind !== "onDemandView";
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
