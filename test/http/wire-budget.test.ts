import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { createApp } from "../../src/http/app.ts";
import { homeRoutes } from "../../src/http/home-routes.ts";
import { loadRepository, onDemandView, service } from "../../src/index.ts";
import type { ServingHomes } from "../../src/serve/named-reads.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { RecordReader, StoreReadOptions } from "../../src/store/online-store.ts";
import { RecordCache } from "../../src/store/resilient/record-cache.ts";
import { resilientReader } from "../../src/store/resilient/resilient-reader.ts";
import { batchKey, shardOf } from "../../src/tile/keys.ts";
import { buildTestApp } from "../builders/app.ts";
import { ManualClock } from "../builders/manual-clock.ts";
import { archived, pages, ratio, spend } from "./features.ts";

const route = "/api/v1/feature-service/get-features";
const batchRoute = `${route}-batch`;
const nowMs = Date.parse("2024-01-10T12:00:00Z");

/** Looks at nothing that is stored. */
const fixed = onDemandView("fixed", { output: { one: "int64" }, transform: () => ({ one: 1n }) });

const repository = loadRepository({
  wide: service("wide", [archived, fixed, pages, ratio, spend]),
});

/** Over a real store: waits as long as it is told to, and does not look at its signal. */
class SlowReader implements RecordReader {
  readonly signals: AbortSignal[] = [];
  waitMs = 0;
  readonly #inner: RecordReader;
  readonly #clock: ManualClock;

  constructor(inner: RecordReader, clock: ManualClock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  get capabilities(): RecordReader["capabilities"] {
    return this.#inner.capabilities;
  }

  async readMany(keys: readonly string[], options: StoreReadOptions = {}) {
    if (options.signal !== undefined) this.signals.push(options.signal);
    if (this.waitMs === Infinity) return new Promise<never>(() => undefined);
    if (this.waitMs > 0) await this.#clock.sleep(this.waitMs);
    return this.#inner.readMany(keys);
  }
}

interface Timed {
  readonly clock: ManualClock;
  readonly batch: SlowReader;
  /** Of users "u" and "v", who are in one each. */
  readonly streams: readonly SlowReader[];
  readonly reported: unknown[];
  send(path: string, body: BodyInit): Promise<Response>;
}

/** With `homesOf`, over other readers than the slow ones. */
async function timedApp(
  homesOf: (homes: ServingHomes, clock: ManualClock) => ServingHomes = (homes) => homes,
): Promise<Timed> {
  const loaded = buildTestApp(repository, { nowMs });
  const records = ["u", "v"].map((user_id) => ({
    record: { id: user_id, ts: "2024-01-10T11:30:00Z", user_id, amt: 10, cents: 7 },
  }));
  const body = { workspace_name: "prod", dry_run: false, records: { transactions: records } };
  expect((await loaded.post("/ingest", body)).status).toBe(200);
  const clock = new ManualClock(nowMs);
  const batch = new SlowReader(loaded.batchStore, clock);
  const streams = loaded.streamStores.map((store) => new SlowReader(store, clock));
  const reported: unknown[] = [];
  const app = createApp({
    homeRoutes,
    workspaces: [{ name: "prod", repository, homes: homesOf({ batch, streams }, clock) }],
    clock,
    random: () => 0,
    testClock: false,
    access: "loopback",
    report: (error) => reported.push(error),
  });
  const send = async (path: string, sent: BodyInit) =>
    app.request(`http://localhost${path}`, {
      method: "POST",
      body: sent,
      ...(sent instanceof ReadableStream && { duplex: "half" }),
    } as RequestInit);
  return { clock, batch, streams, reported, send };
}

const metadataOptions = { includeServingStatus: true, includeDetails: true, includeNames: true };

function bodyOf(params: object): string {
  const row = { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 5 } };
  return JSON.stringify({
    params: { featureServiceName: "wide", metadataOptions, ...row, ...params },
  });
}

function budgetOf(latencyBudgetMs: unknown): { readonly requestOptions: object } {
  return { requestOptions: { latencyBudgetMs } };
}

interface AnsweredFeature {
  readonly name: string;
  readonly status: string | readonly string[];
  readonly details?: unknown;
}

/** Statuses by view, each of all its features; of one row. */
async function statusesOf(response: Response, row = 0): Promise<Readonly<Record<string, string>>> {
  const body = (await response.json()) as {
    readonly metadata: { readonly features: readonly AnsweredFeature[] };
  };
  const found: Record<string, string> = {};
  for (const { name, status } of body.metadata.features) {
    const [view = ""] = name.split(".");
    const ofRow = typeof status === "string" ? status : (status[row] ?? "");
    expect(found[view] ?? ofRow).toBe(ofRow);
    found[view] = ofRow;
  }
  return found;
}

const allPresent = {
  fixed: "PRESENT",
  spend_ratio: "PRESENT",
  user_archive: "MISSING_DATA",
  user_pages: "MISSING_DATA",
  user_spend: "PRESENT",
};

/** Whether a promise has settled, once the clock has moved. */
async function after(clock: ManualClock, durationMs: number, answer: Promise<unknown>) {
  let isSettled = false;
  void answer.then(() => (isSettled = true));
  await clock.advance(durationMs);
  return isSettled;
}

test.each([
  ["get-features", route],
  ["get-features-batch", batchRoute],
])("%s without a budget answers 504 after the server's own time, retryable", async (_, path) => {
  const { clock, streams, reported, send } = await timedApp();
  for (const stream of streams) stream.waitMs = Infinity;
  const answer = send(
    path,
    bodyOf({ requestData: [{ joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 5 } }] }),
  );
  expect(await after(clock, limits.requestDeadlineMs - 1, answer)).toBe(false);
  expect(await after(clock, 1, answer)).toBe(true);
  const response = await answer;
  const message = "Cannot answer in time: the deadline of 2000 ms has passed";
  expect(response.status).toBe(504);
  expect(await response.json()).toEqual({ error: message, code: 4, message });
  expect(response.headers.get("x-tilemark-error")).toBe("DEADLINE_EXCEEDED");
  expect(response.headers.get("x-tilemark-retryable")).toBe("true");
  expect(reported.map(String)).toEqual([`FeatureError: ${message}`]);
  expect(streams.flatMap(({ signals }) => signals).map(({ aborted }) => aborted)).toEqual([true]);
  expect(clock.pendingCount).toBe(0);
});

test.each([200, "200", "0200.0"])(
  "with a budget of %j a store that never settles is left out, and what looks at it",
  async (latencyBudgetMs) => {
    const { clock, batch, reported, send } = await timedApp();
    batch.waitMs = Infinity;
    const answer = send(route, bodyOf(budgetOf(latencyBudgetMs)));
    // A tenth of it, at most 20 ms, is kept for the rest of the answer.
    expect(await after(clock, 179, answer)).toBe(false);
    expect(await after(clock, 1, answer)).toBe(true);
    const response = await answer;
    expect(response.status).toBe(200);
    const { result, metadata } = (await response.clone().json()) as {
      readonly result: { readonly features: readonly unknown[] };
      readonly metadata: { readonly features: readonly AnsweredFeature[] };
    };
    expect(result.features).toEqual(["1", ...Array<null>(result.features.length - 1).fill(null)]);
    expect(metadata.features[1]?.details).toEqual({
      reason: "The store did not answer within the latency budget",
    });
    expect(await statusesOf(response)).toEqual({
      fixed: "PRESENT",
      spend_ratio: "TIME_OUT",
      user_archive: "TIME_OUT",
      user_pages: "TIME_OUT",
      user_spend: "TIME_OUT",
    });
    expect(batch.signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(reported).toEqual([]);
    expect(clock.pendingCount).toBe(0);
  },
);

test("with a budget views of the home that is there answer, and rows of the shard that is", async () => {
  const shards = ["u", "v"].map((user) => shardOf(user, 2));
  expect(new Set(shards).size).toBe(2);
  const { clock, streams, send } = await timedApp();
  (streams[shards[0] as number] as SlowReader).waitMs = Infinity;
  const alone = send(route, bodyOf(budgetOf(50)));
  await clock.advance(50);
  const late = {
    ...allPresent,
    spend_ratio: "TIME_OUT",
    user_pages: "TIME_OUT",
    user_spend: "TIME_OUT",
  };
  expect(await statusesOf(await alone)).toEqual(late);
  const requestData = ["u", "v"].map((user_id) => ({
    joinKeyMap: { user_id },
    requestContextMap: { amt: 5 },
  }));
  const many = send(batchRoute, bodyOf({ requestData, ...budgetOf(50) }));
  await clock.advance(50);
  const response = await many;
  expect(await statusesOf(response.clone(), 0)).toEqual(late);
  expect(await statusesOf(response, 1)).toEqual(allPresent);
});

test("a budget counts from the request's start, the sending of its body included", async () => {
  const { clock, batch, send } = await timedApp();
  batch.waitMs = 100;
  const bytes = new TextEncoder().encode(bodyOf(budgetOf(200)));
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      await clock.sleep(150);
      controller.enqueue(bytes);
      controller.close();
    },
  });
  const answer = send(route, body);
  expect(await after(clock, 179, answer)).toBe(false);
  expect(await after(clock, 1, answer)).toBe(true);
  expect(await statusesOf(await answer)).toMatchObject({ user_archive: "TIME_OUT" });
});

test("a budget replaces the server's own time, up to a maximum", async () => {
  const { clock, batch, send } = await timedApp();
  batch.waitMs = limits.requestDeadlineMs + 500;
  const slow = send(route, bodyOf(budgetOf(3_000)));
  await clock.advance(batch.waitMs);
  expect(await statusesOf(await slow)).toEqual(allPresent);
  batch.waitMs = Infinity;
  const clamped = send(route, bodyOf(budgetOf(600_000)));
  expect(await after(clock, limits.latencyBudgetMsMax - 21, clamped)).toBe(false);
  expect(await after(clock, 1, clamped)).toBe(true);
  expect((await clamped).status).toBe(200);
});

test("with a budget a reader's cache stands in for its store when the time is over", async () => {
  const { clock, batch, send } = await timedApp((homes, readerClock) => ({
    ...homes,
    batch: resilientReader({
      primary: homes.batch,
      cache: new RecordCache(),
      clock: readerClock,
      random: () => 0,
    }),
  }));
  expect(await statusesOf(await send(route, bodyOf({})))).toEqual(allPresent);
  batch.waitMs = Infinity;
  const answer = send(route, bodyOf(budgetOf(20)));
  expect(await after(clock, 20, answer)).toBe(true);
  const response = await answer;
  expect(await response.clone().text()).toContain('"stale":true');
  expect(await statusesOf(response)).toEqual(allPresent);
});

test("a store that fails in time is an error with a budget as without one", async () => {
  const { batch, send } = await timedApp((homes) => ({ ...homes, batch: failing }));
  expect(batch.signals).toEqual([]);
  expect((await send(route, bodyOf(budgetOf(100)))).status).toBe(503);
});

const failing = resilientReader(
  {
    primary: {
      capabilities: { keysPerTripMax: 10 },
      readMany: () => new MemoryStore().readMany(["k"], { signal: AbortSignal.abort() }),
    },
    clock: new ManualClock(),
    random: () => 0,
  },
  { retryShareMax: 0 },
);

test("records past the size limit refuse the request, or with allowPartialResults are left out", async () => {
  const store = new MemoryStore();
  const app = buildTestApp(repository, { nowMs, batchStore: store });
  const bytes = new Uint8Array(limits.requestStoreBytesMax);
  await store.write([{ key: batchKey(spend, "u"), bytes }]);
  const ask = async (params: object) => {
    const answer = await app.post(route, bodyOf(params));
    return { ...answer, body: answer.body as { readonly code: number } };
  };
  // At the limit it is read, and found to be no record.
  expect((await ask({})).status).toBe(200);
  await store.write([{ key: batchKey(pages, "u"), bytes: new Uint8Array(1) }]);
  const message = `Cannot answer the request: its records come to more than ${limits.requestStoreBytesMax} bytes, ask for fewer views or rows, or set allowPartialResults`;
  const refused = await ask({});
  expect([refused.status, refused.body]).toEqual([400, { error: message, code: 9, message }]);
  const partial = await ask({ allow_partial_results: true });
  expect(partial.status).toBe(200);
  expect(await statusesOf(new Response(partial.text))).toEqual({
    ...allPresent,
    spend_ratio: "UNKNOWN",
    user_pages: "UNKNOWN",
    user_spend: "UNKNOWN",
  });
  const { metadata } = JSON.parse(partial.text) as {
    readonly metadata: { readonly features: readonly AnsweredFeature[] };
  };
  expect(metadata.features.at(-1)?.details).toEqual({
    reason: `The records of the request come to more than ${limits.requestStoreBytesMax} bytes up to this view`,
  });
});
