import { expect, test } from "vitest";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { limits } from "../../src/core/limits.ts";
import { buildTestApp, testOrigin } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { repository } from "./features.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");

async function build(): Promise<TestApp> {
  const app = buildTestApp(repository, { nowMs });
  const records = ["u", "other"].map((user_id) => ({
    record: { id: user_id, ts: "2024-01-10T11:59:00Z", user_id, amt: 1 },
  }));
  const body = { workspace_name: "prod", dry_run: false, records: { transactions: records } };
  expect((await app.post("/ingest", body)).status).toBe(200);
  return app;
}

function connect(app: TestApp) {
  const fetch = (url: string, init: RequestInit) => app.app.request(url, init);
  return httpCompactionApi({ baseUrl: testOrigin, fetch });
}

async function statusesOf(app: TestApp, userId: string): Promise<unknown> {
  const params = {
    feature_service_name: "fraud",
    join_key_map: { user_id: userId },
    request_context_map: { amt: 1 },
    metadata_options: { include_names: true, include_serving_status: true },
  };
  const answer = await app.post("/api/v1/feature-service/get-features", { params });
  const { metadata } = answer.body as { metadata: { features: Record<string, string>[] } };
  const own = metadata.features.filter(({ name }) => name?.startsWith("user_spend."));
  return [...new Set(own.map(({ status }) => status))];
}

for (const [spelling, keys] of [
  ["camelCase", "joinKeyMap"],
  ["snake_case", "join_key_map"],
] as const) {
  test(`POST /admin/delete in ${spelling} hides an entity at once, and no other`, async () => {
    const app = await build();
    expect(await statusesOf(app, "u")).toEqual(["PRESENT"]);
    const answer = await app.post("/admin/delete", { entity: "user", [keys]: { user_id: "u" } });
    expect([answer.status, answer.body]).toEqual([200, {}]);
    expect(await statusesOf(app, "u")).toEqual(["MISSING_DATA"]);
    expect(await statusesOf(app, "other")).toEqual(["PRESENT"]);
  });
}

test("deletions come to the compactor with their join keys as they were typed", async () => {
  const app = await build();
  const api = connect(app);
  const big = "9007199254740993";
  for (const card_number of ["5", big]) {
    const joinKeyMap = { card_number, virtual: true, issued_at: "2024-01-10T12:00:00Z" };
    const answer = await app.post("/admin/delete", { entity: "card", joinKeyMap });
    expect(answer.status).toBe(200);
  }
  const deletions = await api.deletions();
  const keys = deletions
    .map(({ joinKeys }) => joinKeys)
    .sort((a, b) => Number(a[0]) - Number(b[0]));
  expect(keys).toEqual([
    [5, true, nowMs],
    [BigInt(big), true, nowMs],
  ]);
  expect(deletions.every(({ entity }) => entity === "card")).toBe(true);
  expect(new Set(deletions.map(({ name }) => name)).size).toBe(2);
  await api.finishDeletions([deletions[0]?.name ?? ""]);
  expect(await api.deletions()).toEqual([deletions[1]]);
});

const invalid: readonly (readonly [object, number, string])[] = [
  [{ joinKeyMap: {} }, 400, 'Cannot read request: "entity" is missing, expected a string'],
  [{ entity: "user" }, 400, 'Cannot read request: "joinKeyMap" is missing, expected an object'],
  [{ entity: "user", joinKeyMap: {} }, 400, "Missing required join key: user_id"],
  [
    { entity: "card", joinKeyMap: { card_number: "x", virtual: true, issued_at: 0 } },
    400,
    'Cannot read join key "card_number": it is',
  ],
  [
    { entity: "nobody", joinKeyMap: { user_id: "u" } },
    404,
    'Cannot delete entity "nobody": it is not defined',
  ],
];

for (const [body, status, message] of invalid) {
  test(`POST /admin/delete answers ${status}: ${message}`, async () => {
    const app = await build();
    const answer = await app.post("/admin/delete", body);
    expect(answer.status).toBe(status);
    expect((answer.body as { message: string }).message).toContain(message);
    expect(await connect(app).deletions()).toEqual([]);
    expect(await statusesOf(app, "u")).toEqual(["PRESENT"]);
  });
}

test("the erase route refuses live entities, repeats and more than it may hold", async () => {
  const app = await build();
  const [run] = await connect(app).start({ views: ["user_spend"] });
  const erase = (entities: readonly string[]) =>
    app.post("/admin/erase", { view: "user_spend", fence: run?.fence, entities });
  expect((await erase(["u"])).status).toBe(400);
  expect((await erase(["u", "u"])).status).toBe(400);
  const many = Array.from({ length: limits.collectEntitiesMax + 1 }, (_, i) => String(i));
  expect((await erase(many)).status).toBe(413);
  await app.post("/admin/delete", { entity: "user", joinKeyMap: { user_id: "u" } });
  expect((await erase(["u"])).status).toBe(200);
  expect(await statusesOf(app, "u")).toEqual(["MISSING_DATA"]);
  expect(await statusesOf(app, "other")).toEqual(["PRESENT"]);
});
