/**
 * An explanation as JSON: what each value was made of, and what the request met on the way. Names of
 * records are in none of it, since they hold entities, and neither are request values.
 */

import { formatInstant } from "../core/instant.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import type { Phase, PhaseName, StoreTrip } from "../observe/request-summary.ts";
import type { ServedFeature } from "../serve/answer-service.ts";
import { explainReasons } from "../serve/explain-reasons.ts";
import { explainView } from "../serve/explain-view.ts";
import type { FeatureExplanation } from "../serve/explain-view.ts";
import type { RowExplanation } from "../serve/explain-row.ts";
import type { OnDemandRun } from "../serve/run-on-demand.ts";
import { describeViews } from "../serve/service-features.ts";
import type { ViewAnswer } from "../serve/view-answer.ts";
import { planView } from "../serve/view-plan.ts";
import type { Json } from "./encode-value.ts";
import { writeInterval, writeViewRecords } from "./write-view-records.ts";

type JsonFields = { readonly [key: string]: Json };

/** What there is to be told of one row. */
export interface ExplanationParts {
  readonly service: ServiceDefinition;
  readonly nowMs: number;
  /** Of every view that was read. */
  readonly answers: readonly ViewAnswer[];
  /** In the order of the answer. */
  readonly features: readonly ServedFeature[];
  readonly runs: readonly OnDemandRun[];
  readonly trips: readonly StoreTrip[];
  readonly phases: readonly Phase[];
}

export interface Explanation {
  /** One a feature of the answer. */
  readonly features: readonly JsonFields[];
  readonly request: JsonFields;
}

/** Worked out from the records that the answer was made of. */
export function writeExplanation(parts: ExplanationParts): Explanation {
  const { nowMs, answers, trips, phases } = parts;
  return {
    features: writeFeatures(parts),
    request: {
      now: formatInstant(nowMs),
      stores: trips.toSorted(compareHomes).map(writeTrip),
      combineMs: phaseMs(phases, "combine"),
      transformMs: phaseMs(phases, "transform"),
      views: answers.map((answer) => writeViewRecords(answer, nowMs)),
    },
  };
}

function writeFeatures({
  service,
  nowMs,
  answers,
  features,
  runs,
}: ExplanationParts): readonly JsonFields[] {
  const answerOf = new Map(answers.map((answer) => [answer.view.name, answer]));
  const runOf = new Map(runs.map((run) => [run.view.name, run]));
  const inOrder = features.values();
  return describeViews(service).flatMap((view) => {
    const run = runOf.get(view.name);
    const evidence = answerOf.get(view.name)?.evidence ?? null;
    const explained = explainAnswer(answerOf.get(view.name), nowMs);
    return view.features.map((_, i) => {
      const served = inOrder.next().value as ServedFeature;
      const explanation = explained[i] ?? null;
      const reasons = explainReasons({ served, evidence, explanation });
      return {
        status: served.answer.status,
        ...(reasons.length > 0 && { reasons }),
        ...(explanation !== null && writeFeature(explanation)),
        ...(run !== undefined && writeRun(run)),
      };
    });
  });
}

function explainAnswer(
  answer: ViewAnswer | undefined,
  nowMs: number,
): readonly FeatureExplanation[] {
  if (answer?.evidence === undefined) return [];
  const { view, evidence, features } = answer;
  return explainView(planView(view), { evidence, features }, nowMs);
}

function writeFeature({ windows, windowsLeftOut, keyCount, row }: FeatureExplanation): JsonFields {
  return {
    ...(windows.length > 0 && {
      windows: windows.map(({ asked, used, entered }) => ({
        ...writeInterval(asked),
        ...(used.degraded && { used: writeInterval(used) }),
        entered: entered.map((each) => ({ ...each })),
      })),
    }),
    ...(windowsLeftOut > 0 && { windowsLeftOut }),
    ...(keyCount !== null && { secondaryKeyCount: keyCount }),
    ...(row !== null && { row: writeRow(row) }),
  };
}

function writeRow({ timestampMs, origin, ttlMs, expiresAtMs }: RowExplanation): Json {
  return {
    time: formatInstant(timestampMs),
    origin,
    ...(ttlMs !== null && { ttlMs }),
    ...(expiresAtMs !== null && { expiresAt: formatInstant(expiresAtMs) }),
  };
}

function writeRun({ view, hasRun, tookMs, looked }: OnDemandRun): JsonFields {
  return {
    hasRun,
    tookMs: roundMs(tookMs),
    requestValues: Object.keys(view.request),
    inputs: Object.entries(view.inputs).map(([name, input]) => ({
      name,
      view: input.name,
      features: [...(looked.get(name) ?? [])].sort(),
    })),
  };
}

/** They end in any order. */
function compareHomes(a: StoreTrip, b: StoreTrip): number {
  return a.home < b.home ? -1 : a.home > b.home ? 1 : 0;
}

function writeTrip({ home, store, callCount, keyCount, sizeBytes, outcome, ...at }: StoreTrip) {
  return {
    home,
    ...(store !== null && { store }),
    callCount,
    keyCount,
    sizeBytes,
    tookMs: roundMs(at.endMs - at.startMs),
    stale: outcome === "stale",
    ...(outcome === "failed" && { failed: true }),
  };
}

function phaseMs(phases: readonly Phase[], name: PhaseName): number {
  const took = phases.find((phase) => phase.name === name);
  return took === undefined ? 0 : roundMs(took.endMs - took.startMs);
}

/** To the microsecond. */
function roundMs(durationMs: number): number {
  return Math.round(durationMs * 1_000) / 1_000;
}
