/** Turns the records of an ingest request into events, or says of each why it is not one. */

import { formatDuration } from "../core/duration.ts";
import { FeatureError } from "../core/errors.ts";
import type { RawRow, RowPlace, SourceDefinition, SourceEvent } from "../define/definition.ts";
import { readEvent } from "../define/read-event.ts";
import { limits } from "../core/limits.ts";
import { writeSourceEvent } from "./source-event-codec.ts";
import { entityOf } from "./view-projection.ts";
import type { ViewProjection } from "./view-projection.ts";

/** A record as it came, and where it stood in a file, where the sender says so. */
export interface IngestEntry {
  readonly record: unknown;
  readonly place: RowPlace | null;
}

/** Why a record cannot be accepted. */
export interface RecordError {
  readonly source: SourceDefinition;
  /** Counted from 0 among the source's records. */
  readonly index: number;
  /** The view that cannot take it; null where no view could. */
  readonly view: string | null;
  readonly code: "INVALID_RECORD" | "TOO_LATE";
  readonly message: string;
}

/** An event together with the views that it belongs to. */
export interface ValidEvent {
  readonly source: SourceDefinition;
  readonly event: SourceEvent;
  /** As the log keeps it. */
  readonly body: Uint8Array;
  readonly views: readonly string[];
  /** Its place in a partition; null where its source's records come from none. */
  readonly offset: number | null;
}

export interface ValidRecords {
  readonly source: SourceDefinition;
  readonly events: readonly ValidEvent[];
  readonly filteredCount: number;
  readonly errors: readonly RecordError[];
}

export interface RecordScope {
  /** Of the stream views over the source. */
  readonly projections: readonly ViewProjection[];
  readonly nowMs: number;
  /** One a record, where they come from a partition. */
  readonly offsets: readonly number[] | null;
  /** Whether the request has a name, which is remembered as long as ids are. */
  readonly isNamed: boolean;
  /** Past this many errors the rest is not looked at. */
  readonly errorsMax: number;
}

/** Reads every record of a source. */
export function validateRecords(
  source: SourceDefinition,
  entries: readonly IngestEntry[],
  scope: RecordScope,
): ValidRecords {
  const events: ValidEvent[] = [];
  const errors: RecordError[] = [];
  let filteredCount = 0;
  for (let index = 0; index < entries.length && errors.length < scope.errorsMax; index++) {
    const attempt = attemptRead(source, entries[index] as IngestEntry, scope);
    if (attempt.kind === "event")
      events.push({ ...attempt, offset: scope.offsets?.[index] ?? null });
    else if (attempt.kind === "filtered") filteredCount += 1;
    else errors.push(...attempt.failures.map((failure) => errorOf(failure, { source, index })));
  }
  return { source, events, filteredCount, errors: errors.slice(0, scope.errorsMax) };
}

interface Failure {
  readonly view: string | null;
  readonly error: FeatureError;
}

type Attempt =
  | ({ readonly kind: "event" } & Omit<ValidEvent, "offset">)
  | { readonly kind: "filtered" }
  | { readonly kind: "failed"; readonly failures: readonly Failure[] };

function attemptRead(source: SourceDefinition, entry: IngestEntry, scope: RecordScope): Attempt {
  try {
    const read = readEvent(source, checkRow(entry.record), entry.place);
    if (read.kind === "filtered") return read;
    refuseLate(source, read.event, scope);
    const body = writeSourceEvent(source, read.event);
    refuseLarge(body);
    return placeEvent({ source, event: read.event, body }, scope.projections);
  } catch (error) {
    return { kind: "failed", failures: [{ view: null, error: recordErrorOf(error) }] };
  }
}

/** Before the map of its source sees it. */
function checkRow(row: unknown): RawRow {
  if (typeof row === "object" && row !== null && !Array.isArray(row)) return row as RawRow;
  throw new FeatureError("INVALID_RECORD", "Cannot read record: it is missing, expected an object");
}

/** The memory for ids and names reaches back as far as the horizon: past it a repeat would pass for new. */
function refuseLate(
  source: SourceDefinition,
  { timestampMs }: SourceEvent,
  { nowMs, isNamed }: RecordScope,
): void {
  const isRemembered = source.id !== null || isNamed;
  if (!isRemembered || timestampMs >= nowMs - source.redeliveryHorizonMs) return;
  throw new FeatureError(
    "TOO_LATE",
    `Cannot accept record: its event time is older than the redelivery horizon of ${formatDuration(source.redeliveryHorizonMs)}, send it by backfill`,
  );
}

/** A row of the log, and the call that brings it there, hold only so much. */
function refuseLarge(body: Uint8Array): void {
  if (body.length <= limits.eventBytesMax) return;
  throw new FeatureError(
    "INVALID_RECORD",
    `Cannot accept record: it takes ${body.length} bytes, expected ${limits.eventBytesMax} or fewer`,
  );
}

function placeEvent(
  valid: Omit<ValidEvent, "views" | "offset">,
  projections: readonly ViewProjection[],
): Attempt {
  const views: string[] = [];
  const failures: Failure[] = [];
  for (const projection of projections) {
    const view = projection.view.name;
    try {
      if (entityOf(projection, valid.event) !== null) views.push(view);
    } catch (error) {
      failures.push({ view, error: recordErrorOf(error) });
    }
  }
  return failures.length > 0 ? { kind: "failed", failures } : { kind: "event", ...valid, views };
}

/** Errors that are not the record's go on as they are. */
function recordErrorOf(error: unknown): FeatureError {
  const isRecordError =
    error instanceof FeatureError && (error.code === "INVALID_RECORD" || error.code === "TOO_LATE");
  if (isRecordError) return error;
  throw error;
}

function errorOf(
  { view, error }: Failure,
  place: { readonly source: SourceDefinition; readonly index: number },
): RecordError {
  return {
    ...place,
    view,
    code: error.code as RecordError["code"],
    message: `record ${place.index}: ${error.message}`,
  };
}
