/**
 * Brings events and tiles under a cover. The same for a batch record (once, at compaction) and for a
 * stream record (again at every write, under a cover that only grows coarser).
 */

import { assert } from "../core/errors.ts";
import { ByteWriter } from "../core/bytes.ts";
import { tileAt } from "../window/cover.ts";
import type { Cover } from "../window/cover.ts";
import type { Interval } from "../window/bounds.ts";
import { compareRows } from "../aggregate/row.ts";
import { addEventInto, emptyStates } from "./partial.ts";
import type { Partial, RawEvent, RecordLayout, StateTile } from "./partial.ts";
import { eventBytes, tileBytes } from "./partial-codec.ts";

/** Where states are written to be measured. */
const scratch = new ByteWriter(1024);

/** The parts of one cover tile that are still apart. */
interface OpenTile {
  readonly interval: Interval;
  readonly tiles: StateTile[];
  readonly events: RawEvent[];
}

/**
 * The partial of `events` (any order) together with what those before hold, under `cover`. Each of
 * them must have been written for the same windows, with no later `earliestMs` and no earlier
 * `latestMs`: then no boundary of `cover` is inside one of its tiles.
 */
export function retile(
  before: readonly Partial[],
  events: readonly RawEvent[],
  context: {
    readonly cover: Cover;
    readonly earliestMs: number;
    readonly layout: RecordLayout;
  },
): Partial {
  const { cover, earliestMs, layout } = context;
  const sorted = [...before.flatMap((partial) => partial.events), ...events].sort(compareRows);
  const sortedTiles = before.flatMap((partial) => partial.tiles);
  if (before.length > 1) sortedTiles.sort((a, b) => a.startMs - b.startMs);
  const open = openTiles(sortedTiles, sorted, cover);
  const tiles: StateTile[] = [];
  const raw: RawEvent[] = [];
  for (const tile of open) {
    const closed = closeTile(tile, layout);
    if (closed === null) raw.push(...tile.events);
    else tiles.push(closed);
  }
  const keepFromMs = Math.max(cover.keepFromMs, ...before.map((partial) => partial.keepFromMs));
  return { earliestMs, keepFromMs, tiles, events: raw };
}

/** Gathers tiles and events, both sorted, by the cover tile they fall in; drops what is too old. */
function openTiles(
  tiles: readonly StateTile[],
  events: readonly RawEvent[],
  cover: Cover,
): OpenTile[] {
  const open: OpenTile[] = [];
  let i = 0;
  let j = 0;
  while (i < tiles.length || j < events.length) {
    const tile = tiles[i];
    const event = events[j];
    const fromTile =
      tile !== undefined && (event === undefined || tile.startMs <= event.timestampMs);
    const last = open.at(-1);
    if (fromTile) {
      i += 1;
      if (tile.endMs <= cover.keepFromMs) continue;
      openTileFor(open, last, { atMs: tile.startMs, cover }).tiles.push(tile);
    } else if (event !== undefined) {
      j += 1;
      if (event.timestampMs < cover.keepFromMs) continue;
      openTileFor(open, last, { atMs: event.timestampMs, cover }).events.push(event);
    }
  }
  return open;
}

function openTileFor(
  open: OpenTile[],
  last: OpenTile | undefined,
  { atMs, cover }: { readonly atMs: number; readonly cover: Cover },
): OpenTile {
  if (last !== undefined && atMs < last.interval.endMs) return last;
  const next = { interval: tileAt(cover, atMs), tiles: [], events: [] };
  open.push(next);
  return next;
}

/** The states of a tile, or null where its raw events are smaller. */
function closeTile(open: OpenTile, layout: RecordLayout): StateTile | null {
  const { interval, tiles, events } = open;
  for (const tile of tiles) {
    assert(
      tile.endMs <= interval.endMs && tile.startMs >= interval.startMs,
      "a cover written later has no boundary inside a tile written before",
    );
  }
  const only = tiles.length === 1 && events.length === 0 ? tiles[0] : undefined;
  if (only !== undefined) return { ...interval, states: only.states };
  const states = emptyStates(layout);
  for (const tile of tiles) mergeTileInto(states, tile, layout);
  for (const event of events) addEventInto(states, event, layout);
  if (tiles.length === 0 && eventsAreSmaller(events, states, layout)) return null;
  return { ...interval, states };
}

function mergeTileInto(states: unknown[], tile: StateTile, layout: RecordLayout): void {
  layout.slots.forEach((slot, i) => slot.algebra.mergeInto(states[i], tile.states[i]));
}

function eventsAreSmaller(
  events: readonly RawEvent[],
  states: readonly unknown[],
  layout: RecordLayout,
): boolean {
  const bytesMax = tileBytes(states, layout, scratch);
  let rawBytes = 0;
  for (const event of events) {
    rawBytes += eventBytes(event, layout);
    if (rawBytes > bytesMax) return false;
  }
  return true;
}
