/** A home and a region over HTTP in one process: what the region says of itself, and of seen answers. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { serveNode } from "../../adapters/runtimes/node.ts";
import type { RunningServer } from "../../adapters/runtimes/server/create-server.ts";
import * as features from "../../scripts/regions/features.ts";

const clock = hostClock();
const directory = mkdtempSync(join(tmpdir(), "tilemark-region-"));
let home: RunningServer;
let region: RunningServer;

beforeAll(async () => {
  home = await serveNode(features, { directory: join(directory, "home") });
  region = await serveNode(features, { directory: join(directory, "region"), home: home.url });
});

afterAll(async () => {
  await region?.close();
  await home?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(url: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${url}/api/v1/feature-service/get-features`, {
    method: "POST",
    headers,
    body: JSON.stringify({
      params: {
        workspaceName: "prod",
        featureServiceName: "seen_service",
        joinKeyMap: { user_id: "u" },
        metadataOptions: { includeServingStatus: true, includeDetails: true },
      },
    }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

async function ingest(id: string): Promise<void> {
  const record = { user_id: "u", id, ts: new Date(clock.now() - 1_000).toISOString() };
  const response = await fetch(`${home.url}/ingest`, {
    method: "POST",
    body: JSON.stringify({
      workspace_name: "prod",
      dry_run: false,
      records: { clicks: [{ record }] },
    }),
  });
  expect(response.status).toBe(200);
}

test("a region tells how far it has come; the home has no such route", async () => {
  const status = async () => (await fetch(`${region.url}/region`)).json();
  await expect
    .poll(status, { timeout: 10_000 })
    .toEqual({ asOf: expect.any(String), stale: false, views: { seen: { cut: -1, floor: -1 } } });
  expect((await fetch(`${home.url}/region`)).status).toBe(404);
  expect((await fetch(`${region.url}/admin/repair`, { method: "POST" })).status).toBe(404);
});

test("a client that says what it has seen is answered nothing older, until the region has it", async () => {
  await ingest("e1");
  const first = await ask(home.url, { "x-tilemark-seen": "" });
  const seen = first.headers.get("x-tilemark-seen") ?? "";
  expect(first.body).toMatchObject({ result: { features: ["1", ["e1"]] } });
  expect((await ask(home.url)).headers.get("x-tilemark-seen")).toBeNull();

  const answers: unknown[] = [];
  await expect
    .poll(
      async () => {
        const { status, body } = await ask(region.url, { "x-tilemark-seen": seen });
        expect(status).toBe(200);
        answers.push(body);
        return (body as { result: unknown }).result;
      },
      { timeout: 10_000, interval: 5 },
    )
    .toEqual({ features: ["1", ["e1"]] });
  // What came before it is no number: it says that it is behind.
  for (const answer of answers.slice(0, -1)) {
    expect(answer).toMatchObject({
      result: { features: [null, null] },
      metadata: {
        features: [{ status: "UNKNOWN", details: { behind: true } }, { status: "UNKNOWN" }],
      },
    });
  }
  const ahead = Buffer.from(JSON.stringify({ seen: [7, {}] })).toString("base64");
  expect((await ask(region.url, { "x-tilemark-seen": ahead })).body).toMatchObject({
    result: { features: [null, null] },
  });
});

test.each(["!", "e30=e30=", Buffer.from("[1]").toString("base64"), "bnVsbA==", "eyJhIjpbMV19"])(
  "a token %s that is none is refused",
  async (token) => {
    const { status, body } = await ask(home.url, { "x-tilemark-seen": token });
    expect(status).toBe(400);
    expect((body as { message: string }).message).toContain('header "x-tilemark-seen"');
  },
);
