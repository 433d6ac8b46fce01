/**
 * Counts what of an entity's sections entered a window, by origin. A section of the stream is two
 * lanes, parted where the batch record's watermark stands:
 *
 *   tiles and events of a section   ─┼──┼──┼─ · ──┼──┼── · ·─►
 *   lanes                            │── late ──│── stream ──│
 */

import { countAlgebra } from "../aggregate/count.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { BatchRecord } from "../tile/batch-record.ts";
import type { PartialView } from "../tile/partial-codec.ts";
import type { Interval } from "../window/bounds.ts";
import type { Section } from "./used-bounds.ts";

export type Origin = (typeof origins)[number];

const origins = ["batch", "stream", "late"] as const;

export interface EnteredCount {
  readonly origin: Origin;
  readonly tileCount: number;
  /** Of raw events, whatever their columns hold. */
  readonly eventCount: number;
  /**
   * How many values of the feature's column were not null: null where that cannot be told, as of
   * tiles that keep no count of it.
   */
  readonly valueCount: number | null;
}

/** A run of a section's tiles and raw events, `[from, until)` in their order. */
export interface Lane {
  readonly origin: Origin;
  readonly section: Section;
  readonly tiles: Run;
  readonly events: Run;
}

interface Run {
  readonly from: number;
  readonly until: number;
}

/** @param sections - As `sectionsOf` has them. */
export function lanesOf(
  view: ViewDefinition,
  sections: readonly Section[],
  batch: BatchRecord | null,
): readonly Lane[] {
  // With a history of its own what is older than the watermark does not count, and is not here.
  const lateUntilMs = view.history === null ? (batch?.header.watermarkMs ?? -Infinity) : -Infinity;
  return sections.flatMap((section): readonly Lane[] => {
    const { tileStartsMs, tileEndsMs, eventTimestampsMs: eventsMs } = section.partial;
    const whole = { from: 0, until: tileStartsMs.length };
    const events = { from: 0, until: eventsMs.length };
    if (section.partial === batch?.partial) {
      return [{ origin: "batch", section, tiles: whole, events }];
    }
    const tile = firstAtOrAfter(tileEndsMs, lateUntilMs + 1);
    const event = firstAtOrAfter(eventsMs, lateUntilMs);
    const late = { tiles: { from: 0, until: tile }, events: { from: 0, until: event } };
    const live = { tiles: { ...whole, from: tile }, events: { ...events, from: event } };
    return [
      { origin: "late", section, ...late },
      { origin: "stream", section, ...live },
    ];
  });
}

/** Counts for one column; what there is to count is read once, however many windows there are. */
export class Origins {
  readonly #lanes: readonly (Lane & { readonly values: ValueSums })[];

  constructor(view: ViewDefinition, column: string, lanes: readonly Lane[]) {
    const sums = new Map<Section, ValueSums>();
    this.#lanes = lanes.map((lane) => {
      const known = sums.get(lane.section) ?? sumValues(view, column, lane.section.partial);
      sums.set(lane.section, known);
      return { ...lane, values: known };
    });
  }

  /** Only the origins of which something entered. @param bounds - None is inside a tile. */
  enteredIn(bounds: Interval): readonly EnteredCount[] {
    return origins.flatMap((origin) => {
      const counts = this.#lanes
        .filter((lane) => lane.origin === origin)
        .map((lane) => enteredOf(lane, bounds));
      const total = counts.reduce(addCounts, { tileCount: 0, eventCount: 0, valueCount: 0 });
      return total.tileCount + total.eventCount === 0 ? [] : [{ origin, ...total }];
    });
  }
}

type Counts = Omit<EnteredCount, "origin">;

/** How many values there are before each place; of tiles null where they do not say. */
interface ValueSums {
  readonly tiles: readonly number[] | null;
  readonly events: readonly number[];
}

/** As segments have it: where a tile or an event begins decides, and before its section it is out. */
function enteredOf(
  { section, tiles, events, values }: Lane & { readonly values: ValueSums },
  { startMs, endMs }: Interval,
): Counts {
  const { partial } = section;
  const fromMs = Math.max(startMs, section.fromMs);
  const tileRun = within(partial.tileStartsMs, { startMs: fromMs, endMs }, tiles);
  const eventRun = within(partial.eventTimestampsMs, { startMs: fromMs, endMs }, events);
  const tileCount = tileRun.until - tileRun.from;
  const tileValues = tileCount === 0 ? 0 : values.tiles && sumOver(values.tiles, tileRun);
  return {
    tileCount,
    eventCount: eventRun.until - eventRun.from,
    valueCount: tileValues === null ? null : tileValues + sumOver(values.events, eventRun),
  };
}

function within(sortedMs: Float64Array, { startMs, endMs }: Interval, run: Run): Run {
  const from = Math.max(run.from, firstAtOrAfter(sortedMs, startMs));
  return { from, until: Math.max(from, Math.min(run.until, firstAtOrAfter(sortedMs, endMs))) };
}

function sumOver(sums: readonly number[], { from, until }: Run): number {
  return (sums[until] as number) - (sums[from] as number);
}

function addCounts(a: Counts, b: Counts): Counts {
  return {
    tileCount: a.tileCount + b.tileCount,
    eventCount: a.eventCount + b.eventCount,
    valueCount: a.valueCount === null || b.valueCount === null ? null : a.valueCount + b.valueCount,
  };
}

/** With a secondary key, an event without one enters nothing. */
function sumValues(view: ViewDefinition, column: string, partial: PartialView): ValueSums {
  const columnIndex = columnIndexOf(view, column);
  const { eventTimestampsMs: eventsMs } = partial;
  const columns = [column, ...(view.secondaryKey === null ? [] : [view.secondaryKey.name])];
  const values =
    eventsMs.length === 0
      ? []
      : columns.map((name) => partial.columnValues(columnIndexOf(view, name)));
  const slotIndex = view.slots.findIndex(
    (slot) => slot.columnIndex === columnIndex && slot.algebra.key === countAlgebra.key,
  );
  return {
    tiles: slotIndex < 0 ? null : sumsOf(tileCounts(partial, slotIndex)),
    events: sumsOf(
      Array.from(eventsMs, (_, i) => (values.every((each) => (each[i] ?? null) !== null) ? 1 : 0)),
    ),
  };
}

function columnIndexOf({ valueColumns }: ViewDefinition, column: string): number {
  return valueColumns.findIndex(({ name }) => name === column);
}

function tileCounts(partial: PartialView, slotIndex: number): readonly number[] {
  if (partial.tileStartsMs.length === 0) return [];
  const reader = partial.slotReader(slotIndex);
  return Array.from(partial.tileStartsMs, () => {
    const state = countAlgebra.empty();
    countAlgebra.readInto(state, reader);
    return state.count;
  });
}

function sumsOf(counts: readonly number[]): readonly number[] {
  const sums = [0];
  for (const count of counts) sums.push((sums.at(-1) as number) + count);
  return sums;
}

/** The place of the first of some ascending instants that is not before another. */
function firstAtOrAfter(sortedMs: Float64Array, instantMs: number): number {
  let low = 0;
  let high = sortedMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sortedMs[middle] as number) < instantMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
