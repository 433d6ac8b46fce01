/**
 * Combines an entity's batch and stream record into a view's answer. Pure: no clock, no await.
 *
 * The batch record carries its own cut; of the stream record only the epochs past *that* cut are
 * taken, so that any pair of copies, however old, counts every event at most once. Where the stream
 * has already collected epochs that the batch copy does not hold, there is no number to give.
 */

import { OverflowError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import type { FeatureDefinition, ViewDefinition } from "../define/definition.ts";
import type { BatchRecord } from "../tile/batch-record.ts";
import type { StreamRecordView } from "../tile/stream-record.ts";
import { leadAt, windowBounds } from "../window/bounds.ts";
import { SegmentStates } from "./segment-states.ts";
import { usedBounds } from "./used-bounds.ts";
import type { Section, UsedBounds } from "./used-bounds.ts";
import type { CombinedView, FeatureAnswer, FeatureFault } from "./view-answer.ts";
import type { ViewPlan } from "./view-plan.ts";

export interface EntityRecords {
  readonly batch: BatchRecord | null;
  /** Always null for a batch view. */
  readonly stream: StreamRecordView | null;
}

export function combineView(plan: ViewPlan, records: EntityRecords, nowMs: number): CombinedView {
  const { view } = plan;
  const { batch, stream } = records;
  if (batch === null && (stream === null || view.kind === "batchView")) {
    return { view, features: missingFeatures(view, nowMs), waitingCount: null };
  }
  const atMs =
    view.kind === "batchView" && batch !== null ? Math.min(nowMs, batch.header.watermarkMs) : nowMs;
  const gap = gapOf(records);
  if (gap !== null) {
    const fault = { code: "GAP", message: gap } as const;
    return { view, features: faultyFeatures(view, leadAt(view, atMs), fault), waitingCount: null };
  }
  const sections = sectionsOf(view, records);
  const bounds = plan.windows.map(({ window }) =>
    usedBounds(windowBounds(view, window, atMs), sections),
  );
  const segments = new SegmentStates(plan, distinctEdges(bounds));
  for (const section of sections) segments.foldInto(section);
  return {
    view,
    features: finishFeatures(plan, { bounds, segments, effectiveTimeMs: leadAt(view, atMs) }),
    waitingCount: view.history === null ? null : countWaiting(records),
  };
}

function missingFeatures(view: ViewDefinition, nowMs: number): FeatureAnswer[] {
  return view.features.map(({ bound }) => ({
    value: bound.emptyValue,
    status: "MISSING_DATA",
    effectiveTimeMs: view.kind === "batchView" ? null : leadAt(view, nowMs),
    degraded: null,
    fault: null,
  }));
}

/** Why the records leave something out between them; null where they do not. */
function gapOf({ batch, stream }: EntityRecords): string | null {
  if (stream === null) return null;
  const cut = batch?.header.cut ?? -1;
  if (stream.collectedEpoch > cut) {
    return `The copy of the batch record has cut ${cut}, the stream was collected to epoch ${stream.collectedEpoch}`;
  }
  const watermarkMs = batch?.header.watermarkMs ?? -Infinity;
  if (stream.collectedWatermarkMs > watermarkMs) {
    return "The copy of the batch record ends before the stream record begins";
  }
  return null;
}

/**
 * What counts. As a rule the batch record covers whole epochs, and the stream's later ones count
 * whole; with a history of its own the batch record ends at its watermark, where the stream begins.
 */
function sectionsOf(view: ViewDefinition, { batch, stream }: EntityRecords): Section[] {
  const epochs = stream?.epochs ?? [];
  if (view.history === null) {
    const cut = batch?.header.cut ?? -1;
    const live = epochs.filter(({ epoch }) => epoch > cut).map(({ partial }) => partial);
    const partials = batch === null ? live : [batch.partial, ...live];
    return partials.map((partial) => ({ partial, fromMs: -Infinity, untilMs: Infinity }));
  }
  const fromMs = batch?.header.watermarkMs ?? -Infinity;
  const live = epochs.map(({ partial }) => ({ partial, fromMs, untilMs: Infinity }));
  return batch === null
    ? live
    : [{ partial: batch.partial, fromMs: -Infinity, untilMs: fromMs }, ...live];
}

function countWaiting({ batch, stream }: EntityRecords): number {
  if (batch === null) return 0;
  const { cut, watermarkMs } = batch.header;
  return (stream?.epochs ?? [])
    .filter(({ epoch }) => epoch > cut)
    .flatMap(({ counts }) => counts)
    .reduce((sum, [startMs, count]) => (startMs < watermarkMs ? sum + count : sum), 0);
}

/** The same fault for every feature of a view. */
export function faultyFeatures(
  view: ViewDefinition,
  effectiveTimeMs: number | null,
  fault: FeatureFault,
): FeatureAnswer[] {
  return view.features.map(() => faulty(effectiveTimeMs, fault));
}

function faulty(effectiveTimeMs: number | null, fault: FeatureFault): FeatureAnswer {
  return { value: null, status: "UNKNOWN", effectiveTimeMs, degraded: null, fault };
}

function distinctEdges(bounds: readonly UsedBounds[]): number[] {
  const edges = new Set(bounds.flatMap(({ startMs, endMs }) => [startMs, endMs]));
  return [...edges].sort((a, b) => a - b);
}

/**
 * Windows that share their end are finished shortest first: each goes on from the states of the one
 * before, so that a segment is merged once for all of them.
 */
function finishFeatures(
  plan: ViewPlan,
  folded: {
    readonly bounds: readonly UsedBounds[];
    readonly segments: SegmentStates;
    readonly effectiveTimeMs: number;
  },
): FeatureAnswer[] {
  const { bounds, segments, effectiveTimeMs } = folded;
  const answers = new Array<FeatureAnswer>(plan.view.features.length);
  let running: RunningStates | null = null;
  plan.windows.forEach(({ featureIndexes }, i) => {
    const used = bounds[i] as UsedBounds;
    if (running === null || !running.reaches(used)) {
      running = new RunningStates(plan, segments, used.endMs);
    }
    running.extendTo(used.startMs);
    for (const featureIndex of featureIndexes) {
      const feature = plan.view.features[featureIndex] as FeatureDefinition;
      answers[featureIndex] = finishFeature(feature, running, { used, effectiveTimeMs });
    }
  });
  return answers;
}

function finishFeature(
  feature: FeatureDefinition,
  running: RunningStates,
  context: { readonly used: UsedBounds; readonly effectiveTimeMs: number },
): FeatureAnswer {
  const { used, effectiveTimeMs } = context;
  if (used.gap) {
    return faulty(effectiveTimeMs, {
      code: "GAP",
      message: "The window reaches behind what the records still hold",
    });
  }
  let value: Value;
  try {
    value = feature.bound.finish(feature.slotIndexes.map((slot) => running.stateOf(slot)));
  } catch (error) {
    if (!(error instanceof OverflowError)) throw error;
    return faulty(effectiveTimeMs, { code: "OVERFLOW", message: error.message });
  }
  const degraded = used.degraded ? { startMs: used.startMs, endMs: used.endMs } : null;
  return { value, status: "PRESENT", effectiveTimeMs, degraded, fault: null };
}

/** The states of a window that grows backwards from its end. */
class RunningStates {
  readonly #plan: ViewPlan;
  readonly #segments: SegmentStates;
  readonly #endMs: number;
  readonly #states: unknown[];
  #startMs: number;

  constructor(plan: ViewPlan, segments: SegmentStates, endMs: number) {
    this.#plan = plan;
    this.#segments = segments;
    this.#endMs = endMs;
    this.#startMs = endMs;
    this.#states = plan.view.slots.map(({ algebra }) => algebra.empty());
  }

  reaches(used: UsedBounds): boolean {
    return used.endMs === this.#endMs && used.startMs <= this.#startMs;
  }

  extendTo(startMs: number): void {
    const from = this.#segments.segmentAt(startMs);
    const until = this.#segments.segmentAt(this.#startMs);
    this.#plan.view.slots.forEach(({ algebra }, slotIndex) => {
      for (let segment = from; segment < until; segment++) {
        const state = this.#segments.stateOf(slotIndex, segment);
        if (state !== undefined) algebra.mergeInto(this.#states[slotIndex], state);
      }
    });
    this.#startMs = startMs;
  }

  stateOf(slotIndex: number): unknown {
    return this.#states[slotIndex];
  }
}
