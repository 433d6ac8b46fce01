/** What the publisher remembers of a view's compactions, and how a run changes it. Pure. */

import { FeatureError } from "../core/errors.ts";
import { floorTo, formatInstant } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { StartRequest } from "./compaction-api.ts";

export interface ViewState {
  readonly fence: number;
  readonly running: boolean;
  /** Of the run that was started last. */
  readonly cut: number;
  readonly sealedAtMs: number;
  readonly watermarkMs: number;
  /** Of the run that finished last: older records may be met until its grace is over. */
  readonly publishedCut: number;
  readonly publishedAtMs: number;
  readonly publishedWatermarkMs: number;
  /** Up to where partials were taken out of the stream records. */
  readonly collectedCut: number;
  readonly collectedWatermarkMs: number;
  /** Up to where they may have been, by a run that did not come to the end of it. */
  readonly touchedCut: number;
  /** Cuts that runs have finished and the stream still covers from: where a rollback may go. */
  readonly finishedCuts: readonly number[];
}

export const freshView: ViewState = {
  fence: 0,
  running: false,
  cut: -1,
  sealedAtMs: 0,
  watermarkMs: -Infinity,
  publishedCut: -1,
  publishedAtMs: 0,
  publishedWatermarkMs: -Infinity,
  collectedCut: -1,
  collectedWatermarkMs: -Infinity,
  touchedCut: -1,
  finishedCuts: [],
};

/** @throws FeatureError INVALID_REQUEST, or CONFLICT where stream records do not cover the rest. */
export function startRun(
  before: ViewState,
  view: ViewDefinition,
  start: {
    /** The epoch that is sealed for new runs; null for a view without a log. */
    readonly sealedEpoch: number | null;
    readonly request: StartRequest;
    readonly nowMs: number;
  },
): ViewState {
  const { request, nowMs } = start;
  const fence = before.fence + 1;
  if (request.rollbackCut !== undefined) {
    return rollBack({ ...before, fence }, view, { cut: request.rollbackCut, nowMs });
  }
  if (before.running) return { ...before, fence };
  return {
    ...before,
    fence,
    running: true,
    cut: start.sealedEpoch ?? before.cut + 1,
    sealedAtMs: nowMs,
    watermarkMs: readWatermark(before, view, start),
  };
}

export function finishRun(state: ViewState, nowMs: number): ViewState {
  const finishedCuts = [...new Set([...state.finishedCuts, state.cut])]
    .filter((cut) => cut >= state.collectedCut)
    .slice(-limits.finishedCutsMax);
  return {
    ...state,
    running: false,
    publishedCut: state.cut,
    publishedAtMs: nowMs,
    publishedWatermarkMs: state.watermarkMs,
    finishedCuts,
  };
}

/** Before the first of what runs up to a cut have covered is taken out of the stream records. */
export function touchRun(state: ViewState, cut: number): ViewState {
  return { ...state, touchedCut: Math.max(state.touchedCut, cut) };
}

/** Once what runs up to a cut have covered is out of the stream records. */
export function collectRun(state: ViewState, cut: number): ViewState {
  return {
    ...state,
    collectedCut: Math.max(state.collectedCut, cut),
    collectedWatermarkMs: collectibleWatermark(state, cut),
    finishedCuts: state.finishedCuts.filter((finished) => finished >= cut),
  };
}

/** The watermark of the records that allow a cut to be collected. */
export function collectibleWatermark(state: ViewState, cut: number): number {
  const { publishedCut, publishedWatermarkMs, collectedWatermarkMs } = state;
  return cut === publishedCut
    ? Math.max(publishedWatermarkMs, collectedWatermarkMs)
    : collectedWatermarkMs;
}

/** A run that publishes an earlier cut once more. What is collected from now on goes no further. */
function rollBack(
  state: ViewState,
  view: ViewDefinition,
  { cut, nowMs }: { readonly cut: number; readonly nowMs: number },
): ViewState {
  const prefix = `Cannot roll view "${view.name}" back to cut ${cut}`;
  if (view.kind !== "streamView" || view.history !== null) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `${prefix}: its records end at a watermark, compact with an earlier one instead`,
    );
  }
  if (cut < state.touchedCut) {
    throw new FeatureError(
      "CONFLICT",
      `${prefix}: its stream records were collected up to epoch ${state.touchedCut}, expected that cut or a later one`,
    );
  }
  if (!state.finishedCuts.includes(cut)) {
    const known = state.finishedCuts.join(", ") || "none";
    throw new FeatureError(
      "CONFLICT",
      `${prefix}: no compaction with that cut has finished, expected one of: ${known}`,
    );
  }
  const publishedCut = Math.min(state.publishedCut, cut);
  return { ...state, running: true, cut, sealedAtMs: nowMs, watermarkMs: nowMs, publishedCut };
}

function readWatermark(
  before: ViewState,
  view: ViewDefinition,
  { request, nowMs }: { readonly request: StartRequest; readonly nowMs: number },
): number {
  if (view.history === null) return request.watermarkMs ?? nowMs;
  const prefix = `Cannot compact view "${view.name}"`;
  if (request.watermarkMs === undefined) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `${prefix}: its history comes from source "${view.history.name}", expected a watermark up to which that is complete (--watermark), or other views (--view)`,
    );
  }
  if (request.watermarkMs > nowMs) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `${prefix}: the watermark is ${formatInstant(request.watermarkMs)}, which is still to come, expected an instant in the past`,
    );
  }
  const watermarkMs = floorTo(request.watermarkMs, view.watermarkStepMs);
  if (watermarkMs >= before.watermarkMs) return watermarkMs;
  throw new FeatureError(
    "CONFLICT",
    `${prefix}: the watermark is ${formatInstant(request.watermarkMs)} and it was ${formatInstant(before.watermarkMs)}, expected that or a later one`,
  );
}
