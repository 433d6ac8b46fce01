/** Keys over the admin routes: made, rotated, revoked, expired, limited, and without their book. */

import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { hashEntry, emptyAudit, verifyAudit } from "../../src/access/audit-log.ts";
import type { AuditEntry, AuditPage } from "../../src/access/audit-log.ts";
import { limits } from "../../src/core/limits.ts";
import { AccessApp } from "./access-app.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const minuteMs = 60_000;
const featuresPath = "/api/v1/feature-service/get-features";

function vectorBody(service = "fraud"): string {
  const row = { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 1 } };
  return JSON.stringify({
    params: { workspaceName: "prod", featureServiceName: service, ...row },
  });
}

async function ask(access: AccessApp, key: string): Promise<Response> {
  return access.request(featuresPath, { method: "POST", body: vectorBody() }, `Tecton-key ${key}`);
}

async function statusOf(access: AccessApp, key: string): Promise<number> {
  return (await ask(access, key)).status;
}

interface Issued {
  readonly key: string;
  readonly id: string;
  readonly secrets: readonly { readonly id: string }[];
}

async function post(access: AccessApp, path: string, body: unknown): Promise<Response> {
  const headers = { "x-tilemark-workspace": "prod" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return access.request(`/admin/keys/${path}`, init, `Tecton-key ${access.adminKey}`);
}

async function issue(access: AccessApp, path: string, body: object): Promise<Issued> {
  const answer = await post(access, path, body);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Issued;
}

async function listText(access: AccessApp): Promise<string> {
  const headers = { "x-tilemark-workspace": "prod" };
  const listed = await access.request("/admin/keys", { headers }, `Bearer ${access.adminKey}`);
  return listed.text();
}

const reader = { name: "reader", grants: [{ scopes: ["read"], services: ["fraud"] }] };

test("a key counts a second after it was made, rotates without a gap, and ends when it is revoked", async () => {
  const access = await AccessApp.build(nowMs);
  expect(await statusOf(access, access.staticKey)).toBe(200);
  const { id, key } = await issue(access, "create", reader);
  await access.clock.advance(limits.keyBookCooldownMs);
  expect(await statusOf(access, key)).toBe(200);

  const rotated = await issue(access, "rotate", { id });
  await access.clock.advance(limits.keyBookCooldownMs);
  expect([await statusOf(access, key), await statusOf(access, rotated.key)]).toEqual([200, 200]);
  expect((await post(access, "rotate", { id })).status).toBe(409);

  const [oldSecret] = rotated.secrets;
  expect((await post(access, "revoke", { id, secret: oldSecret?.id })).status).toBe(200);
  await access.clock.advance(minuteMs);
  expect([await statusOf(access, key), await statusOf(access, rotated.key)]).toEqual([401, 200]);

  const third = await issue(access, "rotate", {
    id,
    oldExpiresAt: new Date(access.clock.now() + 5_000).toISOString(),
  });
  await access.clock.advance(4_999);
  expect([await statusOf(access, third.key), await statusOf(access, rotated.key)]).toEqual([
    200, 200,
  ]);
  await access.clock.advance(1);
  expect([await statusOf(access, rotated.key), await statusOf(access, third.key)]).toEqual([
    401, 200,
  ]);

  expect((await post(access, "revoke", { id })).status).toBe(200);
  await access.clock.advance(minuteMs);
  expect(await statusOf(access, third.key)).toBe(401);
  expect((await post(access, "rotate", { id })).status).toBe(409);
});

test("a key that is used all the time is refused a minute after it was revoked", async () => {
  const access = await AccessApp.build(nowMs);
  const { key, record } = await access.createKey({ scopes: ["read"] });
  expect(await statusOf(access, key)).toBe(200);
  const doer = { actor: "test", nowMs };
  await access.homes.get("prod")?.access.revokeKey({ id: record.id, secret: null }, doer);
  let refusedAfterMs = 0;
  while ((await statusOf(access, key)) === 200) {
    await access.clock.advance(500);
    refusedAfterMs += 500;
    expect(refusedAfterMs).toBeLessThanOrEqual(minuteMs);
  }
  expect(refusedAfterMs).toBeGreaterThan(0);
});

test("a key ends at its instant, and one that has passed is not made", async () => {
  const access = await AccessApp.build(nowMs);
  const expiresAt = new Date(nowMs + 10_000).toISOString();
  const { key } = await issue(access, "create", { ...reader, expiresAt });
  await access.clock.advance(9_999);
  expect(await statusOf(access, key)).toBe(200);
  await access.clock.advance(1);
  expect(await statusOf(access, key)).toBe(401);
  expect((await post(access, "create", { ...reader, expiresAt })).status).toBe(400);
});

test("without its book a key counts for an hour, and configured keys and operators for good", async () => {
  const access = await AccessApp.build(nowMs);
  const { key } = await access.createKey({ scopes: ["read"] });
  expect(await statusOf(access, key)).toBe(200);
  access.bookFailure = new FeatureError("STORE_UNAVAILABLE", "Cannot read: the table is away");
  for (let minute = 0; minute < 60; minute++) {
    expect(await statusOf(access, key), `minute ${minute}`).toBe(200);
    await access.clock.advance(minuteMs);
  }
  await access.clock.advance(1);
  const answer = await ask(access, key);
  expect([answer.status, await answer.json()]).toEqual([
    503,
    expect.objectContaining({ code: 14, message: expect.stringContaining("key book") }),
  ]);
  expect(await statusOf(access, access.staticKey)).toBe(200);
  expect(await statusOf(access, access.adminKey)).toBe(200);
  access.bookFailure = null;
  await access.clock.advance(limits.copyPauseMs);
  expect(await statusOf(access, key)).toBe(200);
});

test("a limited key is told when to come back; a batch counts as so many requests", async () => {
  const access = await AccessApp.build(nowMs);
  const rateLimit = { requestsPerSecond: 2, burst: 3 };
  const { key } = await issue(access, "create", { ...reader, rateLimit });
  expect(await statusOf(access, key)).toBe(200);
  expect(await statusOf(access, key)).toBe(200);
  expect(await statusOf(access, key)).toBe(200);
  const refused = await ask(access, key);
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await refused.json()).toMatchObject({ code: 8 });
  expect(await statusOf(access, access.staticKey)).toBe(200);

  await access.clock.advance(10_000);
  const row = { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 1 } };
  const head = { workspaceName: "prod", featureServiceName: "fraud" };
  const params = { ...head, requestData: Array.from({ length: 23 }, () => row) };
  const init = { method: "POST", body: JSON.stringify({ params }) };
  const batch = await access.request(`${featuresPath}-batch`, init, `Tecton-key ${key}`);
  expect(batch.status).toBe(200);
  // 3 were left and 23 taken: 21 have to come back, at 2 a second.
  expect((await ask(access, key)).headers.get("retry-after")).toBe("11");
  await access.clock.advance(10_500);
  expect(await statusOf(access, key)).toBe(200);
  expect(await statusOf(access, key)).toBe(429);
});

test("failed authentications are counted, and past a number they are told to wait", async () => {
  const access = await AccessApp.build(nowMs);
  const statuses = new Map<number, number>();
  for (let i = 0; i < limits.failedAuthenticationsAtOnceMax + 5; i++) {
    const { status } = await access.request("/admin/keys", {}, i % 2 ? undefined : "Bearer x");
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect(statuses).toEqual(
    new Map([
      [401, limits.failedAuthenticationsAtOnceMax],
      [429, 5],
    ]),
  );
  expect(await statusOf(access, access.staticKey)).toBe(200);
  const { authenticationFailures } = JSON.parse(await listText(access)) as {
    readonly authenticationFailures: object;
  };
  expect(authenticationFailures).toEqual({ missing: 500, token: 500, throttled: 5 });
});

test("an authorization header is taken at its longest, and not past it", async () => {
  const access = await AccessApp.build(nowMs);
  const filled = (length: number) => access.token({ scope: "read:prod", pad: "x".repeat(length) });
  const bare = (await filled(0)).length + "Bearer ".length;
  // Base64 has four digits for three characters.
  const padding = Math.floor(((limits.authorizationLengthMax - bare) / 4) * 3);
  const fitting = `Bearer ${await filled(padding)}`;
  expect(fitting.length).toBeGreaterThan(limits.authorizationLengthMax - 3);
  const over = `Bearer ${await filled(padding + 6)}`;
  const init = { method: "POST", body: vectorBody() };
  expect((await access.request(featuresPath, init, fitting)).status).toBe(200);
  expect((await access.request(featuresPath, init, over)).status).toBe(401);
});

const grant = { scopes: ["read"] };
test.each([
  ["no name", { grants: [grant] }],
  ["an empty name", { name: "", grants: [grant] }],
  ["a name past the limit", { name: "n".repeat(limits.nameLengthMax + 1), grants: [grant] }],
  ["no grants", { name: "n", grants: [] }],
  ["grants past the limit", { name: "n", grants: Array(limits.grantsMax + 1).fill(grant) }],
  ["an unknown scope", { name: "n", grants: [{ scopes: ["root"] }] }],
  ["no scope", { name: "n", grants: [{ scopes: [] }] }],
  ["another workspace", { name: "n", grants: [{ workspace: "other", scopes: ["read"] }] }],
  [
    "a burst below 1",
    { name: "n", grants: [grant], rateLimit: { requestsPerSecond: 1, burst: 0.5 } },
  ],
  ["a rate of 0", { name: "n", grants: [grant], rateLimit: { requestsPerSecond: 0, burst: 1 } }],
  ["an instant that is none", { name: "n", grants: [grant], expiresAt: "soon" }],
  [
    "a description past the limit",
    { name: "n", grants: [grant], description: "d".repeat(limits.keyDescriptionLengthMax + 1) },
  ],
])("a key with %s is not made", async (_, body) => {
  const access = await AccessApp.build(nowMs);
  const answer = await post(access, "create", body);
  expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ code: 3 })]);
  expect(JSON.parse(await listText(access))).toMatchObject({ keys: [] });
});

test("a key book holds so many keys, and forgets the one that was revoked first", async () => {
  const access = await AccessApp.build(nowMs);
  const { record } = await access.createKey({ scopes: ["read"] });
  const ids = Array.from({ length: limits.keysMax - 1 }, (_, i) => `${i}`.padStart(12, "0"));
  for (const id of ids) await access.state.put({ [`key:${id}`]: { ...record, id } });
  const full = await post(access, "create", reader);
  expect([full.status, await full.json()]).toEqual([429, expect.objectContaining({ code: 8 })]);
  expect((await post(access, "revoke", { id: ids[7] })).status).toBe(200);
  const made = await issue(access, "create", reader);
  const text = await listText(access);
  expect(text).toContain(made.id);
  expect(text).not.toContain(ids[7]);
  expect((await post(access, "revoke", { id: ids[7] })).status).toBe(404);
});

test("the audit log tells of every change, in a chain, and of no secret or entity", async () => {
  const access = await AccessApp.build(nowMs);
  const { id, key } = await issue(access, "create", reader);
  await issue(access, "rotate", { id });
  await post(access, "revoke", { id });
  const headers = { "x-tilemark-workspace": "prod" };
  const admin = `Tecton-key ${access.adminKey}`;
  const send = async (path: string, body: object) => {
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    return (await access.request(`/admin/${path}`, init, admin)).status;
  };
  expect(await send("start", { views: ["user_spend"] })).toBe(200);
  expect(await send("start", { views: ["user_spend"], rollbackCut: 77 })).toBe(409);
  expect(await send("finish", { view: "user_spend", fence: 1 })).toBe(200);
  expect(await send("finish", { view: "user_spend", fence: 9 })).toBe(409);
  expect(await send("delete", { entity: "user", joinKeyMap: { user_id: "c4n4ry" } })).toBe(200);

  const text = await (await access.request("/admin/audit", { headers }, admin)).text();
  const { entries, head } = JSON.parse(text) as AuditPage;
  const adminId = access.adminKey.split("_")[1];
  expect(
    entries.map(({ actor, action, object, result }) => [actor, action, object, result]),
  ).toEqual([
    ["operator", "configure", "loopback", "ok"],
    [adminId, "key.create", id, "ok"],
    [adminId, "key.rotate", id, "ok"],
    [adminId, "key.revoke", id, "ok"],
    [adminId, "publish.start", "user_spend", "ok"],
    [adminId, "publish.rollback", "user_spend", "CONFLICT"],
    [adminId, "publish.finish", "user_spend", "ok"],
    [adminId, "publish.finish", "user_spend", "FENCED"],
    [adminId, "entity.delete", "user", "ok"],
  ]);
  expect(text).not.toContain(key);
  expect(text).not.toContain("c4n4ry");
  expect(await verifyAudit(emptyAudit, entries)).toEqual({ kind: "whole", head });
  const after = await access.request("/admin/audit?after=7", { headers }, admin);
  expect(((await after.json()) as AuditPage).entries.map(({ seq }) => seq)).toEqual([8, 9]);
});

test("verifyAudit() tells of an entry that is missing, changed or moved, and the head of a cut end", async () => {
  const entries: AuditEntry[] = [];
  let head = emptyAudit;
  for (let seq = 1; seq <= 6; seq++) {
    const act = { actor: "a", action: "key.create", object: `k${seq}`, result: "ok" } as const;
    entries.push({ seq, prev: head.hash, atMs: seq, ...act });
    head = { seq, hash: await hashEntry(entries.at(-1) as AuditEntry) };
  }
  const kindOf = async (log: readonly AuditEntry[]) => {
    const verdict = await verifyAudit(emptyAudit, log);
    return verdict.kind === "broken" ? verdict.seq : verdict.head;
  };
  expect(await kindOf(entries)).toEqual(head);
  for (let i = 0; i < entries.length - 1; i++) {
    expect(await kindOf(entries.toSpliced(i, 1)), `without ${i + 1}`).toBe(i + 1);
    const [a, b] = entries.slice(i, i + 2) as [AuditEntry, AuditEntry];
    expect(await kindOf(entries.toSpliced(i, 2, b, a)), `moved ${i + 1}`).toBe(i + 1);
    const swapped = entries.toSpliced(i, 2, { ...b, seq: a.seq }, { ...a, seq: b.seq });
    expect(await kindOf(swapped), `renumbered ${i + 1}`).toBe(i + 1);
    for (const change of [{ actor: "b" }, { object: "k" }, { result: "no" }, { atMs: 9 }]) {
      expect(await kindOf(entries.with(i, { ...a, ...change })), `changed ${i + 1}`).toBe(i + 2);
    }
  }
  expect(await kindOf(entries.slice(0, 4))).not.toEqual(head);
});

test("a home without a key in its configuration is closed to others, and says so", async () => {
  const { serveNode } = await import("../../adapters/runtimes/node.ts");
  const features = await import("../../scripts/regions/features.ts");
  const directory = ":memory:";
  await expect(serveNode(features, { directory, host: "0.0.0.0" })).rejects.toThrow(
    'Cannot listen on "0.0.0.0": other machines reach it and access is by loopback',
  );
  await expect(serveNode(features, { directory, access: {} })).rejects.toThrow(
    "Cannot start with access by keys: there is none to begin with",
  );
  const access = { adminKeySha256: "not a digest" };
  await expect(serveNode(features, { directory, access })).rejects.toThrow("it is no SHA-256");
});
