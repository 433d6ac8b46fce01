/** Folds new events into the epochs of a stream record, and makes one of epochs that no cut parts. */

import { FeatureError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import { floorTo } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import { viewWindows } from "../define/view-windows.ts";
import type { ApplyContext, PlacedEvent } from "../store/stream-home.ts";
import type { Partial, RawEvent } from "../tile/partial.ts";
import type { EpochHeader, EpochPartial, StreamRecord } from "../tile/stream-record.ts";
import { retile } from "../tile/tiling.ts";
import { planCover, withWatermarks } from "../window/cover.ts";
import type { Cover } from "../window/cover.ts";

interface FoldContext {
  readonly view: ViewDefinition;
  readonly context: ApplyContext;
}

/** The epochs of a record once events have come to it; what it has collected already is left out. */
export function foldEpochs(
  before: StreamRecord,
  news: readonly PlacedEvent[],
  fold: FoldContext,
): EpochPartial[] {
  const open = new Map(before.epochs.map((epoch) => [epoch.epoch, epoch]));
  const live = news.filter((placed) => isLive(placed, before, fold.view));
  const newsOf = groupBy(live, (placed) => placed.epoch);
  // Epochs without news are tiled again too: as time goes on their tiles become fewer.
  for (const epoch of new Set([...open.keys(), ...newsOf.keys()])) {
    const known = open.get(epoch);
    const events = (newsOf.get(epoch) ?? []).map(({ event }) => event);
    const header = {
      epoch,
      startedAtMs: known?.startedAtMs ?? startOf(epoch, fold.context),
      counts: addCounts(known?.counts ?? [], events, fold.view),
    };
    const partials = known === undefined ? [] : [known.partial];
    const kept = events.filter(({ timestampMs }) => timestampMs >= before.collectedWatermarkMs);
    open.set(epoch, tileEpoch(header, { partials, events: kept, record: before }, fold));
  }
  const epochs = [...open.values()].sort((a, b) => a.epoch - b.epoch);
  return mergeEpochs(epochs, before, fold);
}

/** Whether an event is not in every batch record that a request may meet, so far as is known. */
function isLive(
  { epoch, event }: PlacedEvent,
  before: StreamRecord,
  { history }: ViewDefinition,
): boolean {
  if (epoch > before.collectedEpoch) return true;
  return history !== null && event.timestampMs >= before.collectedWatermarkMs;
}

/**
 * Neighbouring epochs become one, under the later one's number, where no batch record of the view
 * can ever be cut between them. It is as old as the earlier one: so is its horizon.
 */
function mergeEpochs(
  epochs: readonly EpochPartial[],
  record: StreamRecord,
  fold: FoldContext,
): EpochPartial[] {
  const merged: EpochPartial[] = [];
  for (const epoch of epochs) {
    const last = merged.at(-1);
    const isApart =
      last === undefined ||
      mayBeParted(last.epoch, epoch.epoch, fold) ||
      isOutlived(last, epoch, fold.view);
    if (isApart) {
      merged.push(epoch);
      continue;
    }
    const header = {
      epoch: epoch.epoch,
      startedAtMs: Math.min(last.startedAtMs, epoch.startedAtMs),
      counts: mergeCounts(last.counts, epoch.counts),
    };
    const partials = [last.partial, epoch.partial];
    merged[merged.length - 1] = tileEpoch(header, { partials, events: [], record }, fold);
  }
  return merged;
}

/**
 * Whether one of them was tiled for requests past the horizon that both would have together. There
 * the cover has boundaries that are inside tiles of the other.
 */
function isOutlived(a: EpochPartial, b: EpochPartial, view: ViewDefinition): boolean {
  const untilMs = Math.min(a.startedAtMs, b.startedAtMs) + horizonOf(view);
  return untilMs < Math.max(a.partial.earliestMs, b.partial.earliestMs);
}

function mayBeParted(fromEpoch: number, throughEpoch: number, { view, context }: FoldContext) {
  const cutOf = new Map(context.epochs.map((each) => [each.epoch, each.cutOf]));
  for (let epoch = fromEpoch; epoch < throughEpoch; epoch++) {
    const views = cutOf.get(epoch) ?? null;
    if (views === null || views.includes(view.name)) return true;
  }
  return false;
}

function tileEpoch(
  header: EpochHeader,
  parts: {
    readonly partials: readonly Partial[];
    readonly events: readonly RawEvent[];
    readonly record: StreamRecord;
  },
  { view, context }: FoldContext,
): EpochPartial {
  const earliestMs = Math.max(
    ...parts.partials.map((partial) => partial.earliestMs),
    context.nowMs - limits.clockErrorMsMax,
  );
  const cover = coverOf(view, {
    earliestMs,
    startedAtMs: header.startedAtMs,
    record: parts.record,
  });
  // Nothing is dropped here: a late reader of an old batch copy may round its edges down this far.
  const partial = retile(parts.partials, parts.events, {
    cover: { ...cover, keepFromMs: -Infinity },
    earliestMs,
    layout: view,
  });
  return { ...header, partial };
}

function coverOf(
  view: ViewDefinition,
  place: {
    readonly earliestMs: number;
    readonly startedAtMs: number;
    readonly record: StreamRecord;
  },
): Cover {
  const cover = planCover(
    view,
    viewWindows(view).map(({ window }) => window),
    {
      earliestMs: place.earliestMs,
      latestMs: place.startedAtMs + horizonOf(view),
      overtimeMs: view.horizonMs,
      behind: true,
    },
  );
  if (view.history === null) return cover;
  const fromMs = place.record.collectedWatermarkMs;
  return withWatermarks(cover, { fromMs, stepMs: view.watermarkStepMs });
}

/** With a history an event stays until a watermark has passed it: through one compaction more. */
function horizonOf(view: ViewDefinition): number {
  return view.history === null ? view.horizonMs : 2 * view.horizonMs;
}

function addCounts(
  counts: EpochHeader["counts"],
  events: readonly RawEvent[],
  { history, watermarkStepMs }: ViewDefinition,
): EpochHeader["counts"] {
  if (history === null) return counts;
  const steps = groupBy(events, ({ timestampMs }) => floorTo(timestampMs, watermarkStepMs));
  return mergeCounts(
    counts,
    [...steps].map(([startMs, { length }]) => [startMs, length]),
  );
}

function mergeCounts(a: EpochHeader["counts"], b: EpochHeader["counts"]): EpochHeader["counts"] {
  if (a.length === 0 && b.length === 0) return a;
  const counts = new Map<number, number>();
  for (const [startMs, count] of [...a, ...b]) {
    counts.set(startMs, (counts.get(startMs) ?? 0) + count);
  }
  return [...counts].sort(([x], [y]) => x - y);
}

function startOf(epoch: number, context: ApplyContext): number {
  const found = context.epochs.find((candidate) => candidate.epoch === epoch);
  if (found === undefined) {
    throw new FeatureError(
      "INTERNAL",
      `Cannot apply events: epoch ${epoch} is unknown to log shard "${context.shard}"`,
    );
  }
  return found.startedAtMs;
}
