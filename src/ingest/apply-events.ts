/**
 * Folds events of the log into stream records. Idempotent: a record keeps, for each log shard, the
 * place of the last event applied, so a repeat changes nothing, whoever repeats it.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { OnlineStore, StoreWrite, StoredValue } from "../store/online-store.ts";
import type { ApplyContext, PlacedEvent } from "../store/stream-home.ts";
import { streamKey, tombstoneKeys } from "../tile/keys.ts";
import { emptyStreamRecord, readStreamRecord, writeStreamRecord } from "../tile/stream-record.ts";
import type { StreamRecord } from "../tile/stream-record.ts";
import { collectRecord, collectWhole } from "./collect-record.ts";
import { foldEpochs } from "./fold-epochs.ts";

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
  const tombstones = batch.map(({ view, entity }) => tombstoneKeys(view, entity));
  const distinct = [...new Set(tombstones.flat())];
  const stored = await store.readMany([...keys, ...distinct]);
  const found = new Set(distinct.filter((_, i) => stored[keys.length + i] !== null));
  const bytesMax = Math.min(limits.streamRecordBytesMax, store.capabilities.valueBytesMax);
  const writes: (StoreWrite & { readonly record: ViewRecordEvents })[] = [];
  batch.forEach((record, i) => {
    // Of a deleted entity nothing is kept.
    if (tombstones[i]?.some((tombstone) => found.has(tombstone)) === true) return;
    const before = stored[i] ?? null;
    const bytes = foldRecord(before, record, { ...context, bytesMax });
    if (bytes === null) return;
    const expectedVersion = before?.version ?? null;
    writes.push({ key: keys[i] as string, bytes, expectedVersion, record });
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
  const read = stored === null ? emptyStreamRecord : readStreamRecord(stored.bytes, view);
  const position = read.positions.get(context.shard) ?? 0;
  const lastSeq = events.at(-1)?.seq ?? 0;
  if (lastSeq <= position) return null;
  const before = raiseFloor(read, view, context);
  const news = events.filter(({ seq }) => seq > position);
  const positions = new Map(before.positions).set(context.shard, lastSeq);
  const record = { ...before, positions, epochs: foldEpochs(before, news, { view, context }) };
  const bytes = writeStreamRecord(record, view);
  if (bytes.length <= context.bytesMax) return bytes;
  // Too large to keep, and no reason to hold up the log, which has the events. They count as
  // collected: a gap, and never a number, until a compaction covers them.
  return writeStreamRecord(collectWhole(record, view), view);
}

/** A view that came to a log with events lacks those: a gap, until a compaction covers them. */
function raiseFloor(
  record: StreamRecord,
  view: ViewDefinition,
  { viewFloors, nowMs }: ApplyContext,
): StreamRecord {
  const floor = viewFloors.get(view.fingerprint) ?? -1;
  if (floor <= record.collectedEpoch) return record;
  return collectRecord(record, view, { cut: floor, watermarkMs: nowMs });
}
