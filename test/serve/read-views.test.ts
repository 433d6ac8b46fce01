import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { StoreStreamHome } from "../../src/ingest/store-stream-home.ts";
import { applyEvents } from "../../src/ingest/apply-events.ts";
import { EntityFold } from "../../src/compact/fold-entity.ts";
import { coverOf, readsOf } from "../../src/compact/fold-view.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import {
  count,
  entity,
  loadRepository,
  max,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import { readViews } from "../../src/serve/read-views.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";
import { writeBatchRecord } from "../../src/tile/batch-record.ts";
import { batchKey, shardOf, streamKey, tombstonePrefix } from "../../src/tile/keys.ts";
import { allFunctions } from "../builders/all-functions-view.ts";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 1);

const user = entity("user", { user_id: "string" });
const source = streamSource("spends", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amount: "float64" },
});
const windows = [
  ...[count("1h"), sum("1h"), max("1h")],
  ...[count("1d"), sum("1d"), max("1d")],
  ...[count("7d"), sum("7d"), max("7d")],
  ...[count("30d"), sum("30d"), max("30d")],
  ...[count("lifetime"), sum("lifetime"), max("lifetime")],
] as const;
const hot = streamView("hot", {
  entities: [user],
  source,
  windowing: "sliding",
  interval: "5m",
  features: { amount: windows },
  compaction: { every: "1d" },
});
const other = streamView("other", {
  entities: [user],
  source,
  windowing: "continuous",
  features: { amount: [sum("1h")] },
  compaction: { every: "1d" },
});
const repository = loadRepository({ hot, other, both: service("both", [hot, other]) });

/** A store that counts its calls, and the calls that wait for an answer at the same time. */
class CountingStore {
  readonly store = new MemoryStore();
  calls = 0;
  keys: string[] = [];
  readonly #gate: Promise<void>;

  constructor(gate: Promise<void>) {
    this.#gate = gate;
  }

  get online(): OnlineStore {
    return {
      capabilities: this.store.capabilities,
      write: (writes) => this.store.write(writes),
      readMany: async (keys) => {
        this.calls += 1;
        this.keys.push(...keys);
        // No call returns before all have begun: a read that waits for another never ends.
        await this.#gate;
        return this.store.readMany(keys);
      },
    };
  }
}

test("readViews() makes one parallel round of calls, each key read once", async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const batch = new CountingStore(gate);
  const streams = Array.from({ length: 3 }, () => new CountingStore(gate));
  const homes = {
    batch: batch.online,
    streams: streams.map(({ online }) => new StoreStreamHome(online, repository)),
  };
  const entities = ["a", "b", "c", "d", "e", "f", "a"];
  const reads = entities.flatMap((each) => [
    { view: hot, entity: each },
    { view: other, entity: each },
  ]);
  const reading = readViews(homes, reads, { nowMs });
  const begun = () => [batch, ...streams].reduce((sum, { calls }) => sum + calls, 0);
  const calls = begun();
  open();
  const { answers, cost } = await reading;
  expect(begun(), "no call came after the first answer").toBe(calls);
  expect(answers).toHaveLength(14);
  expect(batch.calls).toBe(1);
  expect(streams.every((stream) => stream.calls <= 1)).toBe(true);
  expect(cost.storeCalls).toBe(calls);
  const keys = [batch, ...streams].flatMap((store) => store.keys);
  expect(new Set(keys).size).toBe(keys.length);
  const isTombstone = (key: string) => key.startsWith(tombstonePrefix);
  expect(keys.filter((key) => !isTombstone(key))).toHaveLength(2 * 2 * 6);
  // One an entity, in the trip that its stream records take anyway.
  expect(keys.filter(isTombstone)).toHaveLength(6);
  expect(batch.keys.some(isTombstone)).toBe(false);
});

test("readViews() makes one call where batch and stream records are in the same store", async () => {
  const only = new CountingStore(Promise.resolve());
  const store = only.online;
  const reads = ["a", "b"].flatMap((each) => [
    { view: hot, entity: each },
    { view: other, entity: each },
  ]);
  const { cost } = await readViews({ batch: store, streams: [store] }, reads, { nowMs });
  expect(only.calls).toBe(1);
  expect(cost.storeCalls).toBe(1);
  expect(new Set(only.keys).size).toBe(only.keys.length);
  expect(only.keys).toHaveLength(2 * (2 * 2 + 1));
});

test("readViews() says how old the copies are that a home answers from, and of no other view", async () => {
  const store = new MemoryStore();
  const old = (asOfMs: number): OnlineStore => ({
    capabilities: store.capabilities,
    write: (writes) => store.write(writes),
    readMany: (keys, options) => {
      options?.onStale?.({ asOfMs, reason: `as of ${asOfMs}` });
      return store.readMany(keys, options);
    },
  });
  const entities = ["a", "b"];
  const reads = entities.map((each) => ({ view: hot, entity: each }));
  const shardsOfEntities = entities.map((each) => shardOf(each, 3));
  const stale = shardsOfEntities[0];
  expect(shardsOfEntities[1]).not.toBe(stale);
  const streams = [0, 1, 2].map((i) => (i === stale ? old(5) : store));
  const one = await readViews({ batch: store, streams }, reads, { nowMs });
  expect(one.answers.map(({ staleness }) => staleness?.asOfMs ?? null)).toEqual([5, null]);
  const both = await readViews({ batch: old(7), streams }, reads, { nowMs });
  expect(both.answers.map(({ staleness }) => staleness?.asOfMs ?? null)).toEqual([5, 7]);
});

test("readViews() rejects when a store fails, and does not take it for a missing key", async () => {
  const store = new MemoryStore();
  const broken: OnlineStore = {
    capabilities: store.capabilities,
    write: (writes) => store.write(writes),
    readMany: () => Promise.reject(new FeatureError("STORE_UNAVAILABLE", "Cannot read")),
  };
  const homes = { batch: broken, streams: [new StoreStreamHome(store, repository)] };
  await expect(readViews(homes, [{ view: hot, entity: "a" }], { nowMs })).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
  });
});

test.each(["batch", "stream"] as const)(
  "readViews() answers UNKNOWN for a corrupt %s record, and leaves other views alone",
  async (kind) => {
    const store = new MemoryStore();
    const key = kind === "batch" ? batchKey(hot, "a") : streamKey(hot, "a");
    await store.write([{ key, bytes: new Uint8Array([0x54, 0x4d, 1, 2, 3, 4, 5, 6, 7, 8]) }]);
    const homes = { batch: store, streams: [new StoreStreamHome(store, repository)] };
    const reads = [hot, other].map((view) => ({ view, entity: "a" }));
    const { answers } = await readViews(homes, reads, { nowMs });
    expect(answers[0]?.features[0]).toMatchObject({
      status: "UNKNOWN",
      value: null,
      fault: { code: "CORRUPT_RECORD" },
    });
    expect(answers[1]?.features[0]).toMatchObject({ status: "MISSING_DATA", fault: null });
  },
);

test("readViews() answers UNKNOWN for a record that another definition wrote", async () => {
  const store = new MemoryStore();
  const run = { cut: 0, sealedAtMs: nowMs, watermarkMs: nowMs };
  const partial = new EntityFold(allFunctions, coverOf(allFunctions, run)).finish(nowMs);
  const bytes = writeBatchRecord({ ...run, eventCount: 0 }, partial, allFunctions);
  await store.write([{ key: batchKey(hot, "a"), bytes }]);
  const homes = { batch: store, streams: [new StoreStreamHome(store, repository)] };
  const { answers } = await readViews(homes, [{ view: hot, entity: "a" }], { nowMs });
  expect(answers[0]?.features[0]?.fault).toEqual({
    code: "CORRUPT_RECORD",
    message: `Cannot read record: definition ${allFunctions.fingerprint} wrote it, expected ${hot.fingerprint}`,
  });
});

test("a key of a million events is read in at most 64 KiB just before the next daily compaction", async () => {
  const store = new MemoryStore();
  const eventCount = 1_000_000;
  const stepMs = (30 * dayMs) / eventCount;
  const cutMs = nowMs - dayMs + 60_000;
  await store.write([{ key: batchKey(hot, "a"), bytes: foldUntil(hot, { stepMs, cutMs }) }]);
  await streamSince({ store, stepMs, cutMs });
  const homes = { batch: store, streams: [new StoreStreamHome(store, repository)] };
  const { answers, cost } = await readViews(homes, [{ view: hot, entity: "a" }], { nowMs });
  const features = hot.features.map(({ name }, i) => [name, answers[0]?.features[i]?.value]);
  expect(Object.fromEntries(features)).toMatchObject({
    amount_count_1h_5m: Math.floor(3_600_000 / stepMs),
    amount_count_30d_5m: eventCount,
    amount_sum_lifetime_5m: eventCount * 1.25,
    amount_max_7d_5m: 1.25,
  });
  expect(answers[0]?.features.every(({ degraded }) => degraded === null)).toBe(true);
  // Base64, as Workers KV keeps the larger of the two records, is a third more.
  expect(cost.storeBytes * (4 / 3)).toBeLessThanOrEqual(64 * 1024);
}, 60_000);

interface Uniform {
  readonly stepMs: number;
  readonly cutMs: number;
}

/** The events of the thirty days before `nowMs` lie `stepMs` apart; those before the cut. */
function foldUntil(view: ViewDefinition, { stepMs, cutMs }: Uniform): Uint8Array {
  const run = { cut: 0, sealedAtMs: cutMs, watermarkMs: cutMs };
  const fold = new EntityFold(view, coverOf(view, run));
  for (let at = nowMs - 30 * dayMs; at < cutMs; at += stepMs) fold.add(Math.floor(at), "", [1.25]);
  const partial = fold.finish(readsOf(view, run).earliestMs);
  return writeBatchRecord({ ...run, eventCount: fold.eventCount }, partial, view);
}

/** The rest of them, applied a few hundred at a time, as they would have come. */
async function streamSince({
  store,
  stepMs,
  cutMs,
}: Uniform & { readonly store: OnlineStore }): Promise<void> {
  const startMs = nowMs - 30 * dayMs;
  const first = Math.ceil((cutMs - startMs) / stepMs);
  const total = Math.round((nowMs - startMs) / stepMs);
  for (let from = first; from < total; from += 500) {
    const events = Array.from({ length: Math.min(500, total - from) }, (_, i) => ({
      seq: from + i,
      epoch: 1,
      event: { timestampMs: Math.floor(startMs + (from + i) * stepMs), tie: "", values: [1.25] },
    }));
    const newestMs = events.at(-1)?.event.timestampMs ?? cutMs;
    await applyEvents(store, [{ view: hot, entity: "a", events }], {
      shard: "main-0",
      epochs: [{ epoch: 1, startedAtMs: cutMs, cutOf: null }],
      viewFloors: new Map(),
      nowMs: newestMs + 1,
    });
  }
}
