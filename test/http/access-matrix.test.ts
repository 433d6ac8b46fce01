/** Every route of the app for every kind of principal: who is answered, and that a refusal reads nothing. */

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { newApiKey } from "../../src/access/api-key.ts";
import { scopes as allScopes } from "../../src/access/principal.ts";
import type { Scope } from "../../src/access/principal.ts";
import { AccessApp } from "./access-app.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const access = await AccessApp.build(nowMs);

interface RouteRow {
  /** Any of them will do; null for a route that is open. */
  readonly scopes: readonly Scope[] | null;
  /** Whether it is about one service. */
  readonly isOfService?: boolean;
  /** A process has one set of metrics: it takes a grant in each of its workspaces. */
  readonly ofEveryWorkspace?: boolean;
  readonly path?: string;
  readonly body?: string;
}

const v2 = "/api/v2/workspaces/prod/feature-services/fraud";
const row = { joinKeyMap: { user_id: "u" }, requestContextMap: { amt: 1 } };
const head = { workspaceName: "prod", featureServiceName: "fraud" };
const one = JSON.stringify({ params: { ...head, ...row } });
const many = JSON.stringify({ params: { ...head, requestData: [row] } });
const records = { clicks: [{ record: { at: nowMs - 1_000, user_id: "u", page: "p" } }] };
const events = JSON.stringify({ workspace_name: "prod", dry_run: false, records });
const admin: RouteRow = { scopes: ["admin"], body: "{}" };
const follow: RouteRow = { scopes: ["follow", "admin"] };
const read: RouteRow = { scopes: ["read"], isOfService: true };

/** One row a route. A route that is added gets one, or the first test fails. */
const table: Readonly<Record<string, RouteRow>> = {
  "GET /healthz": { scopes: null },
  "GET /readyz": { scopes: null },
  "GET /metrics": { scopes: ["metrics"], ofEveryWorkspace: true },
  "GET /api/v1/observability/metrics": { scopes: ["metrics"], ofEveryWorkspace: true },
  "POST /api/v1/feature-service/get-features": { ...read, body: one },
  "POST /api/v1/feature-service/get-features-batch": { ...read, body: many },
  "POST /api/v1/feature-service/metadata": { ...read, body: one },
  "POST /api/v2/workspaces/:workspace/feature-services/:service/get-features": {
    ...read,
    path: `${v2}/get-features`,
    body: JSON.stringify({ params: row }),
  },
  "POST /api/v2/workspaces/:workspace/feature-services/:service/get-features-batch": {
    ...read,
    path: `${v2}/get-features-batch`,
    body: JSON.stringify({ params: { requestData: [row] } }),
  },
  "GET /api/v2/workspaces/:workspace/feature-services/:service/metadata": {
    ...read,
    path: `${v2}/metadata`,
  },
  "POST /ingest": { scopes: ["ingest"], body: events },
  "GET /region": { scopes: ["read"] },
  "GET /admin/published": follow,
  "GET /admin/key-book": follow,
  "GET /admin/shards": { ...follow, path: "/admin/shards?log=main" },
  "GET /admin/feed": { ...follow, path: "/admin/feed?feed=&afterSeq=0" },
  "GET /admin/follow": { ...follow, path: "/admin/follow?shard=main-0&afterSeq=0" },
  "POST /admin/start": { ...admin, body: JSON.stringify({ views: ["user_spend"] }) },
  "POST /admin/publish": admin,
  "POST /admin/finish": admin,
  "POST /admin/collect": admin,
  "POST /admin/finish-collect": admin,
  "POST /admin/delete": admin,
  "GET /admin/home": admin,
  "GET /admin/deletions": admin,
  "POST /admin/finish-deletions": admin,
  "POST /admin/erase": admin,
  "GET /admin/keys": admin,
  "POST /admin/keys/create": admin,
  "POST /admin/keys/rotate": admin,
  "POST /admin/keys/revoke": admin,
  "GET /admin/audit": admin,
  "GET /admin/now": admin,
  "GET /admin/log": { ...admin, path: "/admin/log?shard=main-0&afterSeq=0&epochMax=9" },
  "POST /admin/trim": admin,
  "POST /admin/close-before": admin,
  "POST /admin/append-rows": admin,
  "POST /admin/repair": admin,
};

interface Caller {
  readonly name: string;
  readonly authorization: string | undefined;
  /** What it may do in "prod"; null where it is nobody. */
  readonly grants: {
    readonly scopes: readonly Scope[];
    readonly isOfService: boolean;
    readonly isElsewhere?: boolean;
    readonly isEverywhere?: boolean;
  } | null;
}

test("every route has a row in the access matrix, and every row a route", () => {
  const routes = access.app.routes.filter(({ method }) => method !== "ALL");
  const names = new Set(routes.map(({ method, path }) => `${method} ${path}`));
  expect([...names].sort()).toEqual(Object.keys(table).sort());
});

test("every route answers whom it may, and refuses anyone else without reading anything", async () => {
  for (const caller of await callers()) {
    for (const [route, row] of Object.entries(table)) {
      const name = `${caller.name}: ${route}`;
      access.calls = 0;
      const answer = await send(route, row, caller.authorization);
      const text = await answer.text();
      const expected = expectedStatus(row, caller);
      if (expected === null) {
        expect([401, 403], name).not.toContain(answer.status);
        continue;
      }
      expect(answer.status, name).toBe(expected);
      expect(access.calls, name).toBe(0);
      if (expected === 401) {
        const message = "invalid 'Tecton-key' authorization header";
        expect(JSON.parse(text), name).toEqual({ error: message, code: 7, message });
        expect(answer.headers.get("www-authenticate")).toBe("Tecton-key, Bearer");
      } else expect(text, name).toMatch(/"Cannot answer the request: its credentials do not grant/);
      expect(text).not.toMatch(/tk_|eyJ/);
    }
  }
}, 60_000);

test("what there is looks the same as what there is not, to who has no grant for it", async () => {
  const { key } = await access.createKey({ workspace: "other", scopes: ["read", "admin"] });
  await access.clock.advance(1_000);
  const path = "/api/v1/feature-service/get-features";
  const bodyOf = async (service: string, workspace: string) => {
    const body = JSON.stringify({
      params: { workspaceName: workspace, featureServiceName: service, ...row },
    });
    const answer = await access.request(path, { method: "POST", body }, `Tecton-key ${key}`);
    return [answer.status, await answer.text()];
  };
  const forbidden = await bodyOf("fraud", "prod");
  expect(forbidden[0]).toBe(403);
  expect(await bodyOf("nothing", "prod")).toEqual(forbidden);
  expect(await bodyOf("fraud", "nowhere")).toEqual(forbidden);
  const admins = ["prod", "nowhere"].map(async (workspace) => {
    const headers = { "x-tilemark-workspace": workspace };
    const answer = await access.request("/admin/keys", { headers }, `Tecton-key ${key}`);
    return [answer.status, await answer.text()];
  });
  const [first, second] = await Promise.all(admins);
  expect(first?.[0]).toBe(403);
  expect(second).toEqual(first);
});

test("routes that there are not say so only to who is known", async () => {
  expect((await access.request("/nothing")).status).toBe(401);
  expect((await access.request("/ingest", { method: "PUT" })).status).toBe(401);
  const known = `Tecton-key ${access.staticKey}`;
  expect((await access.request("/nothing", {}, known)).status).toBe(404);
  expect((await access.request("/ingest", { method: "PUT" }, known)).status).toBe(405);
});

test("every answer says that nobody may keep it, and has a request id", async () => {
  for (const path of ["/healthz", "/nothing", "/ingest", "/admin/keys"]) {
    for (const authorization of [undefined, `Bearer ${access.adminKey}`]) {
      const { headers } = await access.request(path, {}, authorization);
      expect(headers.get("cache-control")).toBe("no-store, private");
      expect(headers.get("vary")).toBe("authorization");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f]{16}$/);
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("x-powered-by")).toBeNull();
    }
  }
  const idOf = async (id: string) => {
    const answer = await access.request("/healthz", { headers: { "x-request-id": id } });
    return answer.headers.get("x-request-id");
  };
  expect(await idOf("Trace-1_b")).toBe("Trace-1_b");
  expect(await idOf("a".repeat(64))).toBe("a".repeat(64));
  expect(await idOf("a".repeat(65))).not.toContain("a".repeat(65));
  expect(await idOf("a b")).not.toContain(" ");
});

function send(route: string, { path, body }: RouteRow, authorization: string | undefined) {
  const [method = "", own = ""] = route.split(" ");
  const headers = { "x-tilemark-workspace": "prod" };
  const init = { method, headers, ...(method === "POST" && { body: body ?? "{}" }) };
  return access.request(path ?? own, init, authorization);
}

/** Null where it is answered, whatever the answer. */
function expectedStatus(route: RouteRow, { grants }: Caller): number | null {
  const { scopes, isOfService = false, ofEveryWorkspace = false } = route;
  if (scopes === null) return null;
  if (grants === null) return 401;
  const isGranted =
    scopes.some((scope) => grants.scopes.includes(scope)) &&
    (grants.isOfService || !isOfService) &&
    grants.isElsewhere !== true &&
    (grants.isEverywhere === true || !ofEveryWorkspace);
  return isGranted ? null : 403;
}

async function callers(): Promise<readonly Caller[]> {
  const nobody = async (name: string, authorization: string | undefined) => {
    return { name, authorization, grants: null };
  };
  const live = await access.createKey({ scopes: ["read"] });
  const expired = await access.createKey({ scopes: allScopes }, nowMs + 1);
  const revoked = await access.createKey({ scopes: allScopes });
  await access.homes
    .get("prod")
    ?.access.revokeKey({ id: revoked.record.id, secret: null }, { actor: "t", nowMs });
  await access.clock.advance(1);
  const withGrant = async (
    name: string,
    scopes: readonly Scope[],
    { workspace = "prod", services }: { workspace?: string; services?: readonly string[] } = {},
  ): Promise<Caller> => {
    const { key } = await access.createKey({ workspace, scopes, ...(services && { services }) });
    const grants = {
      scopes,
      isElsewhere: workspace !== "prod",
      isOfService: services?.includes("fraud") ?? true,
    };
    return { name, authorization: `Tecton-key ${key}`, grants };
  };
  const all = { scopes: allScopes, isOfService: true, isEverywhere: true };
  const adminGrants = { grants: all, authorization: `Tecton-key ${access.adminKey}` };
  const scope = "read:prod/fraud ingest:prod openid";
  const tokenGrants = { scopes: ["read", "ingest"], isOfService: true } as const;
  const sharedSecret = new TextEncoder().encode(JSON.stringify(access.publicJwk));
  const good = await access.token({ scope });
  return [
    await nobody("nobody", undefined),
    await nobody("no credential", "Tecton-key"),
    await nobody("another scheme", `Basic ${live.key}`),
    await nobody("two headers", `Tecton-key ${live.key}, Tecton-key ${access.adminKey}`),
    await nobody("two headers without a space", `Tecton-key ${live.key},${access.adminKey}`),
    await nobody("a folded value", `Tecton-key  ${live.key}`),
    await nobody("a mistyped key", `Tecton-key ${live.key.slice(0, -1)}x`),
    await nobody("an unknown key", `Tecton-key ${newApiKey(randomBytes).key}`),
    await nobody("a wrong secret", `Bearer ${newApiKey(randomBytes, live.record.id).key}`),
    await nobody("an expired key", `Tecton-key ${expired.key}`),
    await nobody("a revoked key", `Tecton-key ${revoked.key}`),
    await nobody("an expired token", `Bearer ${await access.token({ scope, exp: 1 })}`),
    await nobody("a token for others", `Bearer ${await access.token({ scope, aud: "x" })}`),
    await nobody("a token of others", `Bearer ${await access.token({ scope, iss: "x" })}`),
    await nobody("a token without a signature", `Bearer ${unsigned(good)}`),
    await nobody(
      "a token signed with the public key",
      `Bearer ${await access.token({ scope }, sharedSecret, "HS256")}`,
    ),
    await nobody("a token as a key", `Tecton-key ${good}`),
    ...(await Promise.all(allScopes.map((each) => withGrant(`scope ${each}`, [each])))),
    await withGrant("all scopes elsewhere", allScopes, { workspace: "other" }),
    await withGrant("another service", allScopes, { services: ["paged"] }),
    await withGrant("the service", ["read"], { services: ["fraud"] }),
    {
      name: "a configured key",
      authorization: `tecton-key ${access.staticKey}`,
      grants: { scopes: ["read"], isOfService: true },
    },
    { name: "an operator's key", ...adminGrants },
    {
      name: "an operator's key as a bearer",
      ...adminGrants,
      authorization: `Bearer ${access.adminKey}`,
    },
    { name: "a good token", authorization: `Bearer ${good}`, grants: tokenGrants },
  ];
}

/** With the algorithm "none", its signature left out. */
function unsigned(token: string): string {
  const header = Buffer.from('{"alg":"none","kid":"k1"}').toString("base64url");
  return `${header}.${token.split(".")[1]}.`;
}
