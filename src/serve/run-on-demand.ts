/**
 * Runs on-demand views: pure functions of request values, feature values and `now`. What goes wrong
 * in one is a fault on its features and leaves the others alone.
 */

import type { Value } from "../core/value.ts";
import type { OnDemandViewDefinition, TransformInputs } from "../define/definition.ts";
import { freezeValue } from "./freeze-value.ts";
import { OutputError, readOutput } from "./read-output.ts";
import type { FeatureAnswer, ViewAnswer } from "./view-answer.ts";

export interface OnDemandInputs {
  /** Of their declared types, by name. */
  readonly requestValues: ReadonlyMap<string, Value>;
  /** Of every view that the on-demand views read. */
  readonly answers: readonly ViewAnswer[];
  readonly nowMs: number;
  /** Told what a transform threw: the answer holds no more than that it did. */
  readonly report?: (error: unknown) => void;
}

export interface OnDemandAnswer {
  readonly view: OnDemandViewDefinition;
  /** One an output, in declared order. */
  readonly features: readonly FeatureAnswer[];
}

/** One answer a view, in order. Never throws for what a transform does. */
export function runOnDemand(
  views: readonly OnDemandViewDefinition[],
  inputs: OnDemandInputs,
): readonly OnDemandAnswer[] {
  return views.map((view) => ({ view, features: runView(view, inputs) }));
}

function runView(view: OnDemandViewDefinition, inputs: OnDemandInputs): readonly FeatureAnswer[] {
  const noticed: FeatureAnswer[] = [];
  const transformInputs = freezeInputs(view, inputs, (answer) => noticed.push(answer));
  let features: readonly FeatureAnswer[];
  try {
    const outputs = readOutputs(view, view.transform(transformInputs));
    // What was made of a rounded window is as rounded.
    const degraded = noticed.find((answer) => answer.degraded !== null)?.degraded ?? null;
    features = outputs.map((value) => presentFeature(value, degraded));
  } catch (error) {
    inputs.report?.(error);
    features = faultyFeatures(view, reasonOf(error));
  }
  // What came of a value that could not be read is no answer, whatever the transform made of it.
  const first = noticed.find((answer) => !isReadable(answer));
  return first === undefined ? features : unreadableFeatures(view, first);
}

function freezeInputs(
  view: OnDemandViewDefinition,
  inputs: OnDemandInputs,
  onNotice: (answer: FeatureAnswer) => void,
): TransformInputs {
  const answers = new Map(inputs.answers.map((answer) => [answer.view.name, answer]));
  const request = Object.entries(view.request).map(([name, type]) => {
    return [name, freezeValue(type, inputs.requestValues.get(name) ?? null)] as const;
  });
  const views = Object.entries(view.inputs).map(([input, { name }]) => {
    return [input, freezeFeatures(answers.get(name) as ViewAnswer, onNotice)] as const;
  });
  return Object.freeze({
    ...Object.fromEntries(views),
    request: Object.freeze(Object.fromEntries(request)),
    now: inputs.nowMs,
  });
}

/**
 * A feature that could not be read is null to the transform. It and a degraded one are noticed if
 * they are looked at.
 */
function freezeFeatures(
  { view, features }: ViewAnswer,
  onNotice: (answer: FeatureAnswer) => void,
): object {
  const values: Record<string, unknown> = {};
  view.features.forEach(({ name, bound }, i) => {
    const answer = features[i] as FeatureAnswer;
    const readable = isReadable(answer);
    const value = readable ? freezeValue(bound.output, answer.value) : null;
    Object.defineProperty(values, name, {
      enumerable: true,
      ...(readable && answer.degraded === null
        ? { value }
        : { get: () => (onNotice(answer), value) }),
    });
  });
  return Object.freeze(values);
}

function isReadable({ status }: FeatureAnswer): boolean {
  return status === "PRESENT" || status === "MISSING_DATA";
}

function readOutputs(view: OnDemandViewDefinition, returned: unknown): readonly Value[] {
  const outputs = readOutput({ struct: view.output }, refusePromise(returned), "it");
  if (outputs === null) throw new OutputError("it is null, expected an object");
  return outputs as readonly Value[];
}

function presentFeature(value: Value, degraded: FeatureAnswer["degraded"]): FeatureAnswer {
  return { value, status: "PRESENT", effectiveTimeMs: null, degraded, fault: null };
}

function refusePromise(returned: unknown): unknown {
  if (!(returned instanceof Promise)) return returned;
  // Its rejection must not bring the process down: that it is a promise is the fault.
  void Promise.allSettled([returned]);
  throw new OutputError("it is a promise, expected an object: transforms are synchronous");
}

function reasonOf(error: unknown): string {
  if (error instanceof OutputError)
    return `its transform returned the wrong thing: ${error.message}`;
  // The text of what users throw may hold values, its class does not.
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return `its transform threw (${name}), expected outputs`;
}

function faultyFeatures(view: OnDemandViewDefinition, reason: string): readonly FeatureAnswer[] {
  return sameFeatures(view, {
    value: null,
    status: "UNKNOWN",
    effectiveTimeMs: null,
    degraded: null,
    fault: {
      code: "TRANSFORM_FAILED",
      message: `Cannot run on-demand view "${view.name}": ${reason}`,
    },
  });
}

function unreadableFeatures(
  view: OnDemandViewDefinition,
  { status, fault }: FeatureAnswer,
): readonly FeatureAnswer[] {
  return sameFeatures(view, { value: null, status, effectiveTimeMs: null, degraded: null, fault });
}

function sameFeatures(
  view: OnDemandViewDefinition,
  answer: FeatureAnswer,
): readonly FeatureAnswer[] {
  return Object.keys(view.output).map(() => answer);
}
