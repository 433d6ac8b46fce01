/** Judges one feature of one answer against the model. */

import type { FeatureDefinition, ViewDefinition } from "../../src/define/definition.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { windowBounds } from "../../src/window/bounds.ts";
import type { Interval } from "../../src/window/bounds.ts";
import type { Model, SimEvent } from "./model.ts";

/** `double`: an event twice. `hole`: one is lost. `phantom`: one that does not belong there. */
export type FailureKind =
  | "double"
  | "hole"
  | "phantom"
  | "wrong"
  | "unavailable"
  | "undeleted"
  | "unhealed"
  | "leftover"
  | "internal"
  | "endless";

export interface Failure {
  readonly kind: FailureKind;
  readonly atMs: number;
  readonly what: string;
  readonly expected: readonly string[];
  readonly found: readonly string[];
}

export interface CheckedRead {
  readonly view: ViewDefinition;
  readonly entity: string;
  readonly region: number;
  /** The instant the reader's clock showed. */
  readonly clockMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
  /** What was in by then must be in the answer; -Infinity where nothing must. */
  readonly visibleUntilMs: number;
}

/** The bounds that an answer is for. */
export function boundsOf(
  read: CheckedRead,
  feature: FeatureDefinition,
  answer: FeatureAnswer,
): Interval | null {
  if (answer.degraded !== null) return answer.degraded;
  if (read.view.kind === "streamView") return windowBounds(read.view, feature.window, read.clockMs);
  // A batch view says how far it knows; its lead cannot be past the request's.
  if (answer.effectiveTimeMs === null) return null;
  return windowBounds(read.view, feature.window, Math.min(answer.effectiveTimeMs, read.clockMs));
}

/** Null where the answer is one that may be given. */
export function checkFeature(
  model: Model,
  read: CheckedRead,
  { feature, answer }: { readonly feature: FeatureDefinition; readonly answer: FeatureAnswer },
): Failure | null {
  if (answer.status === "UNKNOWN") {
    return answer.value === null ? null : fail(read, feature, { kind: "wrong" });
  }
  const found = answer.value as readonly string[];
  const deletion = model.deletionOf(read.view, read.entity);
  if (deletion !== null && answer.status === "MISSING_DATA" && found.length === 0) {
    if (deletion.askedMs <= read.endedMs) return null;
  }
  if (deletion !== null && deletion.doneMs <= read.visibleUntilMs) {
    return fail(read, feature, { kind: "undeleted", expected: [], found });
  }
  const repeated = repeatedIds(found);
  if (repeated.length > 0) return fail(read, feature, { kind: "double", expected: [], found });
  const bounds = boundsOf(read, feature, answer);
  if (bounds === null)
    return found.length === 0 ? null : fail(read, feature, { kind: "wrong", found });
  const { may, must } = model.expect(read, bounds, {
    visibleUntilMs: read.visibleUntilMs,
    nowMs: read.endedMs,
  });
  const strangers = found.filter((tag) => !may.has(tag));
  if (strangers.length > 0) {
    return fail(read, feature, { kind: "phantom", expected: [...may.keys()], found });
  }
  const present = new Set(found);
  const lost = must.filter(({ tag }) => !present.has(tag));
  if (lost.length > 0) {
    return fail(read, feature, { kind: "hole", expected: must.map(({ tag }) => tag), found });
  }
  return null;
}

/** The id of a tag: its other bodies and its corrections add marks to it. */
export function idOf(tag: string): string {
  return tag.replace(/['*]+$/, "");
}

function repeatedIds(tags: readonly string[]): string[] {
  const ids = tags.map(idOf);
  return ids.filter((id, i) => ids.indexOf(id) !== i);
}

export function fail(
  read: CheckedRead,
  feature: FeatureDefinition,
  failure: {
    readonly kind: FailureKind;
    readonly expected?: readonly string[];
    readonly found?: readonly string[];
  },
): Failure {
  const { view, entity, region } = read;
  return {
    kind: failure.kind,
    atMs: read.endedMs,
    what: `view ${view.name}, feature ${feature.name}, entity ${entity}, region ${region}, read from ${read.startedMs} to ${read.endedMs}, clock ${read.clockMs}`,
    expected: failure.expected ?? [],
    found: failure.found ?? [],
  };
}

export function describeEvent(event: SimEvent): string {
  const { tag, timestampMs, sentMs, ackedMs } = event;
  return `${tag} at ${timestampMs}, sent ${sentMs}, acknowledged ${ackedMs}`;
}
