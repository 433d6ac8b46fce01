/** A service's answer: its views read in one round, then its on-demand views, in the wire's order. */

import type { Scalar } from "../core/value.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import type { Staleness } from "../store/online-store.ts";
import { entityKey } from "../tile/keys.ts";
import type { ViewRead } from "./named-reads.ts";
import { runOnDemand } from "./run-on-demand.ts";
import type { OnDemandInputs } from "./run-on-demand.ts";
import { faulty } from "./same-features.ts";
import { describeViews } from "./service-features.ts";
import type { FeatureDescription } from "./service-features.ts";
import type { FeatureAnswer, FeatureFault } from "./view-answer.ts";

/** A feature of an answer, with what its definition says of it. */
export interface ServedFeature extends FeatureDescription {
  readonly answer: FeatureAnswer;
  /** As `ViewAnswer` has it; null for on-demand features. */
  readonly waitingCount: number | null;
  /** As `ViewAnswer` has it; of an on-demand feature that of its oldest input. */
  readonly staleness: Staleness | null;
  /** When it was read, where the serving cache held it; of an on-demand feature that of its oldest input. */
  readonly cachedAtMs: number | null;
}

/** Every join key of a service's views, by name; null for one that the request says is null. */
export type JoinKeys = ReadonlyMap<string, Scalar | null>;

/**
 * What one row of a service needs to be read: every view of the service, those that only its
 * on-demand views read included.
 *
 * @throws FeatureError INVALID_RECORD for a key that is too long.
 */
export function viewReads(service: ServiceDefinition, joinKeys: JoinKeys): readonly ViewRead[] {
  return service.views.map((view) => {
    const values = view.joinKeys.map(({ name }) => joinKeys.get(name) ?? null);
    return { view, entity: isKnowable(values) ? entityKey(values) : null };
  });
}

function isKnowable(values: readonly (Scalar | null)[]): values is readonly Scalar[] {
  return !values.includes(null);
}

/** The features of an answer in the order of `describeViews`. */
export function finishService(
  service: ServiceDefinition,
  inputs: OnDemandInputs,
): readonly ServedFeature[] {
  const recordAnswers = inputs.answers.map((answer) => {
    return [answer.view.name, { ...answer, cachedAtMs: answer.cachedAtMs ?? null }] as const;
  });
  const onDemandAnswers = runOnDemand(service.onDemandViews, inputs).map((answer) => {
    return [answer.view.name, { ...answer, waitingCount: null }] as const;
  });
  const answers = new Map<string, AnsweredView>([...recordAnswers, ...onDemandAnswers]);
  return describeViews(service).flatMap((view) => {
    const { features, ...shared } = answers.get(view.name) as AnsweredView;
    const { waitingCount, staleness, cachedAtMs } = shared;
    return view.features.map((described, i) => ({
      ...described,
      answer: features[i] as FeatureAnswer,
      waitingCount,
      staleness,
      cachedAtMs,
    }));
  });
}

interface AnsweredView extends Pick<ServedFeature, "waitingCount" | "staleness" | "cachedAtMs"> {
  readonly features: readonly FeatureAnswer[];
}

/** The same fault for every feature of a service: of a row that cannot be read. */
export function refuseService(
  service: ServiceDefinition,
  fault: FeatureFault,
): readonly ServedFeature[] {
  const answer = faulty(null, fault);
  return describeViews(service).flatMap(({ features }) =>
    features.map((described) => ({ ...described, ...nothingRead, answer })),
  );
}

const nothingRead = { waitingCount: null, staleness: null, cachedAtMs: null } as const;
