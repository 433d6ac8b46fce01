/**
 * Runs on-demand views: pure functions of request values, feature values and `now`, each after those
 * whose outputs it reads. What goes wrong in one is a fault on its features, and on those of the views
 * that look at them; it leaves all others alone.
 *
 * A function cannot be stopped from within its own isolate. One that never returns holds its request,
 * and what else waits on that isolate, until the host ends it. What can be done is done: the clock is
 * read around every transform, and once the time for all of them is over, those that have not begun
 * do not begin. On Workers the clock stands still while code runs, so there it is the host's own CPU
 * limit that counts.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Value } from "../core/value.ts";
import type { OnDemandViewDefinition, TransformInputs } from "../define/definition.ts";
import type { Staleness } from "../store/online-store.ts";
import { freezeInputs, isReadable } from "./freeze-inputs.ts";
import type { InputAnswer, NamedInputs, UnfrozenInputs } from "./freeze-inputs.ts";
import { olderOf } from "./older-of.ts";
import { OutputError, readOutput } from "./read-output.ts";
import { faulty } from "./same-features.ts";
import type { FeatureAnswer, FeatureFault, ViewAnswer } from "./view-answer.ts";

export interface OnDemandInputs {
  /** Of their declared types, by name. */
  readonly requestValues: ReadonlyMap<string, Value>;
  /** Of every view with records that the on-demand views read. */
  readonly answers: readonly ViewAnswer[];
  readonly nowMs: number;
  /** Told what a transform threw, and of one that took too long: the answer holds no more of it. */
  readonly report?: (error: unknown) => void;
  /** Left out, transforms have as long as they take. */
  readonly timer?: TransformTimer;
  /** Told how each view ran. Left out, nobody is. */
  readonly tap?: TransformTap;
}

export interface TransformTap {
  /** Milliseconds, for measuring. */
  readonly now: () => number;
  readonly onRun: (run: OnDemandRun) => void;
}

export interface OnDemandRun {
  readonly view: OnDemandViewDefinition;
  /** False where the time was over before it began. */
  readonly hasRun: boolean;
  readonly tookMs: number;
  /** By input the features of it that the transform looked at. */
  readonly looked: ReadonlyMap<string, ReadonlySet<string>>;
}

/** The time that the transforms of a request have together, over all its rows. */
export interface TransformTimer {
  readonly now: () => number;
  readonly untilMs: number;
}

export interface OnDemandAnswer {
  readonly view: OnDemandViewDefinition;
  /** One an output, in declared order. */
  readonly features: readonly FeatureAnswer[];
  /** Of the oldest of its inputs: what was made of old copies is as old. */
  readonly staleness: Staleness | null;
  /** When the oldest of those of its inputs was read that the serving cache held; null for none. */
  readonly cachedAtMs: number | null;
}

type RunInputs = Omit<OnDemandInputs, "tap"> & Pick<UnfrozenInputs, "onLook">;

const classPattern = /^[A-Za-z_]\w{0,63}$/;

/**
 * One answer a view, in order. Never throws for what a transform does.
 *
 * @param views - Each after all on-demand views that it reads.
 */
export function runOnDemand(
  views: readonly OnDemandViewDefinition[],
  inputs: OnDemandInputs,
): readonly OnDemandAnswer[] {
  const known = new Map<string, InputAnswer>(
    inputs.answers.map((answer) => [answer.view.name, answer]),
  );
  return views.map((view) => {
    const read = Object.entries(view.inputs).map(([input, { name }]) => {
      return [input, known.get(name) as InputAnswer] as const;
    });
    const staleness = read.reduce<Staleness | null>(
      (oldest, [, answer]) => olderOf(oldest, answer.staleness),
      null,
    );
    const { tap } = inputs;
    const features =
      tap === undefined ? runInTime(view, read, inputs) : runTapped(view, read, { ...inputs, tap });
    const cached = read.flatMap(([, { cachedAtMs }]) => cachedAtMs ?? []);
    const cachedAtMs = cached.length === 0 ? null : Math.min(...cached);
    const answer = { view, features, staleness, cachedAtMs };
    known.set(view.name, answer);
    return answer;
  });
}

function runTapped(
  view: OnDemandViewDefinition,
  read: NamedInputs,
  { tap, ...inputs }: OnDemandInputs & { readonly tap: TransformTap },
): readonly FeatureAnswer[] {
  const looked = new Map(read.map(([input]) => [input, new Set<string>()]));
  const onLook = (input: string, feature: string) => looked.get(input)?.add(feature);
  let hasRun = false;
  const transform = (given: TransformInputs) => {
    hasRun = true;
    return view.transform(given);
  };
  const startedAtMs = tap.now();
  const features = runInTime({ ...view, transform }, read, { ...inputs, onLook });
  tap.onRun({ view, hasRun, tookMs: tap.now() - startedAtMs, looked });
  return features;
}

function runInTime(
  view: OnDemandViewDefinition,
  read: NamedInputs,
  inputs: RunInputs,
): readonly FeatureAnswer[] {
  const { timer } = inputs;
  if (timer === undefined) return runView(view, read, inputs);
  const startedAtMs = timer.now();
  if (startedAtMs >= timer.untilMs) {
    return sameFeatures(view, faulty(null, faultOf(view, "TIME_OUT", "the time for it is over")));
  }
  const features = runView(view, read, inputs);
  const tookMs = timer.now() - startedAtMs;
  if (tookMs > limits.transformMsMax) inputs.report?.(overlong(view, tookMs));
  return features;
}

function runView(
  view: OnDemandViewDefinition,
  read: NamedInputs,
  inputs: RunInputs,
): readonly FeatureAnswer[] {
  const noticed: FeatureAnswer[] = [];
  const onNotice = (answer: FeatureAnswer) => noticed.push(answer);
  const transformInputs = freezeInputs(view, { ...inputs, read, onNotice });
  let features: readonly FeatureAnswer[];
  try {
    const outputs = readOutputs(view, view.transform(transformInputs));
    // What was made of a rounded window is as rounded.
    const degraded = noticed.find((answer) => answer.degraded !== null)?.degraded ?? null;
    features = outputs.map((value) => presentFeature(value, degraded));
  } catch (thrown) {
    const { error, reason } = readThrown(thrown);
    inputs.report?.(error);
    features = sameFeatures(view, faulty(null, faultOf(view, "TRANSFORM_FAILED", reason)));
  }
  // What came of a value that could not be read is no answer, whatever the transform made of it.
  const first = noticed.find((answer) => !isReadable(answer));
  return first === undefined ? features : unreadableFeatures(view, first);
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

/** The text of what users throw may hold values, its class does not. */
function reasonOf(error: unknown): string {
  if (error instanceof OutputError) {
    return `its transform returned the wrong thing: ${error.message}`;
  }
  return `its transform threw (${classOf(error)}), expected outputs`;
}

function classOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const name: unknown = error.constructor.name;
  return typeof name === "string" && classPattern.test(name) ? name : "Error";
}

/** What was thrown, as far as it can be looked at: a proxy may throw by that alone. */
function readThrown(thrown: unknown): { readonly error: unknown; readonly reason: string } {
  try {
    return { error: thrown, reason: reasonOf(thrown) };
  } catch {
    const reason = "its transform threw something that throws when it is looked at";
    return {
      error: new FeatureError("TRANSFORM_FAILED", `Cannot tell an error: ${reason}`),
      reason,
    };
  }
}

function faultOf(
  view: OnDemandViewDefinition,
  code: FeatureFault["code"],
  reason: string,
): FeatureFault {
  return { code, message: `Cannot run on-demand view "${view.name}": ${reason}` };
}

function overlong({ name }: OnDemandViewDefinition, tookMs: number): FeatureError {
  return new FeatureError(
    "TRANSFORM_FAILED",
    `Cannot run on-demand view "${name}" in time: it took ${tookMs} ms, expected at most ${limits.transformMsMax}`,
  );
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
