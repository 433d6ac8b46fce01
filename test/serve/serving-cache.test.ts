import { expect, test } from "vitest";
import { count, entity, streamSource, streamView } from "../../src/index.ts";
import { takeCached } from "../../src/serve/cached-reads.ts";
import { ServingCache } from "../../src/serve/serving-cache.ts";
import { readViews } from "../../src/serve/read-views.ts";
import type { FeatureAnswer, ViewAnswer } from "../../src/serve/view-answer.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { regionKey } from "../../src/tile/keys.ts";
import { writeRegionRecord } from "../../src/tile/region-record.ts";

const user = entity("user", { user_id: "string" });
const events = streamSource("events", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string" },
});
const view = streamView("kept", {
  entities: [user],
  source: events,
  windowing: "continuous",
  features: { id: [count("1h")] },
  compaction: { every: "1d" },
  cache: { maxAge: "60s" },
});

const present: FeatureAnswer = {
  value: 1,
  status: "PRESENT",
  effectiveTimeMs: 0,
  degraded: null,
  fault: null,
};

function answerOf(feature: Partial<FeatureAnswer> = {}, more: Partial<ViewAnswer> = {}) {
  const seen = { cut: -1, positions: new Map<string, number>() };
  const features = [{ ...present, ...feature }];
  return { view, features, waitingCount: null, seen, staleness: null, ...more };
}

const atHome = { freshUntilMs: Infinity, tombstones: ["gone/u"] };

/** Of a user, by a request at an instant. */
function keep(cache: ServingCache, answer: ViewAnswer, { entity = "u", nowMs = 1_000 } = {}): void {
  cache.keep(cache.ticket({ view, entity }), { answer, nowMs, ...atHome });
}

test("ServingCache keeps no more entries than it may, and lets the least recently used go", () => {
  const cache = new ServingCache({ entriesMax: 2, bytesMax: 1e6 });
  for (const entity of ["a", "b"]) keep(cache, answerOf(), { entity });
  expect(cache.take({ view, entity: "a" }, 1_000)).not.toBeNull();
  keep(cache, answerOf(), { entity: "c" });
  const found = ["a", "b", "c"].map((entity) => cache.take({ view, entity }, 1_000) !== null);
  expect(found).toEqual([true, false, true]);
  expect(cache.counts()).toMatchObject({ hits: 3, misses: 1, evictions: 1, entries: 2 });
});

test("ServingCache keeps no more bytes than it may, whatever is put in its place", () => {
  const cache = new ServingCache({ entriesMax: 1_000, bytesMax: 10_000 });
  for (let i = 0; i < 500; i++) {
    const value = Array.from({ length: i % 40 }, () => "text");
    keep(cache, answerOf({ value }), { entity: `e${i % 90}`, nowMs: 1_000 + i });
    expect(cache.counts().sizeBytes).toBeLessThanOrEqual(10_000);
  }
  expect(cache.counts().evictions).toBeGreaterThan(100);
  keep(cache, answerOf({ value: "x".repeat(6_000) }), { entity: "large", nowMs: 2_000 });
  expect(cache.take({ view, entity: "large" }, 2_000)).toBeNull();
  cache.forget("gone/u");
  expect(cache.counts()).toMatchObject({ entries: 0, sizeBytes: 0 });
});

const fault = { code: "GAP", message: "why" } as const;
const staleness = { asOfMs: 0, reason: "why" };
const poor: readonly [what: string, answer: ViewAnswer][] = [
  ["with a fault", answerOf({ status: "UNKNOWN", value: null, fault })],
  ["that timed out", answerOf({ status: "TIME_OUT", value: null })],
  ["over rounded windows", answerOf({ degraded: { startMs: 0, endMs: 1 } })],
  ["that is stale", answerOf({}, { staleness })],
  ["of nobody", answerOf({}, { seen: null })],
];

test.each(poor)("ServingCache does not keep an answer %s", (_, answer) => {
  const cache = new ServingCache();
  keep(cache, answer);
  expect(cache.counts().entries).toBe(0);
});

test("ServingCache gives nothing to a request from before it was read, and nothing past its age", () => {
  const cache = new ServingCache();
  keep(cache, answerOf(), { nowMs: 1_000 });
  const isThere = (nowMs: number) => cache.take({ view, entity: "u" }, nowMs) !== null;
  expect([999, 1_000, 61_000].map(isThere)).toEqual([false, true, true]);
  expect([61_001, 1_000].map(isThere)).toEqual([false, false]);
});

test("ServingCache keeps nothing whose read began before a deletion or a newer cut", () => {
  const cache = new ServingCache();
  const ticket = cache.ticket({ view, entity: "u" });
  cache.forget("gone/someone");
  cache.keep(ticket, { answer: answerOf(), nowMs: 1_000, ...atHome });
  expect(cache.counts().entries).toBe(0);
  const before = cache.ticket({ view, entity: "u" });
  cache.meet(view, 3);
  cache.keep(before, { answer: answerOf(), nowMs: 1_000, ...atHome });
  expect(cache.counts().entries).toBe(0);
  keep(cache, answerOf({}, { seen: { cut: 2, positions: new Map() } }));
  expect(cache.counts().entries).toBe(0);
  keep(cache, answerOf());
  expect(cache.counts().entries).toBe(1);
});

test("ServingCache keeps the newer of two answers, whichever read ends last", () => {
  const cache = new ServingCache();
  keep(cache, answerOf({ value: 2 }), { nowMs: 2_000 });
  keep(cache, answerOf({ value: 1 }), { nowMs: 1_000 });
  expect(cache.take({ view, entity: "u" }, 2_000)?.features[0]?.value).toBe(2);
});

test("readViews() of a region reads again as soon as what was kept would have to be called stale", async () => {
  const store = new MemoryStore();
  const region = (asOfMs: number) =>
    writeRegionRecord({
      asOfMs,
      holeAtMs: 0,
      shards: new Map(),
      feeds: new Map([[view.fingerprint, { seq: 0, floor: -1, cut: -1, writtenAtMs: 0 }]]),
    });
  await store.write([{ key: regionKey, bytes: region(10_000) }]);
  const progress = { progress: store, staleAfterMs: 15_000 };
  const homes = { batch: store, streams: [store], region: progress };
  const cache = { cache: new ServingCache(), read: true, write: true };
  const askAt = async (nowMs: number) => {
    const { answers, cost } = await readViews(homes, [{ view, entity: "u" }], { nowMs, cache });
    const { staleness: old, features } = answers[0] as ViewAnswer;
    return [features[0]?.status, old?.asOfMs ?? null, cost.storeCalls];
  };
  expect(await askAt(20_000)).toEqual(["MISSING_DATA", null, 1]);
  expect(await askAt(25_000)).toEqual(["CACHED_MISSING_DATA", null, 0]);
  expect(await askAt(25_001)).toEqual(["MISSING_DATA", 10_000, 1]);
  // What is stale is not kept.
  expect(await askAt(25_002)).toEqual(["MISSING_DATA", 10_000, 1]);
});

test("takeCached() asks for nothing of views without a cache, and of requests that keep off it", () => {
  const cache = new ServingCache();
  keep(cache, answerOf());
  const plain = { ...view, cacheMaxAgeMs: null };
  const reads = [
    { view: plain, entity: "u" },
    { view, entity: null },
    { view, entity: "u" },
  ];
  const use = { cache, read: false, write: true };
  const taken = takeCached(reads, 1_000, use);
  expect(taken.map(({ answer, ticket }) => [answer !== null, ticket !== null])).toEqual([
    [false, false],
    [false, false],
    [false, true],
  ]);
  expect(cache.counts()).toMatchObject({ hits: 0, misses: 0 });
});
