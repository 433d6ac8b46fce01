/** Sends raw rows to a server's ingest: what is refused is left out and counted. */

import { FeatureError } from "../../src/core/errors.ts";
import type { SourceDefinition } from "../../src/define/definition.ts";
import { readEvent, refusalReason } from "../../src/define/read-event.ts";
import { postJson } from "./call-server.ts";
import type { PlacedRow } from "../../adapters/engines/duckdb/text-rows.ts";

/** Counts of rows; `read` is `loaded` and all of `skipped`. */
export interface IngestTally {
  read: number;
  loaded: number;
  readonly skipped: Map<string, number>;
  /** The event time of the newest event, in milliseconds; -Infinity before there is one. */
  newestMs: number;
}

export interface IngestTarget {
  readonly url: string;
  readonly workspace: string;
  /** What gives access, where it takes a key. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly source: SourceDefinition;
}

const rowsPerRequest = 500;

export function emptyTally(): IngestTally {
  return { read: 0, loaded: 0, skipped: new Map(), newestMs: -Infinity };
}

/** The rows that the source takes; the others are counted into `tally`, by reason. */
export function acceptRows(
  source: SourceDefinition,
  rows: readonly PlacedRow[],
  tally: IngestTally,
): PlacedRow[] {
  return rows.filter((row) => {
    tally.read += 1;
    const reason = refusal(source, row, tally);
    if (reason === null) {
      tally.loaded += 1;
      return true;
    }
    tally.skipped.set(reason, (tally.skipped.get(reason) ?? 0) + 1);
    return false;
  });
}

/**
 * Posts accepted rows in requests of a few hundred, and returns how many of them the log took. What
 * it had before and what the server refuses moves from `tally.loaded` to `tally.skipped`.
 *
 * @throws when the server cannot be reached or refuses a request without naming records.
 */
export async function sendRows(
  target: IngestTarget,
  rows: readonly PlacedRow[],
  tally: IngestTally,
): Promise<number> {
  const loadedBefore = tally.loaded;
  for (let i = 0; i < rows.length; i += rowsPerRequest) {
    let rest = rows.slice(i, i + rowsPerRequest);
    // A server refuses a request whole and lists some of what is wrong with it.
    while (rest.length > 0) rest = await sendRequest(target, rest, tally);
  }
  return rows.length - (loadedBefore - tally.loaded);
}

/** The rows to send again: none once the server took them. */
async function sendRequest(
  { url, workspace, source, headers }: IngestTarget,
  rows: readonly PlacedRow[],
  tally: IngestTally,
): Promise<PlacedRow[]> {
  const records = { [source.name]: rows.map(({ row, place }) => ({ record: row, place })) };
  const body = { workspace_name: workspace, dry_run: false, records };
  const response = await postJson(`${url}/ingest`, body, headers);
  const text = await response.text();
  if (response.ok) {
    const [counts] = readAnswer<IngestAnswer>(url, text).ingestMetrics.dataSourceIngestMetrics;
    unload(tally, "sent before", Number(counts?.duplicateRecordCount ?? 0));
    unload(tally, "sent before with other values", Number(counts?.conflictingRecordCount ?? 0));
    return [];
  }
  const refused =
    response.status === 400 ? (readAnswer<IngestRefusal>(url, text).recordErrors ?? []) : [];
  // A record that several views refuse is listed for each of them, and counted once.
  const reasons = new Map(
    refused.toReversed().map((error) => [error.recordIndex, serverReason(error, rows)]),
  );
  const rest = rows.filter((_, i) => !reasons.has(i));
  if (rest.length === rows.length) {
    throw new Error(`Cannot ingest: ${url} answered ${response.status} ${text}`);
  }
  for (const reason of reasons.values()) unload(tally, reason, 1);
  return rest;
}

interface IngestAnswer {
  readonly ingestMetrics: {
    readonly dataSourceIngestMetrics: readonly {
      readonly duplicateRecordCount?: string;
      readonly conflictingRecordCount?: string;
    }[];
  };
}

interface IngestRefusal {
  readonly recordErrors?: readonly RefusedRecord[];
}

interface RefusedRecord {
  readonly recordIndex: number;
  readonly errorType: string;
  readonly errorMessage: string;
}

function readAnswer<Answer>(url: string, text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch (cause) {
    throw new Error(`Cannot ingest: the answer of ${url} is not JSON`, { cause });
  }
}

function unload(tally: IngestTally, reason: string, rowCount: number): void {
  if (rowCount === 0) return;
  tally.loaded -= rowCount;
  tally.skipped.set(reason, (tally.skipped.get(reason) ?? 0) + rowCount);
}

/** Without where the record stood, so that the same reason is counted as one. */
function serverReason(error: RefusedRecord, rows: readonly PlacedRow[]): string {
  const { recordIndex, errorType, errorMessage } = error;
  if (errorType === "TooLateError") {
    return "older than the redelivery horizon, send it by backfill";
  }
  const message = errorMessage.replace(/^record \d+: /, "");
  const place = rows[recordIndex]?.place ?? null;
  const inner = refusalReason(new FeatureError("INVALID_RECORD", message), place);
  return refusalReason(new FeatureError("INVALID_RECORD", inner), null);
}

function refusal(
  source: SourceDefinition,
  { row, problem, place }: PlacedRow,
  tally: IngestTally,
): string | null {
  if (problem !== null) return problem;
  try {
    const result = readEvent(source, row, place);
    if (result.kind === "filtered") return result.reason;
    tally.newestMs = Math.max(tally.newestMs, result.event.timestampMs);
    return null;
  } catch (error) {
    if (error instanceof FeatureError) return refusalReason(error, place);
    throw error;
  }
}
