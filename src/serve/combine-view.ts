/**
 * Combines an entity's batch and stream record into a view's answer. Pure: no clock, no await.
 *
 * The batch record carries its own cut; of the stream record only the epochs past *that* cut are
 * taken, so that any pair of copies, however old, counts every event at most once. Where the stream
 * has already collected epochs that the batch copy does not hold, there is no number to give.
 */

import type { ViewDefinition } from "../define/definition.ts";
import type { BatchRecord } from "../tile/batch-record.ts";
import type { StreamRecordView } from "../tile/stream-record.ts";
import { leadAt, windowBounds } from "../window/bounds.ts";
import { finishAttributes } from "./finish-attributes.ts";
import { faultyFeatures, missingFeatures } from "./same-features.ts";
import { finishFeatures } from "./finish-features.ts";
import { SegmentStates } from "./segment-states.ts";
import { usedBounds } from "./used-bounds.ts";
import type { Section, UsedBounds } from "./used-bounds.ts";
import type { CombinedView } from "./view-answer.ts";
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
    const effectiveTimeMs = view.kind === "batchView" ? null : effectiveTimeOf(view, nowMs);
    return { view, features: missingFeatures(view, effectiveTimeMs), waitingCount: null };
  }
  const atMs = instantOf(view, records, nowMs);
  const gap = gapOf(records);
  if (gap !== null) {
    const fault = { code: "GAP", message: gap } as const;
    const features = faultyFeatures(view, effectiveTimeOf(view, atMs), fault);
    return { view, features, waitingCount: null };
  }
  const sections = sectionsOf(view, records);
  const bounds = plan.windows.map(({ window }) =>
    usedBounds(windowBounds(view, window, atMs), sections),
  );
  const segments = new SegmentStates(plan, distinctEdges(bounds));
  for (const section of sections) segments.foldInto(section);
  const folded = { bounds, segments, atMs };
  return {
    view,
    features:
      view.attributes === null ? finishFeatures(plan, folded) : finishAttributes(plan, folded),
    waitingCount: view.history === null ? null : countWaiting(records),
  };
}

/** The instant that windows go by: a batch view knows nothing past its watermark. */
export function instantOf(
  { kind }: ViewDefinition,
  { batch }: EntityRecords,
  nowMs: number,
): number {
  return kind === "batchView" && batch !== null ? Math.min(nowMs, batch.header.watermarkMs) : nowMs;
}

/** What is known of it before the records are: attributes have that of their row. */
function effectiveTimeOf(view: ViewDefinition, atMs: number): number | null {
  return view.attributes === null ? leadAt(view, atMs) : null;
}

/** Why the records leave something out between them; null where they do not. */
export function gapOf({ batch, stream }: EntityRecords): string | null {
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
export function sectionsOf(view: ViewDefinition, { batch, stream }: EntityRecords): Section[] {
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

function distinctEdges(bounds: readonly UsedBounds[]): number[] {
  const edges = new Set(bounds.flatMap(({ startMs, endMs }) => [startMs, endMs]));
  return [...edges].sort((a, b) => a - b);
}
