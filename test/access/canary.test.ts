/** Unique secrets go in everywhere that one may come from; none may come out anywhere. */

import { expect, test, vi } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { readWorkerAccess } from "../../adapters/runtimes/cloudflare/worker-access.ts";
import type { TilemarkEnvironment } from "../../adapters/runtimes/cloudflare/environment.ts";
import { watchHost } from "../../adapters/runtimes/observe-host.ts";
import { hostClock } from "../../adapters/host-clock.ts";
import { AccessApp } from "../http/access-app.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");

test("no secret of a key, header, body, variable or store comes out in an answer, a log or an error", async () => {
  const printed: string[] = [];
  const spies = (["log", "error", "warn", "info"] as const).map((method) =>
    vi.spyOn(globalThis.console, method).mockImplementation((...args) => {
      printed.push(args.map(String).join(" "));
    }),
  );
  const access = await AccessApp.build(nowMs);
  const { key, record } = await access.createKey({ scopes: ["read", "ingest", "admin"] });
  const secrets = {
    key,
    adminKey: access.adminKey,
    secretPart: key.split("_").slice(2, -1).join("_"),
    digest: record.secrets[0]?.sha256 ?? "",
    header: "c4n4ry-header",
    body: "c4n4ry-body",
    store: "c4n4ry-store",
    variable: "c4n4ry-variable",
  };
  const out: string[] = [];
  const send = async (path: string, init: RequestInit, authorization?: string) => {
    const headers = {
      "x-tilemark-workspace": "prod",
      "x-request-id": `${secrets.header} ${key}`,
      ...init.headers,
    };
    const answer = await access.request(path, { ...init, headers }, authorization);
    out.push(
      `${path} ${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`,
    );
  };
  const known = `Tecton-key ${key}`;
  const bodies = [
    secrets.body,
    `{"params": "${secrets.body}`,
    JSON.stringify({
      params: { featureServiceName: "fraud", joinKeyMap: { user_id: [secrets.body] } },
    }),
    JSON.stringify({
      workspace_name: "prod",
      dry_run: false,
      records: { clicks: [{ record: { at: secrets.body, user_id: secrets.body } }] },
    }),
    JSON.stringify({ name: "n", grants: [{ scopes: [secrets.body] }] }),
    JSON.stringify({ name: "n", grants: [{ scopes: ["read"] }], expiresAt: secrets.body }),
  ];
  const paths = [
    "/api/v1/feature-service/get-features",
    "/ingest",
    "/admin/start",
    "/admin/publish",
    "/admin/keys/create",
    "/admin/keys/revoke",
  ];
  for (const path of paths) {
    for (const body of bodies) await send(path, { method: "POST", body }, known);
    await send(path, { method: "POST", body: "{}" }, `Basic ${secrets.header}`);
    await send(path, { method: "POST", body: "{}" }, `${known.slice(0, -1)}z`);
    await send(path, { method: "POST", body: "{}" }, `Bearer ${secrets.header}`);
  }
  for (const name of ["x-tilemark-now", "idempotency-key"]) {
    await send(
      "/ingest",
      { method: "POST", body: bodies[3] ?? "", headers: { [name]: `${secrets.header}\u00e9` } },
      known,
    );
  }
  await send("/admin/keys", {}, known);
  await send("/admin/audit", {}, known);

  const cause = new Error(secrets.store);
  access.bookFailure = new FeatureError("STORE_UNAVAILABLE", `Cannot read: the table is away`, {
    cause,
  });
  await access.clock.advance(3_700_000);
  await send("/admin/keys", {}, known);
  access.bookFailure = new Error(secrets.store);
  await send("/admin/keys", {}, `Bearer ${access.adminKey}`);

  const { fail } = watchHost(hostClock(), {});
  for (const error of access.reported) fail("test", error);
  const environment = { TILEMARK_ACCESS: "keys", TILEMARK_KEYS: `[${secrets.variable}` };
  const wrong = [
    environment,
    { ...environment, TILEMARK_KEYS: `["${secrets.variable}"]` },
    { TILEMARK_ACCESS: secrets.variable },
    { TILEMARK_ACCESS: "keys", TILEMARK_ADMIN_KEY_SHA256: secrets.variable },
  ];
  for (const env of wrong) {
    try {
      readWorkerAccess(env as unknown as TilemarkEnvironment);
      throw new Error("It was taken");
    } catch (error) {
      const { message, stack = "", cause: inner } = error as Error;
      out.push(`${message} ${stack} ${String(inner)}`);
    }
  }
  for (const spy of spies) spy.mockRestore();

  expect(out.length).toBeGreaterThan(60);
  for (const [name, secret] of Object.entries(secrets)) {
    const shown = out.filter((line) => line.includes(secret));
    expect(shown, `${name} in an answer or error`).toEqual([]);
    const logged = printed.filter((line) => line.includes(secret));
    expect(logged, `${name} in a log`).toEqual([]);
  }
}, 30_000);
