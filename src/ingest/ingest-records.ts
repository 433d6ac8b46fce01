/**
 * Takes the records of an ingest request: all are validated before any is written, then each log
 * shard appends its share in one step. What was refused has left no trace.
 */

import { FeatureError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import { hashText, xxh32 } from "../core/hash.ts";
import { limits } from "../core/limits.ts";
import type { Repository, SourceDefinition } from "../define/definition.ts";
import type { AppendResult, LogEntry } from "../store/event-log.ts";
import type { LogAccess } from "./log-home.ts";
import { validateRecords } from "./validate-records.ts";
import type { IngestEntry, RecordError, ValidEvent, ValidRecords } from "./validate-records.ts";
import { projectView } from "./view-projection.ts";
import type { ViewProjection } from "./view-projection.ts";

export interface IngestParts {
  readonly repository: Repository;
  readonly logShards: (log: string) => readonly LogAccess[];
}

export interface IngestRequest {
  /** Validates and writes nothing. */
  readonly dryRun: boolean;
  /** Raw rows by the name of their source. */
  readonly records: ReadonlyMap<string, readonly IngestEntry[]>;
}

export type IngestOutcome =
  | {
      readonly kind: "accepted";
      readonly sources: readonly SourceCounts[];
      readonly views: readonly ViewCounts[];
    }
  | { readonly kind: "refused"; readonly errors: readonly RecordError[] };

export interface SourceCounts {
  readonly source: SourceDefinition;
  /** Appended to the log; in a dry run, those that would be but for repeats. */
  readonly acceptedCount: number;
  readonly duplicateCount: number;
  /** Repeats of an id with another body: the first one stays. */
  readonly conflictCount: number;
  readonly filteredCount: number;
}

export interface ViewCounts {
  readonly view: ViewProjection["view"];
  readonly acceptedCount: number;
}

/**
 * Resolves when every accepted event is in its log and in the stream records it belongs to. A
 * repeated request is acknowledged and changes nothing where sources declare ids.
 *
 * @throws FeatureError NOT_FOUND for a source that is not a stream source, INVALID_REQUEST for
 *   sources of different logs, TOO_LARGE, RESOURCE_EXHAUSTED, STORE_UNAVAILABLE.
 */
export async function ingestRecords(
  parts: IngestParts,
  request: IngestRequest,
  nowMs: number,
): Promise<IngestOutcome> {
  const sources = [...request.records.keys()].map((name) => findSource(parts.repository, name));
  const log = commonLog(sources);
  refuseTooMany(request);
  const projections = groupBy(streamProjections(parts.repository), ({ view }) => view.source);
  const valid: ValidRecords[] = [];
  const errors: RecordError[] = [];
  for (const source of sources) {
    const records = validateRecords(source, request.records.get(source.name) ?? [], {
      projections: projections.get(source) ?? [],
      nowMs,
      errorsMax: limits.recordErrorsMax - errors.length,
    });
    valid.push(records);
    errors.push(...records.errors);
  }
  if (errors.length > 0) return { kind: "refused", errors };
  const events = valid.flatMap((records) => records.events);
  const outcomes =
    request.dryRun || log === null
      ? events.map((): Outcome => "appended")
      : await appendEvents(parts.logShards(log), events, nowMs);
  return {
    kind: "accepted",
    sources: countSources(valid, events, outcomes),
    views: countViews(
      sources.flatMap((source) => projections.get(source) ?? []),
      events,
      outcomes,
    ),
  };
}

type Outcome = AppendResult["outcomes"][number];

function findSource(repository: Repository, name: string): SourceDefinition {
  const source = repository.sources.get(name);
  if (source?.kind === "streamSource") return source;
  const state = source === undefined ? "it is not defined" : "it is a batch source";
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot ingest into source "${name.slice(0, limits.nameLengthMax)}": ${state}, expected a stream source`,
  );
}

/** The log of all sources, null where there are none: a request commits in one log or not at all. */
function commonLog(sources: readonly SourceDefinition[]): string | null {
  const [first] = sources;
  if (first === undefined) return null;
  const other = sources.find(({ log }) => log !== first.log);
  if (other === undefined) return first.log;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot ingest into sources "${first.name}" and "${other.name}" together: they append to different logs, send a request for each`,
  );
}

function refuseTooMany({ records }: IngestRequest): void {
  const count = [...records.values()].reduce((sum, rows) => sum + rows.length, 0);
  if (count <= limits.ingestRecordsMax) return;
  throw new FeatureError(
    "TOO_LARGE",
    `Cannot ingest ${count} records: at most ${limits.ingestRecordsMax} fit in a request, send several`,
  );
}

function streamProjections(repository: Repository): readonly ViewProjection[] {
  const views = [...repository.views.values()].filter(({ kind }) => kind === "streamView");
  return views.map(projectView);
}

/** What became of each event, in order. Waits for every shard, also when one has failed. */
async function appendEvents(
  shards: readonly LogAccess[],
  events: readonly ValidEvent[],
  nowMs: number,
): Promise<readonly Outcome[]> {
  const placed = events.map(({ source, event, body }, position) => {
    const entry = { source: source.name, id: event.id, timestampMs: event.timestampMs, body };
    return { entry, position };
  });
  const redeliveryHorizonMs = new Map(
    events
      .filter(({ source }) => source.id !== null)
      .map(({ source }) => [source.name, source.redeliveryHorizonMs]),
  );
  const groups = groupBy(placed, ({ entry }) => shardIndexOf(entry, shards.length));
  const outcomes = new Array<Outcome>(events.length);
  const appends = [...groups].map(async ([shardIndex, group]) => {
    const entries = group.map(({ entry }) => entry);
    const shard = shards[shardIndex] as LogAccess;
    const result = await shard.append(entries, { nowMs, redeliveryHorizonMs });
    group.forEach(({ position }, i) => (outcomes[position] = result.outcomes[i] as Outcome));
  });
  for (const settled of await Promise.allSettled(appends)) {
    if (settled.status === "rejected") throw settled.reason;
  }
  return outcomes;
}

/** A repeat must meet the memory of the first: its id decides, or its body where there is none. */
function shardIndexOf({ source, id, body }: LogEntry, shardCount: number): number {
  return (id === "" ? xxh32(body) : hashText(source + id)) % shardCount;
}

function countSources(
  valid: readonly ValidRecords[],
  events: readonly ValidEvent[],
  outcomes: readonly Outcome[],
): readonly SourceCounts[] {
  return valid.map(({ source, filteredCount }) => {
    const count = (wanted: Outcome) =>
      outcomes.filter((outcome, i) => outcome === wanted && events[i]?.source === source).length;
    return {
      source,
      acceptedCount: count("appended"),
      duplicateCount: count("repeat"),
      conflictCount: count("conflict"),
      filteredCount,
    };
  });
}

function countViews(
  projections: readonly ViewProjection[],
  events: readonly ValidEvent[],
  outcomes: readonly Outcome[],
): readonly ViewCounts[] {
  return projections.map(({ view }) => ({
    view,
    acceptedCount: events.filter(
      ({ views }, i) => outcomes[i] === "appended" && views.includes(view.name),
    ).length,
  }));
}
