/**
 * Takes the records of an ingest request: all are validated before any is written, then each log
 * shard appends its share in one step. What was refused has left no trace.
 */

import { FeatureError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import { limits } from "../core/limits.ts";
import type { Repository, SourceDefinition } from "../define/definition.ts";
import { appendEvents } from "./append-events.ts";
import type { Outcome } from "./append-events.ts";
import type { LogAccess } from "./log-home.ts";
import { nameRequest } from "./name-request.ts";
import { readPartition } from "./read-partition.ts";
import type { ReadPartition, SentPartition } from "./read-partition.ts";
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
  /** By the name of a source, where its sender read its records from. */
  readonly partitions?: ReadonlyMap<string, SentPartition>;
  /** The sender's name for the request: repeats change nothing. A dry run neither asks nor takes it. */
  readonly idempotencyKey?: string;
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
  /** Of the newest event appended; null where none was. */
  readonly newestEventMs: number | null;
}

export interface ViewCounts {
  readonly view: ViewProjection["view"];
  readonly acceptedCount: number;
}

/**
 * Resolves when every accepted event is in its log and in the stream records it belongs to. A
 * repeated request is acknowledged and changes nothing where sources declare ids, where records
 * have offsets, and where the request has a key: then all its records are duplicates.
 *
 * @throws FeatureError NOT_FOUND for a source that is not a stream source, INVALID_REQUEST for
 *   sources of different logs and partitions that are not right, KEY_REUSED, CONFLICT and TOO_LATE
 *   as `EventLogShard.append`, TOO_LARGE, RESOURCE_EXHAUSTED, STORE_UNAVAILABLE.
 */
export async function ingestRecords(
  parts: IngestParts,
  request: IngestRequest,
  nowMs: number,
): Promise<IngestOutcome> {
  const sources = [...request.records.keys()].map((name) => findSource(parts.repository, name));
  const log = commonLog(sources);
  refuseTooMany(request);
  const partitions = readPartitions(sources, request);
  const projections = groupBy(streamProjections(parts.repository), ({ view }) => view.source);
  const records: ValidRecords[] = [];
  const errors: RecordError[] = [];
  for (const source of sources) {
    const read = validateRecords(source, request.records.get(source.name) ?? [], {
      projections: projections.get(source) ?? [],
      nowMs,
      offsets: partitions.get(source.name)?.offsets ?? null,
      isNamed: request.idempotencyKey !== undefined,
      errorsMax: limits.recordErrorsMax - errors.length,
    });
    records.push(read);
    errors.push(...read.errors);
  }
  if (errors.length > 0) return { kind: "refused", errors };
  const events = records.flatMap((each) => each.events);
  const content = { records, partitions: [...partitions.values()].map(({ range }) => range) };
  const { idempotencyKey: key } = request;
  const outcomes =
    request.dryRun || log === null
      ? events.map((): Outcome => "appended")
      : await appendEvents(parts.logShards(log), {
          events,
          partitions: content.partitions,
          request: key === undefined ? null : nameRequest(key, content, nowMs),
          nowMs,
        });
  return {
    kind: "accepted",
    sources: countSources(records, events, outcomes),
    views: countViews(
      sources.flatMap((source) => projections.get(source) ?? []),
      events,
      outcomes,
    ),
  };
}

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

/** By the name of their source. */
function readPartitions(
  sources: readonly SourceDefinition[],
  { records, partitions = new Map() }: IngestRequest,
): ReadonlyMap<string, ReadPartition> {
  return new Map(
    [...partitions].map(([name, sent]) => {
      const source = sources.find((each) => each.name === name);
      if (source === undefined) {
        throw new FeatureError(
          "INVALID_REQUEST",
          `Cannot read request: "partitions" names source ${JSON.stringify(name.slice(0, limits.nameLengthMax))}, which "records" does not, expected a source of both`,
        );
      }
      return [name, readPartition(source, sent, records.get(name)?.length ?? 0)];
    }),
  );
}

function streamProjections(repository: Repository): readonly ViewProjection[] {
  const views = [...repository.views.values()].filter(({ kind }) => kind === "streamView");
  return views.map(projectView);
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
      newestEventMs: newestEvent(source, events, outcomes),
    };
  });
}

function newestEvent(
  source: SourceDefinition,
  events: readonly ValidEvent[],
  outcomes: readonly Outcome[],
): number | null {
  return events.reduce((newestMs: number | null, event, i) => {
    if (event.source !== source || outcomes[i] !== "appended") return newestMs;
    return Math.max(newestMs ?? -Infinity, event.event.timestampMs);
  }, null);
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
