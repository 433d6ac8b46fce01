import { expect, test } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { emptyRecord } from "../../src/compact/fold-view.ts";
import { FeatureError } from "../../src/core/errors.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { createApp } from "../../src/http/app.ts";
import { homeRoutes } from "../../src/http/home-routes.ts";
import type { RequestSummary } from "../../src/observe/request-summary.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { OnlineStore, StoredValue } from "../../src/store/online-store.ts";
import { batchKey, entityKey, regionKey } from "../../src/tile/keys.ts";
import { writeRegionRecord } from "../../src/tile/region-record.ts";
import { buildTestApp, testOrigin } from "../builders/app.ts";
import type { TestApp, TestAppOptions } from "../builders/app.ts";
import { repository } from "../http/features.ts";
import { readOpenMetrics } from "./check-open-metrics.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");
const route = "/api/v1/feature-service/get-features";
const v2Route = "/api/v2/workspaces/:workspace/feature-services/:service/get-features";

interface WatchedApp extends TestApp {
  readonly lines: Record<string, unknown>[];
  readonly summaries: RequestSummary[];
}

function buildWatchedApp(options: Partial<TestAppOptions> = {}): WatchedApp {
  const lines: Record<string, unknown>[] = [];
  const summaries: RequestSummary[] = [];
  let timerMs = nowMs;
  const app = buildTestApp(repository, {
    nowMs,
    ...options,
    observe: {
      // Each look at the timer is a millisecond later.
      timer: () => (timerMs += 1),
      log: {
        requestShare: 1,
        write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
      },
      tracing: { record: (summary) => (summaries.push(summary), null) },
    },
  });
  return { ...app, lines, summaries };
}

function ask(serviceName: string, amt = 3) {
  return {
    params: {
      workspaceName: "prod",
      featureServiceName: serviceName,
      joinKeyMap: { user_id: "u1" },
      requestContextMap: { amt },
    },
  };
}

function ingest(amt: number, id: string, secondsAgo = 600) {
  const ts = new Date(nowMs - secondsAgo * 1_000).toISOString();
  const record = { user_id: "u1", amt, id, ts };
  return {
    workspace_name: "prod",
    dry_run: false,
    records: { transactions: [{ record }] },
  };
}

/** Values by name and labels, as `name{a="b"}`; labels of bounds aside. */
async function scrape(app: TestApp, path = "/metrics"): Promise<ReadonlyMap<string, number>> {
  const answer = await app.get(path, { accept: "application/openmetrics-text" });
  expect(answer.status).toBe(200);
  const samples = readOpenMetrics(answer.text).flatMap((family) => family.samples);
  return new Map(
    samples.map(({ name, labels, value }) => [
      `${name}{${Object.values(labels).join(",")}}`,
      value,
    ]),
  );
}

test("metrics tell what requests for features came to", async () => {
  const app = buildWatchedApp();
  expect((await app.post("/ingest", ingest(5, "e1"))).status).toBe(200);
  expect((await app.post("/ingest", ingest(6, "e1"))).status).toBe(200);
  expect((await app.post(route, ask("fraud"))).status).toBe(200);
  expect((await app.post(route, ask("mixed", -1))).status).toBe(200);
  expect((await app.post(route, ask("nothing"))).status).toBe(404);
  expect((await app.get("/no/such/route")).status).toBe(404);
  const batch = {
    params: {
      workspaceName: "prod",
      featureServiceName: "fraud",
      requestData: [1, 2, 3].map((amt) => ({
        joinKeyMap: { user_id: `u${amt}` },
        requestContextMap: { amt },
      })),
    },
  };
  expect((await app.post(`${route}-batch`, batch)).status).toBe(200);
  const metrics = await scrape(app);
  expect(Object.fromEntries(metrics)).toMatchObject({
    [`tilemark_http_requests_total{${route},prod,fraud,200}`]: 1,
    [`tilemark_http_requests_total{${route},prod,mixed,200}`]: 1,
    [`tilemark_http_requests_total{${route},other,other,404}`]: 1,
    "tilemark_http_requests_total{other,other,other,404}": 1,
    [`tilemark_http_request_duration_seconds_count{${route},prod,fraud}`]: 1,
    [`tilemark_http_errors_total{${route},NOT_FOUND}`]: 1,
    [`tilemark_http_errors_total{${route},TRANSFORM_FAILED}`]: 1,
    // The scrape itself.
    "tilemark_http_requests_in_flight{}": 1,
    "tilemark_request_rows_sum{prod,fraud}": 4,
    "tilemark_request_rows_count{prod,fraud}": 2,
    // u1 is known; u2 and u3 are not.
    "tilemark_features_total{prod,user_spend,PRESENT}": 21,
    "tilemark_features_total{prod,user_spend,MISSING_DATA}": 14,
    "tilemark_features_flagged_total{prod,fragile,transform_failed}": 1,
    "tilemark_store_read_duration_seconds_count{prod,batch}": 3,
    "tilemark_store_read_failures_total{prod,batch}": 0,
    "tilemark_ingest_records_total{prod,transactions,accepted}": 1,
    "tilemark_ingest_records_total{prod,transactions,conflict}": 1,
    "tilemark_ingest_event_age_seconds_sum{prod,transactions}": 600,
    "tilemark_compaction_cut{prod,user_spend}": -1,
    "tilemark_start_timestamp_seconds{}": nowMs / 1_000,
  });
  for (const phase of ["store", "combine", "transform", "encode"]) {
    const name = `tilemark_request_phase_duration_seconds_count{prod,fraud,${phase}}`;
    expect([phase, metrics.get(name)]).toEqual([phase, 2]);
  }
  expect(metrics.get("tilemark_compaction_started_timestamp_seconds{prod,user_spend}")).toBe(
    undefined,
  );
  expect((await scrape(app, "/api/v1/observability/metrics")).size).toBeGreaterThan(100);
});

test("metrics tell of compactions, and of how old the records are that answers come from", async () => {
  const app = buildWatchedApp();
  await app.post("/ingest", ingest(5, "e1"));
  const started = await app.post("/admin/start", { views: ["user_spend"] });
  const [run] = started.body as { fence: number; cut: number; watermarkMs: number }[];
  expect((await app.post("/admin/finish", { view: "user_spend", fence: run?.fence })).status).toBe(
    200,
  );
  const view = repository.views.get("user_spend") as ViewDefinition;
  const cover = { cut: run?.cut ?? -1, sealedAtMs: nowMs, watermarkMs: nowMs - 3_600_000 };
  const { bytes } = emptyRecord(view, cover, entityKey(["u1"]));
  await app.batchStore.write([{ key: batchKey(view, entityKey(["u1"])), bytes }]);
  expect((await app.post(route, ask("fraud"))).status).toBe(200);
  const metrics = await scrape(app);
  expect(Object.fromEntries(metrics)).toMatchObject({
    "tilemark_batch_record_age_seconds_count{prod,user_spend}": 1,
    "tilemark_batch_record_age_seconds_sum{prod,user_spend}": 3_600,
    "tilemark_compaction_cut{prod,user_spend}": run?.cut,
    "tilemark_compaction_started_timestamp_seconds{prod,user_spend}": nowMs / 1_000,
    "tilemark_compaction_finished_timestamp_seconds{prod,user_spend}": nowMs / 1_000,
  });
});

test("unknown names and paths do not become labels", async () => {
  const app = buildWatchedApp();
  for (let i = 0; i < 50; i++) {
    await app.post(route, ask(`nothing_${i}`));
    await app.get(`/path${i}`);
    await app.post(v2Route.replace(":workspace", "w").replace(":service", `s${i}`), {});
  }
  const text = (await app.get("/metrics")).text;
  expect(text).not.toMatch(/nothing_|path\d|s\d\d?\//);
  expect(text).toContain(`route="${v2Route}"`);
});

test("answers with features say where their time went, others do not", async () => {
  const app = buildWatchedApp();
  const answer = await app.post(route, ask("fraud"));
  expect(answer.headers.get("server-timing")).toMatch(
    /^store;dur=\d+, combine;dur=1, transform;dur=1, encode;dur=1, total;dur=\d+$/,
  );
  expect(answer.headers.get("timing-allow-origin")).toBeNull();
  expect((await app.post(route, ask("nothing"))).headers.get("server-timing")).toBeNull();
  expect((await app.get("/healthz")).headers.get("server-timing")).toBeNull();
});

test("a request's record has its phases one after another, within it", async () => {
  const app = buildWatchedApp();
  await app.post(route, ask("fraud"), { traceparent: "given" });
  const [summary] = app.summaries;
  expect(summary).toMatchObject({
    method: "POST",
    route,
    status: 200,
    workspace: "prod",
    service: "fraud",
    principalId: "local",
    traceparent: "given",
    rowCount: 1,
    failure: null,
  });
  const { phases = [], trips = [], startMs = 0, endMs = 0 } = summary ?? {};
  const instants = phases.flatMap((phase) => [phase.startMs, phase.endMs]);
  expect([startMs, ...instants, endMs]).toEqual(
    [startMs, ...instants, endMs].toSorted((a, b) => a - b),
  );
  expect(trips.map(({ home, keyCount, outcome }) => [home, keyCount, outcome])).toEqual([
    ["batch", 1, "answered"],
    ["stream", 2, "answered"],
  ]);
});

const canary = "canary-7f3a9b";

/** Fails with all that it was asked, as clients of stores do. */
class TalkativeStore extends MemoryStore {
  override readMany(keys: readonly string[]): Promise<readonly (StoredValue | null)[]> {
    const cause = new Error(`${canary}-cause ${keys.join(" ")}`);
    cause.name = `${canary}-name`;
    return Promise.reject(
      new FeatureError("STORE_UNAVAILABLE", `Cannot read ${keys.join(" ")} ${canary}`, { cause }),
    );
  }
}

test("no key, value, header or text of an error gets into lines, records or metrics", async () => {
  const apps = [buildWatchedApp(), buildWatchedApp({ batchStore: new TalkativeStore() })];
  const headers = {
    "x-canary": `${canary}-header`,
    "user-agent": canary,
    "x-request-id": `${canary} not plain`,
    traceparent: canary,
    authorization: `Bearer ${canary}`,
    cookie: canary,
  };
  for (const app of apps) {
    const asked = ask("mixed", -1);
    asked.params.joinKeyMap.user_id = `${canary}-key`;
    const record = {
      user_id: `${canary}-key`,
      id: canary,
      merchant: canary,
      amt: "NaN",
      ts: canary,
    };
    const sent = {
      workspace_name: "prod",
      dry_run: false,
      records: { transactions: [{ record }] },
    };
    await app.post(route, asked, headers);
    await app.post(route, { params: { ...asked.params, featureServiceName: canary } }, headers);
    await app.post(route, `{"${canary}`, headers);
    await app.post("/ingest", sent, headers);
    await app.post(`/ingest?key=${canary}`, ingest(1, canary), {
      ...headers,
      "idempotency-key": canary,
    });
    await app.get(`/${canary}?a=${canary}`, headers);
    await app.app.request(`http://localhost/${canary}`, { method: "CANARY-7F3A9B", headers });
    await app.post("/admin/delete", { entity: canary, joinKeyMap: { a: canary } }, headers);
    const { text } = await app.get("/metrics");
    expect(app.lines.length).toBe(9);
    for (const told of [JSON.stringify(app.lines), text]) expect(told).not.toMatch(/canary/i);
    // Spans are made of these; their callers' trace is read by its shape alone.
    const records = app.summaries.map((summary) => ({ ...summary, traceparent: null }));
    expect(JSON.stringify(records)).not.toMatch(/canary/i);
  }
  expect(apps[1]?.lines[0]).toMatchObject({
    level: "error",
    status: 503,
    code: "STORE_UNAVAILABLE",
    error_class: "FeatureError/Error",
  });
});

test("lines are for failures alone where no share of requests is asked for", async () => {
  const lines: string[] = [];
  const app = buildTestApp(repository, {
    nowMs,
    observe: { log: { write: (l) => lines.push(l) } },
  });
  await app.post(route, ask("fraud"));
  await app.post(route, ask("nothing"));
  expect(lines).toEqual([]);
  await app.post(route, ask("mixed", -1));
  expect(lines.map((line) => (JSON.parse(line) as { code: string }).code)).toEqual([
    "TRANSFORM_FAILED",
  ]);
});

/** Answers, fails, or never does. */
class MoodyStore extends MemoryStore {
  mood: "fine" | "failing" | "hanging" = "fine";
  readCount = 0;

  override readMany(keys: readonly string[]): Promise<readonly (StoredValue | null)[]> {
    this.readCount += 1;
    if (this.mood === "hanging") return new Promise(() => undefined);
    if (this.mood === "fine") return super.readMany(keys);
    return Promise.reject(new FeatureError("STORE_UNAVAILABLE", canary));
  }
}

test("readyz names the parts that do not answer, and looks at them once a second at most", async () => {
  const store = new MoodyStore();
  const app = buildTestApp(repository, { nowMs, batchStore: store satisfies OnlineStore });
  expect((await app.get("/readyz")).body).toEqual({ status: "ready" });
  expect(store.readCount).toBe(1);
  store.mood = "failing";
  const many = await Promise.all(Array.from({ length: 100 }, () => app.get("/readyz")));
  expect([many.every(({ status }) => status === 200), store.readCount]).toEqual([true, 1]);
  app.clock.nowMs += 1_001;
  const failed = await app.get("/readyz");
  expect([failed.status, failed.body]).toEqual([
    503,
    { status: "notReady", failed: ["prod/batch-0"] },
  ]);
  expect(failed.text).not.toContain(canary);
  store.mood = "hanging";
  app.clock.nowMs += 1_001;
  expect((await app.get("/readyz")).status).toBe(503);
  store.mood = "fine";
  app.clock.nowMs += 1_001;
  expect((await app.get("/readyz")).status).toBe(200);
});

/** A region alone: it takes no events, and follows by what is in `progress`. */
function buildRegionApp(progress: OnlineStore) {
  const batch = new MemoryStore();
  const region = { progress, staleAfterMs: 15_000 };
  const app = createApp({
    homeRoutes,
    workspaces: [{ name: "prod", repository, homes: { batch, streams: [progress], region } }],
    clock: { ...hostClock(), now: () => nowMs },
    random: () => 0,
    testClock: false,
    access: "loopback",
    report: () => undefined,
  });
  return {
    get: async (path: string) => {
      const response = await app.request(`${testOrigin}${path}`);
      return { status: response.status, text: await response.text() };
    },
  };
}

test("a region is ready once it has a copy, and tells how old that is", async () => {
  const progress = new MemoryStore();
  const early = await buildRegionApp(progress).get("/readyz");
  expect([early.status, early.text]).toEqual([
    503,
    '{"status":"notReady","failed":["prod/region"]}',
  ]);
  const record = { asOfMs: nowMs - 2_500, holeAtMs: 0, shards: new Map(), feeds: new Map() };
  await progress.write([{ key: regionKey, bytes: writeRegionRecord(record) }]);
  const app = buildRegionApp(progress);
  expect((await app.get("/readyz")).status).toBe(200);
  expect((await app.get("/metrics")).text).toContain(
    'tilemark_region_lag_seconds{workspace="prod"} 2.5',
  );
});

test("a scrape goes on without a part that does not answer, and counts it", async () => {
  const progress = new MoodyStore();
  progress.mood = "failing";
  const { status, text } = await buildRegionApp(progress).get("/metrics");
  expect(status).toBe(200);
  expect(text).toContain('tilemark_collect_failures_total{workspace="prod",part="region"} 1');
  expect(text).not.toContain("tilemark_region_lag_seconds{");
});
