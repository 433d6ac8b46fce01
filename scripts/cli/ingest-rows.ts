/** Sends raw rows to a server's ingest: what its source would refuse is left out and counted. */

import { FeatureError } from "../../src/core/errors.ts";
import type { SourceDefinition } from "../../src/define/definition.ts";
import { readEvent, refusalReason } from "../../src/define/read-event.ts";
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

/** Posts rows in requests of a few hundred. @throws when the server refuses one. */
export async function sendRows(target: IngestTarget, rows: readonly PlacedRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += rowsPerRequest) {
    const records = rows
      .slice(i, i + rowsPerRequest)
      .map(({ row, place }) => ({ record: row, place }));
    const response = await fetch(`${target.url}/ingest`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(
        {
          workspace_name: target.workspace,
          dry_run: false,
          records: { [target.source.name]: records },
        },
        (_key, value: unknown) => (typeof value === "bigint" ? value.toString() : value),
      ),
    });
    if (!response.ok) {
      throw new Error(
        `Cannot ingest: the server answered ${response.status} ${await response.text()}`,
      );
    }
    await response.arrayBuffer();
  }
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
