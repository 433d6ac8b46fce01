/** Removes from stream records what every batch record that a request can meet has covered. */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { streamKey } from "../tile/keys.ts";
import { collectRecord } from "./collect-record.ts";
import type { Covered } from "./collect-record.ts";
import { readStreamRecord, writeStreamRecord } from "../tile/stream-record.ts";
import type { OnlineStore, StoreWrite } from "../store/online-store.ts";
import type { ViewDefinition } from "../define/definition.ts";

/** Idempotent. A record without events keeps its header: `collectedEpoch` must outlast them. */
export async function collectEpochs(
  store: OnlineStore,
  view: ViewDefinition,
  { entities, ...covered }: Covered & { readonly entities: readonly string[] },
): Promise<void> {
  let pending = entities.map((entity) => streamKey(view, entity));
  for (let attempt = 0; pending.length > 0; attempt++) {
    if (attempt === limits.applyAttemptsMax) {
      throw new FeatureError(
        "STORE_UNAVAILABLE",
        `Cannot collect view "${view.name}": ${pending.length} records changed under each of ${attempt} attempts`,
        { retryable: true },
      );
    }
    const writes = await collectedRecords(store, view, { keys: pending, covered });
    const applied = await store.write(writes);
    pending = writes.filter((_, i) => applied[i] !== true).map(({ key }) => key);
  }
}

async function collectedRecords(
  store: OnlineStore,
  view: ViewDefinition,
  { keys, covered }: { readonly keys: readonly string[]; readonly covered: Covered },
): Promise<StoreWrite[]> {
  const stored = await store.readMany(keys);
  const writes: StoreWrite[] = [];
  stored.forEach((value, i) => {
    if (value === null) return;
    const record = readStreamRecord(value.bytes, view);
    const collected = collectRecord(record, view, covered);
    if (collected === record) return;
    writes.push({
      key: keys[i] as string,
      bytes: writeStreamRecord(collected, view),
      expectedVersion: value.version,
    });
  });
  return writes;
}
