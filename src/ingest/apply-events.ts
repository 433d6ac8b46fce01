/**
 * Folds events of the log into stream records. Idempotent: a record keeps, for each log shard, the
 * place of the last event applied, so a repeat changes nothing, whoever repeats it.
 */

import { FeatureError } from "../core/errors.ts";
import { groupBy } from "../core/group-by.ts";
import { limits } from "../core/limits.ts";
import { streamKey } from "../tile/keys.ts";
import { emptyStreamRecord, readStreamRecord, writeStreamRecord } from "../tile/stream-record.ts";
import type { EpochPartial, StreamRecord } from "../tile/stream-record.ts";
import type { RawEvent } from "../tile/partial.ts";
import { retile } from "../tile/tiling.ts";
import { planCover } from "../window/cover.ts";
import type { OnlineStore, StoredValue } from "../store/online-store.ts";
import type { ApplyContext, PlacedEvent } from "../store/stream-home.ts";
import type { ViewDefinition } from "../define/definition.ts";

/** The events for one record of a view. */
interface ViewRecordEvents {
  readonly view: ViewDefinition;
  readonly entity: string;
  readonly events: readonly PlacedEvent[];
}

/** Applies events to records of a store with compare-and-set; resolves when all are written. */
export async function applyEvents(
  store: OnlineStore,
  batch: readonly ViewRecordEvents[],
  context: ApplyContext,
): Promise<void> {
  let pending = batch;
  for (let attempt = 0; pending.length > 0; attempt++) {
    if (attempt === limits.applyAttemptsMax) {
      throw new FeatureError(
        "STORE_UNAVAILABLE",
        `Cannot apply events: ${pending.length} records changed under each of ${attempt} attempts`,
        { retryable: true },
      );
    }
    pending = await applyOnce(store, pending, context);
  }
}

/** The records whose guard did not hold. */
async function applyOnce(
  store: OnlineStore,
  batch: readonly ViewRecordEvents[],
  context: ApplyContext,
): Promise<readonly ViewRecordEvents[]> {
  const keys = batch.map(({ view, entity }) => streamKey(view, entity));
  const stored = await store.readMany(keys);
  const bytesMax = Math.min(limits.streamRecordBytesMax, store.capabilities.valueBytesMax);
  const writes = batch.flatMap((record, i) => {
    const before = stored[i] ?? null;
    const bytes = foldRecord(before, record, { ...context, bytesMax });
    if (bytes === null) return [];
    return [{ key: keys[i] as string, bytes, expectedVersion: before?.version ?? null, record }];
  });
  const applied = await store.write(writes);
  return writes.filter((_, i) => applied[i] !== true).map(({ record }) => record);
}

/** The record's new bytes; null where all its events had been applied before. */
function foldRecord(
  stored: StoredValue | null,
  { view, events }: ViewRecordEvents,
  context: ApplyContext & { readonly bytesMax: number },
): Uint8Array | null {
  const before = stored === null ? emptyStreamRecord : readStreamRecord(stored.bytes, view);
  const position = before.positions.get(context.shard) ?? 0;
  const news = events.filter(({ seq, epoch }) => seq > position && epoch > before.collectedEpoch);
  const lastSeq = events.at(-1)?.seq ?? 0;
  if (lastSeq <= position) return null;
  const positions = new Map(before.positions).set(context.shard, lastSeq);
  const epochs = foldEpochs(before, news, { view, context });
  const record = { collectedEpoch: before.collectedEpoch, positions, epochs };
  const bytes = writeStreamRecord(record, view);
  if (bytes.length <= context.bytesMax) return bytes;
  // Too large to keep, and no reason to hold up the log, which has the events. They count as
  // collected: a gap, and never a number, until a compaction covers their epochs.
  const collectedEpoch = Math.max(before.collectedEpoch, ...epochs.map(({ epoch }) => epoch));
  return writeStreamRecord({ collectedEpoch, positions, epochs: [] }, view);
}

function foldEpochs(
  before: StreamRecord,
  news: readonly PlacedEvent[],
  { view, context }: { readonly view: ViewDefinition; readonly context: ApplyContext },
): EpochPartial[] {
  const partials = new Map(before.epochs.map((partial) => [partial.epoch, partial]));
  const eventsByEpoch = groupBy(news, ({ epoch }) => epoch);
  for (const epoch of new Set([...partials.keys(), ...eventsByEpoch.keys()])) {
    const partial = partials.get(epoch);
    const startedAtMs = partial?.startedAtMs ?? startOf(epoch, context);
    const events = (eventsByEpoch.get(epoch) ?? []).map(({ event }) => event);
    partials.set(epoch, foldEpoch(partial, events, { epoch, startedAtMs, view, context }));
  }
  return [...partials.values()].sort((a, b) => a.epoch - b.epoch);
}

function foldEpoch(
  before: EpochPartial | undefined,
  events: readonly RawEvent[],
  place: {
    readonly epoch: number;
    readonly startedAtMs: number;
    readonly view: ViewDefinition;
    readonly context: ApplyContext;
  },
): EpochPartial {
  const { epoch, startedAtMs, view, context } = place;
  const earliestMs = Math.max(
    before?.partial.earliestMs ?? -Infinity,
    context.nowMs - limits.clockErrorMsMax,
  );
  const cover = planCover(
    view,
    view.features.map(({ window }) => window),
    {
      earliestMs,
      latestMs: startedAtMs + view.horizonMs,
      overtimeMs: view.horizonMs,
      behind: true,
    },
  );
  // Nothing is dropped here: a late reader of an old batch copy may round its edges down this far.
  const partial = retile(before?.partial ?? null, events, {
    cover: { ...cover, keepFromMs: -Infinity },
    earliestMs,
    layout: view,
  });
  return { epoch, startedAtMs, partial };
}

function startOf(epoch: number, context: ApplyContext): number {
  const found = context.epochs.find((candidate) => candidate.epoch === epoch);
  if (found === undefined) {
    throw new FeatureError(
      "INTERNAL",
      `Cannot apply events: epoch ${epoch} is unknown to log shard "${context.shard}"`,
    );
  }
  return found.startedAtMs;
}
