/** Sends records of a source. */

import type { IngestOptions } from "./client-options.ts";
import { encodeJson, waitOptionsOf } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { invalidAnswer } from "./read-answer.ts";
import type { HttpAnswer } from "./read-answer.ts";
import { sendRequest } from "./send-request.ts";
import type { HttpRequest } from "./send-request.ts";
import { waitForAnswer } from "./wait-for-answer.ts";
import type { WaitOptions } from "./wait-for-answer.ts";

/** What became of the records of a request. */
export interface IngestCounts {
  readonly acceptedCount: number;
  /** Those that had been accepted before. */
  readonly duplicateCount: number;
  /** Those whose id had been accepted with another body, which stays. */
  readonly conflictCount: number;
  /** Those that the source's filter dropped. */
  readonly filteredCount: number;
}

export interface SentRecords {
  readonly source: string;
  readonly records: readonly object[];
}

export async function ingestRecords(
  connection: Connection,
  { source, records }: SentRecords,
  options: IngestOptions = {},
): Promise<IngestCounts> {
  const wait = waitOptionsOf(connection, options);
  const { idempotencyKey } = options;
  const request: HttpRequest = {
    action: `ingest into "${source}"`,
    path: "/ingest",
    body: encodeJson({
      workspace_name: connection.workspace,
      dry_run: false,
      records: { [source]: records.map((record) => ({ record })) },
    }),
    ...(idempotencyKey !== undefined && { headers: { "idempotency-key": idempotencyKey } }),
    // A request whose answer got lost may have been taken in: only its name makes it the same one.
    repeatable: idempotencyKey !== undefined,
  };
  return readCounts(await sendAlone(connection, request, wait), source, request.action);
}

function sendAlone(
  { sender }: Connection,
  request: HttpRequest,
  wait: WaitOptions,
): Promise<HttpAnswer> {
  const abort = new AbortController();
  const endsAtMs = sender.clock.now() + wait.deadlineMs;
  const waiting = waitForAnswer<HttpAnswer>(sender.clock, wait, (reason) => abort.abort(reason));
  const patience = { signal: abort.signal, endsAtMs: () => endsAtMs };
  void sendRequest(sender, request, patience).then(waiting.resolve, waiting.reject);
  return waiting.promise;
}

interface WireCounts {
  readonly dataSourceName: string;
  readonly offlineRecordIngestCount: string;
  readonly duplicateRecordCount?: string;
  readonly conflictingRecordCount?: string;
  readonly filteredRecordCount?: string;
}

interface WireAnswer {
  readonly ingestMetrics?: { readonly dataSourceIngestMetrics?: readonly WireCounts[] };
}

/** Counts are texts; those left out are 0. */
function readCounts({ body }: HttpAnswer, source: string, action: string): IngestCounts {
  const { ingestMetrics } = (body ?? {}) as WireAnswer;
  const counts = ingestMetrics?.dataSourceIngestMetrics?.find(
    ({ dataSourceName }) => dataSourceName === source,
  );
  if (counts === undefined) throw invalidAnswer(action, 200);
  return {
    acceptedCount: Number(counts.offlineRecordIngestCount),
    duplicateCount: Number(counts.duplicateRecordCount ?? 0),
    conflictCount: Number(counts.conflictingRecordCount ?? 0),
    filteredCount: Number(counts.filteredRecordCount ?? 0),
  };
}
