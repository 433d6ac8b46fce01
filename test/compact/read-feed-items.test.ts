import { expect, test } from "vitest";
import { coverOf, readsOf } from "../../src/compact/fold-view.ts";
import { EntityFold } from "../../src/compact/fold-entity.ts";
import type { PlacedEntry } from "../../src/compact/publish-feed.ts";
import { readFeedItems } from "../../src/compact/read-feed-items.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { writeBatchRecord } from "../../src/tile/batch-record.ts";
import { batchKey } from "../../src/tile/keys.ts";
import { idView } from "../builders/id-view.ts";

const nowMs = Date.UTC(2026, 5, 1);
const view = idView({
  windowing: "sliding",
  intervalMs: 60_000,
  windows: [{ sizeMs: null, offsetMs: 0 }],
  horizonMs: 3_600_000,
});

function recordOf(cut: number): Uint8Array {
  const run = { cut, sealedAtMs: nowMs, watermarkMs: nowMs };
  const partial = new EntityFold(view, coverOf(view, run)).finish(readsOf(view, run).earliestMs);
  return writeBatchRecord({ ...run, eventCount: 0 }, partial, view);
}

function publishEntry(seq: number, cut: number, entities: readonly string[]): PlacedEntry {
  const { fingerprint } = view;
  const collected = { collectedCut: -1, collectedWatermarkMs: -Infinity };
  return { seq, entry: { kind: "publish", fingerprint, fence: 1, cut, ...collected, entities } };
}

const finishEntry: PlacedEntry = {
  seq: 3,
  entry: { kind: "finish", fingerprint: view.fingerprint, fence: 1, cut: 5 },
};

async function seqsOf(cuts: Readonly<Record<string, number>>, deleted: readonly string[] = []) {
  const store = new MemoryStore();
  await store.write(
    Object.entries(cuts).map(([entity, cut]) => ({
      key: batchKey(view, entity),
      bytes: recordOf(cut),
    })),
  );
  const isDeleted = (entity: string) => Promise.resolve(deleted.includes(entity));
  const placed = [publishEntry(1, 5, ["a"]), publishEntry(2, 5, ["b", "c"]), finishEntry];
  const items = await readFeedItems({ store, view, isDeleted }, placed);
  return items.map(({ seq, records }) => [seq, records.map(({ entity }) => entity)]);
}

test("readFeedItems() gives entries with the records that they name, as new or newer", async () => {
  const all = [
    [1, ["a"]],
    [2, ["b", "c"]],
    [3, []],
  ];
  expect(await seqsOf({ a: 5, b: 5, c: 6 })).toEqual(all);
});

test("readFeedItems() stops before an entry whose copies are old, or not there yet", async () => {
  expect(await seqsOf({ a: 5, b: 5, c: 4 })).toEqual([[1, ["a"]]]);
  expect(await seqsOf({ a: 5, c: 5 })).toEqual([[1, ["a"]]]);
  expect(await seqsOf({ b: 5, c: 5 })).toEqual([]);
});

test("readFeedItems() goes on past a record that is gone with its entity", async () => {
  expect(await seqsOf({ a: 5, c: 5 }, ["b"])).toEqual([
    [1, ["a"]],
    [2, ["c"]],
    [3, []],
  ]);
});
