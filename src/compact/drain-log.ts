/** Moves the sealed rows of a log shard into the offline store: a segment a source and epoch. */

import { FeatureError } from "../core/errors.ts";
import type { SourceDefinition } from "../define/definition.ts";
import { readSourceEvent } from "../ingest/source-event-codec.ts";
import type { OfflineEvent, OfflineStore } from "../offline/offline-store.ts";
import type { LogRow } from "../store/event-log.ts";
import type { CompactionApi } from "./compaction-api.ts";

export interface DrainRequest {
  readonly shard: string;
  /** Every source that appends to the log. */
  readonly sources: readonly SourceDefinition[];
  /** The newest sealed epoch. */
  readonly cut: number;
}

/**
 * Resolves with the number of rows moved, all of them durable offline, and forgotten by the log.
 * The rows of a sealed epoch never change, so a segment put twice is the same segment.
 */
export async function drainLog(
  api: CompactionApi,
  offline: OfflineStore,
  request: DrainRequest,
): Promise<number> {
  let rowCount = 0;
  for (let epoch = await firstEpoch(api, request); epoch !== null;) {
    let isChecked = false;
    const place = { epoch, onEnd: () => (isChecked = true) };
    for (const source of request.sources) {
      const name = { source, shard: request.shard, epoch };
      if (await offline.hasSegment(name)) continue;
      const events = eventsOf(source, epochRows(api, request, place));
      await offline.putSegment(
        name,
        counted(events, (count) => (rowCount += count)),
      );
    }
    // All these segments may be there already, put by a run that knew more sources than this one.
    if (!isChecked) for await (const _page of epochRows(api, request, place));
    await api.trimLog({ shard: request.shard, epoch });
    epoch = await firstEpoch(api, request);
  }
  return rowCount;
}

async function firstEpoch(
  api: CompactionApi,
  { shard, cut }: DrainRequest,
): Promise<number | null> {
  const [first] = await api.readLog({ shard, afterSeq: 0, epochMax: cut });
  return first?.epoch ?? null;
}

/**
 * The rows of one epoch, which stand together in the log, page by page.
 * @throws FeatureError NOT_FOUND for a row of a source that is not among the request's: trimming the
 * log would lose it.
 */
async function* epochRows(
  api: CompactionApi,
  { shard, sources }: DrainRequest,
  { epoch, onEnd }: { readonly epoch: number; readonly onEnd: () => void },
): AsyncGenerator<readonly LogRow[]> {
  const known = new Set(sources.map(({ name }) => name));
  let afterSeq = 0;
  for (;;) {
    const page = await api.readLog({ shard, afterSeq, epochMax: epoch });
    const last = page.at(-1);
    if (last === undefined) return onEnd();
    const stranger = page.find(({ source }) => !known.has(source));
    if (stranger !== undefined) {
      throw new FeatureError(
        "NOT_FOUND",
        `Cannot drain log shard "${shard}": it holds events of source "${stranger.source}", which the feature repository does not define in this log, define it until they are drained`,
      );
    }
    yield page;
    afterSeq = last.seq;
  }
}

async function* counted(
  pages: AsyncIterable<readonly OfflineEvent[]>,
  count: (rows: number) => void,
): AsyncGenerator<readonly OfflineEvent[]> {
  for await (const page of pages) {
    count(page.length);
    yield page;
  }
}

async function* eventsOf(
  source: SourceDefinition,
  pages: AsyncIterable<readonly LogRow[]>,
): AsyncGenerator<readonly OfflineEvent[]> {
  for await (const page of pages) {
    const rows = page.filter((row) => row.source === source.name);
    if (rows.length === 0) continue;
    yield rows.map((row) => ({
      ...readSourceEvent(source, row),
      seq: row.seq,
      epoch: row.epoch,
      arrivedAtMs: row.arrivedAtMs,
    }));
  }
}
