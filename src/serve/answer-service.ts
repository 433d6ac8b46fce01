/** A service's answer: its views read in one round, then its on-demand views, in the wire's order. */

import type { DataType, Scalar } from "../core/value.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import type { Staleness } from "../store/online-store.ts";
import { entityKey } from "../tile/keys.ts";
import { olderOf } from "./older-of.ts";
import { readViews } from "./read-views.ts";
import type { ServingHomes, ViewRead, ViewsRead } from "./read-views.ts";
import { runOnDemand } from "./run-on-demand.ts";
import type { OnDemandAnswer, OnDemandInputs } from "./run-on-demand.ts";
import type { FeatureAnswer, SeenView, ViewAnswer } from "./view-answer.ts";

/** A feature of an answer, with what its definition says of it. */
export interface ServedFeature {
  /** `{view}.{feature}` */
  readonly name: string;
  readonly type: DataType;
  readonly description: string | null;
  /** Whether it is a count, for which services may ask null in the place of nothing. */
  readonly isCount: boolean;
  readonly answer: FeatureAnswer;
  /** As `ViewAnswer` has it; null for on-demand features. */
  readonly waitingCount: number | null;
  /** As `ViewAnswer` has it; of an on-demand feature that of its oldest input. */
  readonly staleness: Staleness | null;
}

export interface ServiceRequest {
  /** Every join key of the service's views, by name. */
  readonly joinKeys: ReadonlyMap<string, Scalar>;
  readonly nowMs: number;
  readonly signal?: AbortSignal;
  /** By the name of a view: what the answer may not be older than. */
  readonly seen?: ReadonlyMap<string, SeenView>;
}

/**
 * Reads every view of the service, those that only its on-demand views read included.
 *
 * @throws FeatureError STORE_UNAVAILABLE when a store fails, INVALID_RECORD for a key that is too long.
 */
export function readService(
  homes: ServingHomes,
  service: ServiceDefinition,
  request: ServiceRequest,
): Promise<ViewsRead> {
  return readViews(homes, viewReads(service, request.joinKeys), request);
}

/**
 * What one row of a service needs to be read.
 *
 * @throws FeatureError INVALID_RECORD for a key that is too long.
 */
export function viewReads(
  service: ServiceDefinition,
  joinKeys: ServiceRequest["joinKeys"],
): readonly ViewRead[] {
  return service.views.map((view) => {
    const values = view.joinKeys.map(({ name }) => joinKeys.get(name) as Scalar);
    return { view, entity: entityKey(values) };
  });
}

/**
 * The features of an answer in their stable order: on-demand views by name with their outputs as
 * declared, then aggregate views by name with their features by name.
 */
export function finishService(
  service: ServiceDefinition,
  inputs: OnDemandInputs,
): readonly ServedFeature[] {
  const served = new Set(service.servedViews);
  return [
    ...runOnDemand(service.onDemandViews, inputs).flatMap((answer) =>
      onDemandFeatures(answer, oldestInput(answer, inputs)),
    ),
    ...inputs.answers.filter(({ view }) => served.has(view.name)).flatMap(viewFeatures),
  ];
}

/** What was made of old copies is as old. */
function oldestInput({ view }: OnDemandAnswer, { answers }: OnDemandInputs): Staleness | null {
  const names = new Set(Object.values(view.inputs).map(({ name }) => name));
  return answers
    .filter((answer) => names.has(answer.view.name))
    .reduce((oldest: Staleness | null, { staleness }) => olderOf(oldest, staleness), null);
}

function onDemandFeatures(
  { view, features }: OnDemandAnswer,
  staleness: Staleness | null,
): ServedFeature[] {
  return Object.entries(view.output).map(([name, type], i) => ({
    name: `${view.name}.${name}`,
    type,
    description: null,
    isCount: false,
    answer: features[i] as FeatureAnswer,
    waitingCount: null,
    staleness,
  }));
}

function viewFeatures({ view, features, waitingCount, staleness }: ViewAnswer): ServedFeature[] {
  return view.features.map((feature, i) => ({
    name: `${view.name}.${feature.name}`,
    type: feature.bound.output,
    description: feature.description,
    isCount: feature.functionName === "count",
    answer: features[i] as FeatureAnswer,
    waitingCount,
    staleness,
  }));
}
