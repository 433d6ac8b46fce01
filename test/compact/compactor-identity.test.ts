import { expect, test } from "vitest";
import { definitionsOf } from "../../src/compact/compactor-identity.ts";
import {
  count,
  entity,
  loadRepository,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { buildTestApp } from "../builders/app.ts";
import { payment } from "../ingest/online-parts.ts";
import { CompactionParts } from "./compaction-parts.ts";

const nowMs = Date.UTC(2026, 0, 1);

function repositoryOf(aggregations: "one" | "two", sources: "one" | "both") {
  const user = entity("user", { user_id: "string" });
  const source = (name: string) =>
    streamSource(name, {
      timestamp: "ts",
      id: "id",
      columns: { user_id: "string", amt: "float64" },
    });
  const shared = {
    entities: [user],
    windowing: "continuous",
    compaction: { every: "1d" },
  } as const;
  const spends = streamView("spends", {
    ...shared,
    source: source("payments"),
    features: { amt: aggregations === "one" ? [sum("1h")] : [sum("1h"), count("1h")] },
  });
  const refunds = streamView("refunds", {
    ...shared,
    source: source("returns"),
    features: { amt: [sum("1h")] },
  });
  const views = sources === "one" ? { spends } : { spends, refunds };
  return loadRepository({ ...views, all: service("all", Object.values(views)) });
}

function start(definitions: Record<string, string>, offlineStore: string) {
  return { views: ["spends"], compactor: { offlineStore, definitions } };
}

test("a server takes one offline store, and names both to another", async () => {
  const repository = repositoryOf("one", "both");
  const app = buildTestApp(repository, { nowMs });
  const definitions = definitionsOf(repository);
  expect((await app.post("/admin/start", start(definitions, "a"))).status).toBe(200);
  expect((await app.post("/admin/start", start(definitions, "a"))).status).toBe(200);
  const refused = await app.post("/admin/start", start(definitions, "b"));
  expect([refused.status, (refused.body as { message: string }).message]).toEqual([
    400,
    "Cannot compact: the log was drained into offline store a, this is b, use the directory of the first",
  ]);
});

test("an offline store serves one home: another one is refused before anything is done", async () => {
  const first = new CompactionParts({ nowMs });
  await first.append([payment("a", nowMs - 1, { user: "u", card: null })]);
  await first.compact();
  const second = new CompactionParts({ nowMs: nowMs + 60_000 });
  await second.append([payment("b", nowMs - 1, { user: "u", card: null })]);
  const mixed = compactViews({
    api: second.api(),
    offline: first.offline,
    repository: second.repository,
  });
  await expect(mixed).rejects.toMatchObject({
    code: "INVALID_REQUEST",
    message: expect.stringContaining("the events of another home") as string,
  });
  expect(await second.runningViews()).toEqual([]);
  // The second is as it was: with an offline store of its own it goes on.
  await second.compact();
  await second.expectAnswers([payment("b", nowMs - 1, { user: "u", card: null })], "by itself");
  await first.compact();
  await first.expectAnswers([payment("a", nowMs - 1, { user: "u", card: null })], "the first one");
});

test("a server refuses a compaction whose definitions differ from its own, before it seals", async () => {
  const app = buildTestApp(repositoryOf("one", "both"), { nowMs });
  const differs = await app.post(
    "/admin/start",
    start(definitionsOf(repositoryOf("two", "both")), "a"),
  );
  expect((differs.body as { message: string }).message).toBe(
    'Cannot compact: the compaction\'s feature repository defines it differently, view "spends", use the file that the server runs',
  );
  const lacks = await app.post(
    "/admin/start",
    start(definitionsOf(repositoryOf("one", "one")), "a"),
  );
  expect((lacks.body as { message: string }).message).toContain(
    'feature repository does not define it, source "returns"',
  );
  const rows = await app.post(
    "/admin/start",
    start(definitionsOf(repositoryOf("one", "both")), "a"),
  );
  expect((rows.body as { cut: number }[])[0]?.cut, "nothing was sealed before").toBe(0);
});
