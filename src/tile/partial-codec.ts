/**
 * The bytes of a partial: flat columns, so that a reader takes what a request needs and steps over
 * the rest without a schema walk.
 *
 *   earliestMs f64 │ keepFromMs f64
 *   tiles n │ unit │ n × (gap, length) in units │ slots × (byte length, n states)
 *   events n │ n steps │ [ties] │ columns × (byte length, nulls, values)
 *
 * The first gap and the first step are counted from 1970, the others from what stands before. A
 * tile that is open to the past or the future has length 0; the flags beside the unit say which.
 * Worked example: one tile [600000, 900000) of a view with interval 5 m has unit 300000, gap 2 and
 * length 1: two bytes of bounds.
 */

import { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import { readScalar, readStep, writeScalar, writeStep } from "../core/scalar-codec.ts";
import type { Scalar } from "../core/value.ts";
import type { Partial, RawEvent, RecordLayout, StateTile } from "./partial.ts";

const openToPast = 1;
const openToFuture = 2;
/** Tile bounds are written in the greatest of these that divides them all. */
const unitsMs = [86_400_000, 3_600_000, 300_000, 60_000, 1000, 1] as const;

/** Where a column is written before its length is known; columns follow one another. */
const columnWriter = new ByteWriter(1024);

export function writePartial(writer: ByteWriter, partial: Partial, layout: RecordLayout): void {
  writer.float64(partial.earliestMs);
  writer.float64(partial.keepFromMs);
  writeTiles(writer, partial.tiles, layout);
  writeEvents(writer, partial.events, layout);
}

/** About how many bytes an event takes in a partial. */
export function eventBytes(event: RawEvent, layout: RecordLayout): number {
  let bytes = 3 + (layout.ordered ? event.tie.length + 1 : 0);
  for (const value of event.values) bytes += value === null ? 0 : scalarBytes(value);
  return bytes;
}

/** Two bytes are what a tile's bounds come to. */
const tileBoundsBytes = 2;

/** How many bytes the states of a tile take in a partial; they are written to the scratch. */
export function tileBytes(
  states: readonly unknown[],
  layout: RecordLayout,
  scratch: ByteWriter,
): number {
  scratch.reset();
  layout.slots.forEach((slot, i) => {
    slot.algebra.write(states[i], scratch);
  });
  return scratch.length + tileBoundsBytes;
}

function scalarBytes(value: Scalar): number {
  if (typeof value === "string") return value.length + 1;
  if (typeof value === "number") return Number.isInteger(value) ? 3 : 8;
  return typeof value === "boolean" ? 1 : 9;
}

function writeTiles(writer: ByteWriter, tiles: readonly StateTile[], layout: RecordLayout): void {
  writer.varint(tiles.length);
  if (tiles.length === 0) return;
  writeBounds(writer, tiles);
  layout.slots.forEach((slot, i) => {
    columnWriter.reset();
    for (const tile of tiles) slot.algebra.write(tile.states[i], columnWriter);
    writer.varint(columnWriter.length);
    writer.raw(columnWriter.peek());
  });
}

function writeBounds(writer: ByteWriter, tiles: readonly StateTile[]): void {
  const first = tiles[0] as StateTile;
  const last = tiles.at(-1) as StateTile;
  const flags =
    (first.startMs === -Infinity ? openToPast : 0) | (last.endMs === Infinity ? openToFuture : 0);
  const bounds = tiles.map(closedBounds);
  const unit = unitsMs.findIndex((unitMs) =>
    bounds.every(({ startMs, endMs }) => startMs % unitMs === 0 && endMs % unitMs === 0),
  );
  const unitMs = unitsMs[unit] as number;
  writer.byte(flags | (unit << 2));
  let previous = 0;
  for (const { startMs, endMs } of bounds) {
    writeStep(writer, previous, startMs / unitMs);
    writeStep(writer, startMs / unitMs, endMs / unitMs);
    previous = endMs / unitMs;
  }
}

/** The bounds of a tile with its infinite ends pulled to the finite one (0 where both are infinite). */
function closedBounds(tile: StateTile): { readonly startMs: number; readonly endMs: number } {
  const startMs = tile.startMs === -Infinity ? tile.endMs : tile.startMs;
  const endMs = tile.endMs === Infinity ? tile.startMs : tile.endMs;
  const finiteStartMs = Number.isFinite(startMs) ? startMs : 0;
  return {
    startMs: finiteStartMs,
    endMs: Number.isFinite(endMs) ? endMs : finiteStartMs,
  };
}

function writeEvents(writer: ByteWriter, events: readonly RawEvent[], layout: RecordLayout): void {
  writer.varint(events.length);
  if (events.length === 0) return;
  let previousMs = 0;
  for (const { timestampMs } of events) {
    writeStep(writer, previousMs, timestampMs);
    previousMs = timestampMs;
  }
  if (layout.ordered) for (const event of events) writer.string(event.tie);
  layout.valueColumns.forEach(({ type }, i) => {
    columnWriter.reset();
    writeNulls(columnWriter, events, i);
    for (const event of events) {
      const value = event.values[i] ?? null;
      if (value !== null) writeScalar(columnWriter, type, value);
    }
    writer.varint(columnWriter.length);
    writer.raw(columnWriter.peek());
  });
}

/** A byte that says whether there are nulls, then a bit an event if there are. */
function writeNulls(writer: ByteWriter, events: readonly RawEvent[], columnIndex: number): void {
  const isNull = (event: RawEvent) => (event.values[columnIndex] ?? null) === null;
  if (!events.some(isNull)) {
    writer.byte(0);
    return;
  }
  const bits = new Uint8Array(Math.ceil(events.length / 8));
  events.forEach((event, i) => {
    if (isNull(event)) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  });
  writer.byte(1);
  writer.raw(bits);
}

/** A partial's bytes, opened: its bounds and instants are read, its columns wait. */
export class PartialView {
  readonly layout: RecordLayout;
  readonly earliestMs: number;
  readonly keepFromMs: number;
  readonly tileStartsMs: Float64Array;
  readonly tileEndsMs: Float64Array;
  readonly eventTimestampsMs: Float64Array;
  readonly #reader: ByteReader;
  /** Where the column of each slot, the ties, and each value column start. */
  readonly #slotOffsets: number[] = [];
  readonly #tieOffset: number;
  readonly #columnOffsets: number[] = [];

  constructor(bytes: Uint8Array, layout: RecordLayout) {
    this.layout = layout;
    const reader = (this.#reader = new ByteReader(bytes));
    this.earliestMs = reader.float64();
    this.keepFromMs = reader.float64();
    const tileCount = readCount(reader);
    this.tileStartsMs = new Float64Array(tileCount);
    this.tileEndsMs = new Float64Array(tileCount);
    if (tileCount > 0) {
      readBounds(reader, this.tileStartsMs, this.tileEndsMs);
      skipColumns(reader, layout.slots.length, this.#slotOffsets);
    }
    const eventCount = readCount(reader);
    this.eventTimestampsMs = new Float64Array(eventCount);
    if (eventCount > 0) readTimestamps(reader, this.eventTimestampsMs);
    this.#tieOffset = reader.position;
    if (eventCount === 0) return;
    if (layout.ordered) for (let i = 0; i < eventCount; i++) reader.skip(reader.varint());
    skipColumns(reader, layout.valueColumns.length, this.#columnOffsets);
  }

  /** A reader at the first state of a slot's column; there is one state a tile. */
  slotReader(slotIndex: number): ByteReader {
    this.#reader.position = this.#slotOffsets[slotIndex] as number;
    return this.#reader;
  }

  /** The ties of the events: "" for all where the layout is not ordered. */
  ties(): string[] {
    const count = this.eventTimestampsMs.length;
    if (!this.layout.ordered) return new Array<string>(count).fill("");
    this.#reader.position = this.#tieOffset;
    return Array.from({ length: count }, () => this.#reader.string());
  }

  /** The values of a column, one an event. */
  columnValues(columnIndex: number): (Scalar | null)[] {
    const reader = this.#reader;
    reader.position = this.#columnOffsets[columnIndex] as number;
    const count = this.eventTimestampsMs.length;
    const { type } = this.layout.valueColumns[columnIndex] as { type: "float64" };
    const nulls = reader.byte() === 0 ? null : reader.raw(Math.ceil(count / 8));
    const values = new Array<Scalar | null>(count);
    for (let i = 0; i < count; i++) {
      const isNull = nulls !== null && ((nulls[i >> 3] as number) & (1 << (i & 7))) !== 0;
      values[i] = isNull ? null : readScalar(reader, type);
    }
    return values;
  }
}

/** Everything in a partial, for a writer that changes it. */
export function readPartial(bytes: Uint8Array, layout: RecordLayout): Partial {
  const view = new PartialView(bytes, layout);
  const states = Array.from(view.tileStartsMs, () => [] as unknown[]);
  if (states.length > 0) {
    layout.slots.forEach(({ algebra }, slotIndex) => {
      const reader = view.slotReader(slotIndex);
      for (const tile of states) {
        const state = algebra.empty();
        algebra.readInto(state, reader);
        tile.push(state);
      }
    });
  }
  return {
    earliestMs: view.earliestMs,
    keepFromMs: view.keepFromMs,
    tiles: states.map((tileStates, i) => ({
      startMs: view.tileStartsMs[i] as number,
      endMs: view.tileEndsMs[i] as number,
      states: tileStates,
    })),
    events: readEvents(view),
  };
}

function readEvents(view: PartialView): RawEvent[] {
  if (view.eventTimestampsMs.length === 0) return [];
  const ties = view.ties();
  const columns = view.layout.valueColumns.map((_, i) => view.columnValues(i));
  return Array.from(view.eventTimestampsMs, (timestampMs, i) => ({
    timestampMs,
    tie: ties[i] as string,
    values: columns.map((column) => column[i] as Scalar | null),
  }));
}

/** A count of things that take at least a byte each, so that a broken one cannot ask for memory. */
function readCount(reader: ByteReader): number {
  const count = reader.varint();
  if (count > reader.remaining) {
    throw new CorruptRecordError(
      `Cannot read a partial: it says ${count} entries, only ${reader.remaining} bytes are left`,
    );
  }
  return count;
}

function readBounds(reader: ByteReader, startsMs: Float64Array, endsMs: Float64Array): void {
  const flags = reader.byte();
  const unitMs = unitsMs[flags >> 2];
  if (unitMs === undefined) throw new CorruptRecordError("Cannot read tiles: unknown unit");
  let previous = 0;
  for (let i = 0; i < startsMs.length; i++) {
    const start = readStep(reader, previous);
    previous = readStep(reader, start);
    startsMs[i] = start * unitMs;
    endsMs[i] = previous * unitMs;
  }
  if ((flags & openToPast) !== 0) startsMs[0] = -Infinity;
  if ((flags & openToFuture) !== 0) endsMs[endsMs.length - 1] = Infinity;
}

function readTimestamps(reader: ByteReader, timestampsMs: Float64Array): void {
  let timestampMs = 0;
  for (let i = 0; i < timestampsMs.length; i++) {
    timestampMs = readStep(reader, timestampMs);
    timestampsMs[i] = timestampMs;
  }
}

function skipColumns(reader: ByteReader, count: number, offsets: number[]): void {
  for (let i = 0; i < count; i++) {
    const length = reader.varint();
    offsets.push(reader.position);
    reader.skip(length);
  }
}
