import { expect, test } from "vitest";
import { buildTestApp } from "../builders/app.ts";
import type { Answer } from "../builders/app.ts";
import { repository } from "./features.ts";

const route = "/api/v1/feature-service/get-features";
const nowMs = Date.parse("2024-01-10T12:00:00Z");
const app = buildTestApp(repository, { nowMs });

function expectError(answer: Answer, status: number, [code, message]: readonly [number, string]) {
  expect([answer.status, answer.body]).toEqual([status, { error: message, code, message }]);
}

test("createApp() answers that it is there", async () => {
  expect((await app.get("/healthz")).body).toEqual({ status: "ok" });
});

test("createApp() answers 404 for a route it does not have", async () => {
  const message = 'Cannot find "POST /api/v1/nothing": there is no such route';
  expectError(await app.post("/api/v1/nothing", {}), 404, [5, message]);
  const root = 'Cannot find "GET /": there is no such route';
  expectError(await app.get("/"), 404, [5, root]);
});

test("createApp() answers 405 for a method that a route does not have, and says which it has", async () => {
  const wrong = [
    ["GET", route, "POST"],
    ["DELETE", "/ingest", "POST"],
    ["PUT", "/admin/start", "POST"],
    ["OPTIONS", "/ingest", "POST"],
  ] as const;
  for (const [method, path, expected] of wrong) {
    const response = await app.app.request(`http://localhost${path}`, { method });
    const message = `Cannot answer "${method} ${path}": the route has no such method, expected ${expected}`;
    expect([response.status, await response.json()]).toEqual([
      405,
      { error: message, code: 12, message },
    ]);
    expect(response.headers.get("allow")).toBe(expected);
  }
  const posted = await app.post("/healthz", {});
  expect(posted.status).toBe(405);
  expect(posted.headers.get("allow")).toBe("GET, HEAD");
});

test("createApp() refuses x-tilemark-now without a test clock, on every route", async () => {
  const message =
    'Cannot use header "x-tilemark-now": this server has no test clock, leave the header out';
  const headers = { "x-tilemark-now": String(nowMs) };
  expectError(await app.post(route, {}, headers), 400, [3, message]);
  expectError(await app.post("/ingest", {}, headers), 400, [3, message]);
  expectError(await app.get("/healthz", headers), 400, [3, message]);
});

test("createApp() refuses an x-tilemark-now that is no instant", async () => {
  const clocked = buildTestApp(repository, { nowMs, testClock: true });
  const message =
    'Cannot read header "x-tilemark-now": it is not an instant, expected an integer of milliseconds since 1970';
  for (const text of [
    "",
    "now",
    "1.5",
    "1e3",
    "0x10",
    "8640000000000001",
    "-8640000000000001",
    "1, 2",
  ]) {
    const answer = await clocked.post(route, {}, { "x-tilemark-now": text });
    expectError(answer, 400, [3, message]);
  }
  for (const text of ["0", "-1", "-0", "8640000000000000"]) {
    expect((await clocked.get("/healthz", { "x-tilemark-now": text })).status).toBe(200);
  }
});

const local = [
  "localhost",
  "localhost:8787",
  "LOCALHOST",
  "127.0.0.1",
  "127.0.0.1:80",
  "127.200.3.4",
  "[::1]",
  "[::1]:8787",
];
const foreign = [
  "example.com",
  "localhost.example.com",
  "127.0.0.1.example.com",
  "128.0.0.1",
  "10.0.0.1",
  "0.0.0.0",
  "[::2]",
  "[::ffff:10.0.0.1]",
  "example.com@localhost",
  "localhost/",
  "localhost#",
  "",
  "127.0.0.1:x",
];

test("createApp() answers for the names of this machine", async () => {
  for (const host of local) {
    expect((await app.get("/healthz", { host })).status, host).toBe(200);
    const byUrl = await app.app.request(`http://${host}/healthz`);
    expect(byUrl.status, host).toBe(200);
  }
});

test("createApp() answers 403 for any other host, on every route", async () => {
  for (const host of foreign) {
    const message = `Cannot answer for host "${host}": only this machine has access, expected localhost, 127.0.0.0/8 or [::1]`;
    for (const path of ["/healthz", "/admin/shards?log=main", "/nothing"]) {
      expectError(await app.get(path, { host }), 403, [7, message]);
    }
  }
  const byUrl = await app.app.request("http://example.com/healthz");
  expect(byUrl.status).toBe(403);
  const behindName = await app.app.request("http://example.com/healthz", {
    headers: { host: "localhost" },
  });
  expect(behindName.status).toBe(403);
});

test("createApp() answers 403 for what a page of another host has a browser send", async () => {
  for (const origin of ["https://example.com", "null", "http://localhost.example.com"]) {
    const message = `Cannot answer a page of "${origin}": only this machine has access, expected a page of localhost, 127.0.0.0/8 or [::1]`;
    expectError(await app.post("/ingest", {}, { origin }), 403, [7, message]);
  }
  expect((await app.get("/healthz", { origin: "http://localhost:3000" })).status).toBe(200);
});
