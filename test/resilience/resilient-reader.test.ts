import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import type { RecordReader } from "../../src/store/online-store.ts";
import { RecordCache } from "../../src/store/resilient/record-cache.ts";
import type { ReaderEvent } from "../../src/store/resilient/reader-event.ts";
import { resilientReader } from "../../src/store/resilient/resilient-reader.ts";
import type { ResilienceOptions } from "../../src/store/resilient/resilience-options.ts";
import { ManualClock } from "../builders/manual-clock.ts";
import { ModelReader, ModelStore, textOf } from "./model-store.ts";
import type { ModelBehaviour } from "./model-store.ts";
import { playRead } from "./play-read.ts";
import type { PlayedRead } from "./play-read.ts";

const fast: ModelBehaviour = { kind: "answers", latencyMs: 4 };
const slow: ModelBehaviour = { kind: "answers", latencyMs: 200 };
const failing: ModelBehaviour = { kind: "fails", latencyMs: 4 };
const refusing: ModelBehaviour = { kind: "refuses", latencyMs: 4 };
const hanging: ModelBehaviour = { kind: "hangs" };
const startMs = 1_000_000;

interface CaseParts {
  readonly primary: ModelBehaviour;
  readonly replica?: ModelBehaviour;
  readonly cache?: RecordCache;
  readonly options?: Partial<ResilienceOptions>;
}

function createCase({ primary, replica, cache, options }: CaseParts) {
  const clock = new ManualClock(startMs);
  const store = new ModelStore();
  store.write("a", 0);
  const behaviours = { primary, replica: replica ?? hanging };
  const primaryReader = new ModelReader({ store, clock, behave: () => behaviours.primary });
  const replicaReader = new ModelReader({ store, clock, behave: () => behaviours.replica });
  const events: string[] = [];
  const reader = resilientReader(
    {
      primary: primaryReader,
      ...(replica && { replica: { reader: replicaReader, stalenessMsMax: 5_000 } }),
      ...(cache && { cache }),
      clock,
      random: () => 0.5,
      onEvent: ({ kind, source }: ReaderEvent) => events.push(`${kind} ${source}`),
    },
    options,
  );
  const read = async (keys: readonly string[] = ["a"], goneAfterMs = Infinity) => {
    const played = playRead(reader, { clock, keys, deadlineMs: 2_000, goneAfterMs });
    await clock.advance(2_000);
    expect(clock.pendingCount).toBe(0);
    expect([primaryReader.aliveCount, replicaReader.aliveCount]).toEqual([0, 0]);
    const result = await played;
    expect(result.listenerCount).toBe(0);
    return result;
  };
  return { clock, store, behaviours, primaryReader, replicaReader, reader, events, read };
}

function tookMs(read: PlayedRead): number {
  return read.endMs - read.startMs;
}

interface SingleRead extends CaseParts {
  readonly name: string;
  readonly tookMs: number;
  /** Null: STORE_UNAVAILABLE. */
  readonly answered: "now" | "replica" | null;
  readonly events: readonly string[];
}

const singleReads: readonly SingleRead[] = [
  {
    name: "asks the primary alone where it answers in time",
    primary: fast,
    replica: fast,
    tookMs: 4,
    answered: "now",
    events: ["attempt primary"],
  },
  {
    name: "hedges a slow primary with the replica",
    primary: slow,
    replica: fast,
    tookMs: 44,
    answered: "replica",
    events: ["attempt primary", "attempt replica", "hedge replica", "stale replica"],
  },
  {
    name: "takes the primary's answer where the hedge is slower still",
    primary: slow,
    replica: hanging,
    tookMs: 200,
    answered: "now",
    events: ["attempt primary", "attempt replica", "hedge replica"],
  },
  {
    name: "takes the primary's answer where the hedge fails",
    primary: slow,
    replica: failing,
    tookMs: 200,
    answered: "now",
    events: ["attempt primary", "attempt replica", "hedge replica"],
  },
  {
    name: "hedges a slow primary with itself where there is no replica",
    primary: slow,
    tookMs: 200,
    answered: "now",
    events: ["attempt primary", "attempt primary", "hedge primary"],
  },
  {
    name: "goes over to the replica at once where the primary fails",
    primary: failing,
    replica: fast,
    tookMs: 8,
    answered: "replica",
    events: ["attempt primary", "attempt replica", "failover replica", "stale replica"],
  },
  {
    name: "goes over to the replica without a budget when the primary's time is over",
    primary: hanging,
    replica: fast,
    options: { hedgeShareMax: 0, retryShareMax: 0 },
    tookMs: 504,
    answered: "replica",
    events: ["attempt primary", "attempt replica", "failover replica", "stale replica"],
  },
  {
    name: "goes over to the replica where the primary fails for good",
    primary: refusing,
    replica: fast,
    tookMs: 8,
    answered: "replica",
    events: ["attempt primary", "attempt replica", "failover replica", "stale replica"],
  },
  {
    name: "tries a failing primary once more after a random pause where there is no replica",
    primary: failing,
    tookMs: 4 + 25 + 4,
    answered: null,
    events: ["attempt primary", "attempt primary", "retry primary"],
  },
  {
    name: "does not try again what cannot succeed",
    primary: refusing,
    tookMs: 4,
    answered: null,
    events: ["attempt primary"],
  },
  {
    name: "does not try again without a budget",
    primary: failing,
    options: { retryShareMax: 0 },
    tookMs: 4,
    answered: null,
    events: ["attempt primary"],
  },
  {
    name: "makes no third attempt where both fail",
    primary: failing,
    replica: failing,
    tookMs: 8,
    answered: null,
    events: ["attempt primary", "attempt replica", "failover replica"],
  },
  {
    name: "gives up when both attempts have had their time",
    primary: hanging,
    replica: { kind: "ignores" },
    tookMs: 540,
    answered: null,
    events: ["attempt primary", "attempt replica", "hedge replica"],
  },
];

test.each(singleReads)("resilientReader() $name", async (row) => {
  const { store, events, read } = createCase(row);
  const result = await read();
  expect(tookMs(result)).toBe(row.tookMs);
  expect(events).toEqual(row.events);
  if (row.answered === null) {
    expect(result.error).toMatchObject({ code: "STORE_UNAVAILABLE" });
    return;
  }
  expect(result.values?.map(textOf)).toEqual([textOf(store.valueAt("a", startMs))]);
  if (row.answered === "now") expect(result.staleness).toBeNull();
  else expect(startMs - (result.staleness?.asOfMs ?? 0)).toBeGreaterThan(5_000 - row.tookMs);
});

test("resilientReader() says as of when a replica answers: when it was asked, less its bound", async () => {
  const { read } = createCase({ primary: failing, replica: fast });
  expect((await read()).staleness).toEqual({
    asOfMs: startMs + 4 - 5_000,
    reason: "A replica answered, which may be behind by up to 5000 ms",
  });
});

test("resilientReader() does not ask a primary that fails in a row, and asks it again later", async () => {
  const { behaviours, primaryReader, clock, events, read } = createCase({
    primary: failing,
    options: { retryShareMax: 0, openMs: 30_000 },
  });
  for (let i = 0; i < 5; i++) await read();
  const refused = await read();
  expect(tookMs(refused)).toBe(0);
  expect(refused.error).toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  expect(primaryReader.callCount).toBe(5);
  expect(events.slice(-2)).toEqual(["attempt primary", "open primary"]);
  behaviours.primary = fast;
  await clock.advance(30_000);
  expect((await read()).values).toHaveLength(1);
  expect(events.slice(-3)).toEqual(["halfOpen primary", "attempt primary", "close primary"]);
});

test("resilientReader() asks the replica first while the primary is left alone", async () => {
  const { primaryReader, replicaReader, read } = createCase({
    primary: failing,
    replica: fast,
    options: { openMs: 30_000 },
  });
  for (let i = 0; i < 5; i++) await read();
  expect(tookMs(await read())).toBe(4);
  expect([primaryReader.callCount, replicaReader.callCount]).toEqual([5, 6]);
});

test("resilientReader() answers from the cache where nothing else does, absences as well", async () => {
  const { behaviours, clock, store, events, read } = createCase({
    primary: fast,
    cache: new RecordCache({ bytesMax: 10_000, ageMsMax: 60_000 }),
  });
  const before = textOf(store.valueAt("a", startMs));
  await read(["a"]);
  await read(["b"]);
  store.write("a", clock.now());
  store.write("b", clock.now());
  behaviours.primary = refusing;
  const both = await read(["b", "a"]);
  expect(both.values?.map(textOf)).toEqual([null, before]);
  expect(both.staleness).toEqual({
    asOfMs: startMs,
    reason: "No store answered; this is what a cache held",
  });
  expect((await read(["b"])).staleness?.asOfMs).toBe(startMs + 2_000);
  expect(events.at(-1)).toBe("stale cache");
  expect((await read(["a", "c"])).error).toMatchObject({ code: "STORE_UNAVAILABLE" });
  await clock.advance(60_000);
  expect((await read(["a"])).error).toMatchObject({ code: "STORE_UNAVAILABLE" });
});

test("resilientReader() says the true age of what the cache has from a replica", async () => {
  const { behaviours, read } = createCase({
    primary: refusing,
    replica: fast,
    cache: new RecordCache({ bytesMax: 10_000, ageMsMax: 60_000 }),
  });
  await read();
  behaviours.replica = refusing;
  expect((await read()).staleness?.asOfMs).toBe(startMs + 4 - 5_000);
});

test("resilientReader() ends an aborted read at once, with the cache where that has everything", async () => {
  const cache = new RecordCache({ bytesMax: 10_000, ageMsMax: 60_000 });
  const { behaviours, primaryReader, reader, read } = createCase({ primary: fast, cache });
  await read(["a"]);
  behaviours.primary = { kind: "ignores" };
  const known = await read(["a"], 10);
  expect([tookMs(known), known.staleness?.asOfMs]).toEqual([10, startMs]);
  const unknown = await read(["b"], 10);
  expect([tookMs(unknown), unknown.values]).toEqual([10, null]);
  expect(unknown.error).toMatchObject({ code: "STORE_UNAVAILABLE" });

  const calls = primaryReader.callCount;
  const gone = reader.readMany(["b"], { signal: AbortSignal.abort("gone") });
  await expect(gone).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", cause: "gone" });
  expect(primaryReader.callCount).toBe(calls);
});

test("resilientReader() takes a client that goes away for no failure, and asks nobody else for it", async () => {
  const { behaviours, events, read } = createCase({ primary: hanging, replica: fast });
  for (let i = 0; i < 6; i++) expect((await read(["a"], 10)).values).toBeNull();
  behaviours.primary = fast;
  expect((await read()).staleness).toBeNull();
  expect(events).toEqual(Array.from({ length: 7 }, () => "attempt primary"));
});

const mistakes: readonly [string, Error][] = [
  ["a mistake in code", new TypeError("no such method")],
  ["an error with another code", new FeatureError("TOO_LARGE", "Cannot read: too much")],
];

test.each(mistakes)(
  "resilientReader() hides %s neither elsewhere nor behind the cache",
  async (...row) => {
    const [, mistake] = row;
    const clock = new ManualClock(startMs);
    const cache = new RecordCache();
    cache.keep("a", null, startMs);
    const events: ReaderEvent[] = [];
    const primary: RecordReader = {
      capabilities: { keysPerTripMax: 1 },
      readMany: () => Promise.reject(mistake),
    };
    const parts = {
      primary,
      cache,
      clock,
      random: () => 0,
      onEvent: (e: ReaderEvent) => events.push(e),
    };
    const reader = resilientReader(parts, { failuresInRowMax: 1 });
    await expect(reader.readMany(["a"])).rejects.toBe(mistake);
    await expect(reader.readMany(["a"])).rejects.toBe(mistake);
    expect(events.map(({ kind }) => kind)).toEqual(["attempt", "attempt"]);
    expect(clock.pendingCount).toBe(0);
  },
);

test("resilientReader() passes on what the reader beneath it says of its age", async () => {
  const clock = new ManualClock(startMs);
  const primary: RecordReader = {
    capabilities: { keysPerTripMax: 7 },
    readMany: (keys, options) => {
      options?.onStale?.({ asOfMs: 20, reason: "newer" });
      options?.onStale?.({ asOfMs: 10, reason: "older" });
      return Promise.resolve(keys.map(() => null));
    },
  };
  const reader = resilientReader({ primary, clock, random: () => 0 });
  const { staleness } = await playRead(reader, { clock, keys: ["a"], deadlineMs: 2_000 });
  expect(staleness).toEqual({ asOfMs: 10, reason: "older" });
  expect(reader.capabilities.keysPerTripMax).toBe(7);
});

test("resilientReader() refuses a replica that may be behind by any time", () => {
  const clock = new ManualClock(startMs);
  const store = new ModelStore();
  const reader = new ModelReader({ store, clock, behave: () => fast });
  const replica = { reader, stalenessMsMax: Infinity };
  expect(() => resilientReader({ primary: reader, replica, clock, random: () => 0 })).toThrow(
    "says by how much",
  );
});
