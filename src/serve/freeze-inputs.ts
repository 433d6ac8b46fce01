/** What a transform is given: frozen values by name, and a tap on those that are not as they should be. */

import type { DataType, Value } from "../core/value.ts";
import type {
  OnDemandViewDefinition,
  TransformInputs,
  ViewDefinition,
} from "../define/definition.ts";
import { freezeValue } from "./freeze-value.ts";
import type { FeatureAnswer, FeatureStatus, ViewAnswer } from "./view-answer.ts";

/** What a transform reads: an answer of any kind of view. */
export interface InputAnswer extends Pick<ViewAnswer, "features" | "staleness"> {
  readonly view: ViewDefinition | OnDemandViewDefinition;
  /** As `OnDemandAnswer` has it; left out as `ViewAnswer` has it. */
  readonly cachedAtMs?: number | null;
}

/** By the names under which the transform knows them. */
export type NamedInputs = readonly (readonly [input: string, answer: InputAnswer])[];

export interface UnfrozenInputs {
  readonly requestValues: ReadonlyMap<string, Value>;
  readonly read: NamedInputs;
  readonly nowMs: number;
  /** Told of a feature that is degraded or could not be read, when the transform looks at it. */
  readonly onNotice: (answer: FeatureAnswer) => void;
  /** Told of every feature that the transform looks at. Left out, nobody is. */
  readonly onLook?: (input: string, feature: string) => void;
}

export function freezeInputs(
  view: OnDemandViewDefinition,
  { requestValues, read, nowMs, onNotice, onLook }: UnfrozenInputs,
): TransformInputs {
  const request = Object.entries(view.request).map(([name, type]) => {
    return [name, freezeValue(type, requestValues.get(name) ?? null)] as const;
  });
  const views = read.map(([input, answer]) => {
    const look = onLook && ((feature: string) => onLook(input, feature));
    return [input, freezeFeatures(answer, onNotice, look)] as const;
  });
  return Object.freeze({
    ...Object.fromEntries(views),
    request: Object.freeze(Object.fromEntries(request)),
    now: nowMs,
  });
}

/** A feature that could not be read is null to the transform. */
function freezeFeatures(
  { view, features }: InputAnswer,
  onNotice: UnfrozenInputs["onNotice"],
  onLook: ((feature: string) => void) | undefined,
): object {
  const values: Record<string, unknown> = {};
  featureTypes(view).forEach(([name, type], i) => {
    const answer = features[i] as FeatureAnswer;
    const readable = isReadable(answer);
    const value = readable ? freezeValue(type, answer.value) : null;
    Object.defineProperty(values, name, {
      enumerable: true,
      ...(readable && answer.degraded === null && onLook === undefined
        ? { value }
        : { get: () => (onLook?.(name), onNotice(answer), value) }),
    });
  });
  return Object.freeze(values);
}

function featureTypes(view: InputAnswer["view"]): readonly (readonly [string, DataType])[] {
  if (view.kind === "onDemandView") return Object.entries(view.output);
  return view.features.map(({ name, output }) => [name, output]);
}

const readableStatuses: ReadonlySet<FeatureStatus> = new Set<FeatureStatus>([
  "PRESENT",
  "MISSING_DATA",
  "CACHED_PRESENT",
  "CACHED_MISSING_DATA",
]);

export function isReadable({ status }: FeatureAnswer): boolean {
  return readableStatuses.has(status);
}
