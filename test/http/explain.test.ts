/** Explanations over HTTP: their shape, who may ask, and what they leave as it is. */

import { expect, test } from "vitest";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { limits } from "../../src/core/limits.ts";
import {
  count,
  entity,
  loadRepository,
  onDemandView,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import { buildTestApp, testOrigin } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { MemoryOfflineStore } from "../builders/memory-offline-store.ts";
import { AccessApp } from "./access-app.ts";

const v1 = "/api/v1/feature-service/get-features";
const v2 = "/api/v2/workspaces/prod/feature-services/shop/get-features";
const nowMs = Date.parse("2024-01-10T12:00:00Z");
const minuteMs = 60_000;

const user = entity("user", { user_id: "string" });
const payments = streamSource("payments", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amt: "float64", tier: "string", shop: "string" },
});
const shared = { entities: [user], source: payments, compaction: { every: "1d" } } as const;
const spend = streamView("spend", {
  ...shared,
  windowing: "sliding",
  interval: "5m",
  features: {
    amt: [count("1h"), sum("lifetime"), count("10m", { series: { from: "-20m" } })],
  },
});
const byShop = streamView("by_shop", {
  ...shared,
  windowing: "continuous",
  features: { amt: [count("1h")] },
  secondaryKey: "shop",
});
const profile = streamView("profile", { ...shared, attributes: ["tier"], ttl: "1d" });
const ratio = onDemandView("ratio", {
  request: { amt: "float64", secret: "string" },
  inputs: { paid: spend, who: profile },
  output: { share: "float64", again: "float64" },
  transform: ({ request, paid }) => ({
    share: request.amt / (paid.amt_sum_lifetime_5m ?? 1),
    again: null,
  }),
});
const shop = service("shop", [spend, byShop, profile, ratio]);
const long = streamView("long", {
  ...shared,
  windowing: "sliding",
  interval: "5m",
  features: { amt: [count("2d")] },
});
const old = service("old", [long]);
const repository = loadRepository({ spend, byShop, profile, ratio, shop, long, old });

interface Explained {
  readonly result: unknown;
  readonly metadata: {
    readonly features: readonly {
      readonly name?: string;
      readonly explain: Readonly<Record<string, unknown>>;
    }[];
    readonly explain: {
      readonly now: string;
      readonly stores: readonly object[];
      readonly views: readonly Readonly<Record<string, unknown>>[];
    };
  };
}

async function ingest(app: TestApp, ids: readonly string[], agoMinutes: number): Promise<void> {
  const records = ids.map((id, i) => ({
    record: {
      id,
      ts: new Date(app.clock.nowMs - (agoMinutes + i) * minuteMs).toISOString(),
      user_id: "u-of-the-key",
      amt: 2,
      tier: "gold",
      shop: `s${i}`,
    },
  }));
  const body = { workspace_name: "prod", dry_run: false, records: { payments: records } };
  expect((await app.post("/ingest", body)).status).toBe(200);
}

async function compact(app: TestApp): Promise<void> {
  const fetch = (url: string, init: RequestInit) => app.app.request(url, init);
  const api = httpCompactionApi({ baseUrl: testOrigin, fetch });
  await compactViews({ api, offline: new MemoryOfflineStore(), repository });
}

/** Two events are compacted; then one comes late, and one more. */
async function build(): Promise<TestApp> {
  const app = buildTestApp(repository, { nowMs });
  await ingest(app, ["a", "b"], 30);
  await compact(app);
  app.clock.nowMs += 10 * minuteMs;
  await ingest(app, ["late"], 20);
  await ingest(app, ["live"], 7);
  return app;
}

const params = {
  featureServiceName: "shop",
  joinKeyMap: { user_id: "u-of-the-key" },
  requestContextMap: { amt: 3, secret: "s3cr3t" },
};

async function explain(app: TestApp, path = v1, more: object = {}): Promise<Explained> {
  const answer = await app.post(path, { params: { ...params, explain: true, ...more } });
  expect(answer.status, answer.text).toBe(200);
  return answer.body as Explained;
}

test("explain tells of each window what entered it, of each view its records, and no key or value", async () => {
  const app = await build();
  const { metadata } = await explain(app, v1, { metadataOptions: { includeNames: true } });
  const of = new Map(metadata.features.map(({ name, explain: own }) => [name, own]));
  const share = of.get("ratio.share");
  const hour = of.get("spend.amt_count_1h_5m");
  const lifetime = of.get("spend.amt_sum_lifetime_5m");
  const [series] = [...of].flatMap(([name, own]) => (name?.includes("series") ? [own] : []));
  expect(share).toMatchObject({
    status: "PRESENT",
    hasRun: true,
    requestValues: ["amt", "secret"],
    inputs: [
      { name: "paid", view: "spend", features: ["amt_sum_lifetime_5m"] },
      { name: "who", view: "profile", features: [] },
    ],
  });
  const batch = { origin: "batch", tileCount: 0, eventCount: 2, valueCount: 2 };
  const stream = { origin: "stream", tileCount: 0, eventCount: 1, valueCount: 1 };
  const late = { ...stream, origin: "late" };
  const end = "2024-01-10T12:10:00Z";
  expect(hour).toEqual({
    status: "PRESENT",
    windows: [{ startTime: "2024-01-10T11:10:00Z", endTime: end, entered: [batch, stream, late] }],
  });
  expect(lifetime?.["windows"]).toEqual([{ endTime: end, entered: [batch, stream, late] }]);
  expect(series?.["windows"]).toEqual([
    { startTime: "2024-01-10T11:50:00Z", endTime: "2024-01-10T12:00:00Z", entered: [late] },
    { startTime: "2024-01-10T12:00:00Z", endTime: end, entered: [stream] },
  ]);
  const { now, stores, views } = metadata.explain;
  expect(now).toBe(end);
  expect(stores).toEqual([
    expect.objectContaining({ home: "batch", store: "memory", callCount: 1, keyCount: 3 }),
    expect.objectContaining({ home: "stream", callCount: 1, keyCount: 4, stale: false }),
  ]);
  expect(views.map(({ view }) => view)).toEqual(["by_shop", "profile", "spend"]);
  expect(views[2]).toMatchObject({
    kind: "streamView",
    fingerprint: spend.fingerprint,
    deleted: false,
    batch: {
      cut: 0,
      watermark: "2024-01-10T12:00:00Z",
      watermarkAgeMs: 600_000,
      eventCount: 2,
      exactUntil: "2024-01-11T18:00:00Z",
    },
    stream: {
      collectedEpoch: -1,
      epochs: [
        { epoch: 0, pastCut: false },
        { epoch: 1, startedAt: "2024-01-10T12:00:00Z", pastCut: true },
      ],
    },
  });
  for (const hidden of ["u-of-the-key", "s3cr3t", "gold", "tm/"]) {
    expect(JSON.stringify(metadata)).not.toContain(hidden);
  }
});

test("explain tells of a secondary key and of attributes, their row and when it expires", async () => {
  const app = await build();
  const { metadata } = await explain(app);
  const keyCounts = metadata.features.flatMap((each) => each.explain["secondaryKeyCount"] ?? []);
  expect(keyCounts).toEqual([2, 2]);
  const rows = metadata.features.flatMap((each) => each.explain["row"] ?? []);
  expect(rows).toEqual([
    {
      time: "2024-01-10T12:03:00Z",
      origin: "stream",
      ttlMs: 86_400_000,
      expiresAt: "2024-01-11T12:03:00Z",
    },
  ]);
  app.clock.nowMs += 24 * 60 * minuteMs;
  const later = (await explain(app)).metadata.features.map((each) => each.explain);
  expect(later.find((each) => "row" in each)).toMatchObject({
    status: "MISSING_DATA",
    reasons: ["expired: the newest row is older than its ttl"],
  });
});

test("explain changes nothing else of an answer, in v1 and v2", async () => {
  const app = await build();
  const asked = { metadataOptions: { includeNames: true, includeServingStatus: true } };
  for (const path of [v1, v2]) {
    const plain = (await app.post(path, { params: { ...params, ...asked } })).body as Explained;
    const { result, metadata } = await explain(app, path, asked);
    expect(result).toEqual(plain.result);
    const without = metadata.features.map(({ explain: _, ...rest }) => rest);
    expect({ features: without }).toEqual(plain.metadata);
    const bare = await explain(app, path);
    expect(bare.metadata.features.map((each) => Object.keys(each))).toEqual(
      without.map(() => ["explain"]),
    );
  }
});

test("explain says of a deleted entity and of an unknown one why nothing is there", async () => {
  const app = await build();
  const joinKeyMap = { user_id: "u-of-the-key" };
  expect((await app.post("/admin/delete", { entity: "user", joinKeyMap })).status).toBe(200);
  const reasonsOf = ({ metadata }: Explained) =>
    new Set(metadata.features.flatMap((each) => each.explain["reasons"] ?? []));
  const gone = await explain(app);
  expect(reasonsOf(gone)).toEqual(
    new Set(["deleted: the entity was deleted, and its records are hidden"]),
  );
  const deleted = { deleted: true, batch: null, stream: null };
  for (const view of gone.metadata.explain.views) expect(view).toMatchObject(deleted);
  expect(reasonsOf(await explain(app, v1, { joinKeyMap: { user_id: "nobody" } }))).toEqual(
    new Set(["missing: there is no record of the entity in this view"]),
  );
  expect(reasonsOf(await explain(app, v1, { joinKeyMap: { user_id: null } }))).toEqual(
    new Set(["missing: one of the join keys is null, and nobody is known by that"]),
  );
});

test("explain says why a value is rounded, and for which bounds it is exact", async () => {
  const app = buildTestApp(repository, { nowMs });
  const ids = Array.from({ length: 300 }, (_, i) => `e${i}`);
  await ingest(app, ids, 5 * 60);
  await compact(app);
  app.clock.nowMs += 42 * 60 * minuteMs;
  const old = { featureServiceName: "old", requestContextMap: {} };
  const { metadata } = await explain(app, v1, old);
  const [explained] = metadata.features.map((each) => each.explain);
  expect(explained).toMatchObject({
    status: "PRESENT",
    reasons: ["degraded: the compaction is late: the window is rounded to coarser tiles"],
    windows: [
      {
        startTime: "2024-01-10T06:00:00Z",
        endTime: "2024-01-12T06:00:00Z",
        used: { startTime: expect.stringMatching(/^2024-01-(09|10)T/) as string },
        entered: [{ origin: "batch", valueCount: 300 }],
      },
    ],
  });
});

test("a batch is told to explain one row, with a 400", async () => {
  const app = await build();
  const { joinKeyMap, requestContextMap, featureServiceName } = params;
  const requestData = [{ joinKeyMap, requestContextMap }];
  const batch = { featureServiceName, requestData };
  for (const path of [`${v1}-batch`, `${v2}-batch`]) {
    const refused = await app.post(path, { params: { ...batch, explain: true } });
    expect([refused.status, (refused.body as { message: string }).message]).toEqual([
      400,
      'Cannot read request: "params.explain" is a boolean, expected false: explain one row with get-features',
    ]);
    expect((await app.post(path, { params: { ...batch, explain: false } })).status).toBe(200);
  }
  const wrong = await app.post(v1, { params: { ...params, explain: "yes" } });
  expect(wrong.status).toBe(400);
});

test("explaining takes a grant of its own beside read, asked for before anything is read", async () => {
  const access = await AccessApp.build(nowMs);
  const body = JSON.stringify({
    params: { ...params, workspaceName: "prod", featureServiceName: "fraud", explain: true },
  });
  const services = ["fraud"];
  const granted = [["read"], ["explain"], ["read", "explain"]] as const;
  const keys = await Promise.all(granted.map((scopes) => access.createKey({ scopes, services })));
  await access.clock.advance(limits.keyBookCooldownMs);
  const ask = async ({ key }: { readonly key: string }) => {
    const send = () => access.request(v1, { method: "POST", body }, `Tecton-key ${key}`);
    // The key book is read with the first request.
    await send();
    const { calls } = access;
    const answer = await send();
    return { status: answer.status, calls: access.calls - calls, text: await answer.text() };
  };
  const [read, explaining, both] = [await ask(keys[0]!), await ask(keys[1]!), await ask(keys[2]!)];
  expect([read.status, read.calls, explaining.status, explaining.calls]).toEqual([403, 0, 403, 0]);
  expect(read.text).toContain('do not grant \\"explain\\" here');
  expect(both.status).toBe(200);
  expect(both.calls).toBeGreaterThan(0);
});
