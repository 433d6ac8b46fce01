/** Counts what became of the records of a request to ingest. */

import type { IngestOutcome, SourceCounts } from "../ingest/ingest-records.ts";
import type { ServingMetrics } from "./serving-metrics.ts";

export interface IngestedRequest {
  readonly workspace: string;
  readonly outcome: IngestOutcome;
  /** When it came. */
  readonly nowMs: number;
}

export function countIngest(
  metrics: ServingMetrics,
  { workspace, outcome, nowMs }: IngestedRequest,
): void {
  if (outcome.kind === "refused") {
    for (const { source, code } of outcome.errors) {
      metrics.ingestRefusedRecords.of(workspace, source.name, code).add(1);
    }
    return;
  }
  for (const counts of outcome.sources) {
    const { name } = counts.source;
    for (const [label, count] of outcomesOf(counts)) {
      metrics.ingestRecords.of(workspace, name, label).add(count);
    }
    if (counts.newestEventMs === null) continue;
    metrics.ingestEventAge.of(workspace, name).observe((nowMs - counts.newestEventMs) / 1_000);
  }
}

function outcomesOf(counts: SourceCounts): readonly (readonly [label: string, count: number])[] {
  return [
    ["accepted", counts.acceptedCount],
    ["duplicate", counts.duplicateCount],
    ["conflict", counts.conflictCount],
    ["filtered", counts.filteredCount],
  ];
}
