/** A home and regions that follow it, each a workerd with stores of its own. */

import { once } from "node:events";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { bundleEntry, bundleWorker } from "../../scripts/cli/bundle-worker.ts";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import type { DevServer, DevServerOptions } from "../../scripts/cli/dev-server.ts";
import { startLocalUpstash } from "../../scripts/cli/local-upstash.ts";
import { limits } from "../../src/core/limits.ts";
import {
  featuresFile,
  root,
  runCommand,
  temporaryDirectory,
  writeText,
} from "../cli/run-command.ts";
import { post } from "../end-to-end/server-process.ts";

interface Details {
  readonly stale?: boolean;
  readonly gap?: boolean;
}

interface Answer {
  readonly result: { readonly features: readonly [count: string | null, ids: readonly string[]] };
  readonly metadata: { readonly features: readonly { readonly details?: Details }[] };
}

const clock = hostClock();

/** What an event that was acknowledged at home may take to a region. */
const visibleMsMax = 2_000;

test("a worker that follows a home has its events and batch records, also when the home is gone", async () => {
  const home = await startWorker({ stateDirectory: await temporaryDirectory() });
  const regionOptions = { stateDirectory: await temporaryDirectory(), home: home.url };
  let region = await startWorker(regionOptions);

  await ingest(home, "a");
  await untilListed(region, { before: null, after: ["a"] });
  await expectNoHome(region);

  await compactWithHistory(home, "old");
  expect(await listed(home)).toEqual(["old", "a"]);
  // The event of history is in no log: it comes with a batch record.
  await untilListed(region, { before: ["a"], after: ["old", "a"] });
  await ingest(home, "b");
  await untilListed(region, { before: ["old", "a"], after: ["old", "a", "b"] });

  await region.close();
  await ingest(home, "c");
  region = await startWorker(regionOptions);
  await untilListed(region, { before: ["old", "a", "b"], after: ["old", "a", "b", "c"] });

  const leftAtMs = clock.now();
  await home.close();
  await untilStale(region, { ids: ["old", "a", "b", "c"], leftAtMs });
}, 120_000);

test("a worker that follows a home may keep all its records in one store", async () => {
  const home = await startWorker({ stateDirectory: await temporaryDirectory() });
  const upstash = await startLocalUpstash({ directory: await temporaryDirectory() });
  onTestFinished(() => upstash.close());
  const region = await startWorker({
    stateDirectory: await temporaryDirectory(),
    script: await bundleWorker(featuresFile, { stores: "upstash" }),
    bindings: upstash.variables,
    home: home.url,
  });
  await ingest(home, "a");
  await untilListed(region, { before: null, after: ["a"] });
  await compactWithHistory(home, "old");
  await untilListed(region, { before: ["a"], after: ["old", "a"] });
}, 120_000);

test("a region that its cron trigger wakes asks again after each failure, once at a time", async () => {
  const home = await startFailingHome();
  const region = await startWorker({
    stateDirectory: await temporaryDirectory(),
    script: await bundleEntry(scheduledEntry),
    home: home.url,
  });
  expect(home.count()).toBe(0);
  // Twice, as the trigger may come while a step is under way.
  for (let i = 0; i < 2; i++) {
    const response = await fetch(region.url, { method: "POST" });
    expect(response.status, await response.text()).toBe(200);
    await setTimeout(failingAnswerMs / 2);
  }
  await expect.poll(() => home.count(), { timeout: 10_000 }).toBeGreaterThan(3);
  expect(home.atOnceMax()).toBe(1);
}, 60_000);

async function startWorker(options: Omit<DevServerOptions, "featuresFile">): Promise<DevServer> {
  // What a region that is cut off reports is not for the screen.
  const output = new PassThrough().resume();
  const server = await startDevServer({ featuresFile, output, ...options });
  let closed: Promise<void> | null = null;
  const close = () => (closed ??= server.close());
  onTestFinished(close);
  return { ...server, close };
}

async function ingest(home: DevServer, id: string): Promise<void> {
  const record = { id, ts: await instantOf(), user_id: "u1", group_id: "g1" };
  const body = { workspace_name: "prod", dry_run: false, records: { events: [{ record }] } };
  expect(await post(`${home.url}/ingest`, body)).toMatchObject({ status: 200 });
}

/** This machine's time a second ago, as the file system has it: tests read no clock. */
async function instantOf(): Promise<string> {
  const { mtimeMs } = await stat(await writeText("now", ""));
  return new Date(mtimeMs - 1_000).toISOString();
}

/** The event of history is long past. */
async function compactWithHistory({ url }: DevServer, id: string): Promise<void> {
  const offline = ["--features", featuresFile, "--offline", await temporaryDirectory()];
  const event = { id, ts: "2026-01-01T00:00:00Z", user_id: "u1", group_id: "g1" };
  const file = await writeText("history.jsonl", JSON.stringify(event));
  const loaded = await runCommand("backfill", "events", file, ...offline);
  expect(loaded).toMatchObject({ status: 0, errors: "" });
  const compacted = await runCommand("compact", "--url", url, ...offline);
  expect(compacted).toMatchObject({ status: 0, errors: "" });
}

async function ask({ url }: DevServer): Promise<Answer> {
  const params = {
    workspaceName: "prod",
    featureServiceName: "ids",
    joinKeyMap: { user_id: "u1", group_id: "g1" },
    metadataOptions: { includeServingStatus: true, includeDetails: true },
  };
  const { status, body } = await post(`${url}/api/v1/feature-service/get-features`, { params });
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Answer;
}

/** The ids that an answer lists; null where it says that it has no number. */
function idsOf({ result, metadata }: Answer): readonly string[] | null {
  const [count, ids] = result.features;
  if (count === null) {
    expect(metadata.features[0]?.details?.gap).toBe(true);
    return null;
  }
  expect(ids).toHaveLength(Number(count));
  return ids;
}

async function listed(server: DevServer): Promise<readonly string[] | null> {
  return idsOf(await ask(server));
}

/** Until then every answer is the one before, or says that there is none. */
async function untilListed(
  region: DevServer,
  {
    before,
    after,
  }: { readonly before: readonly string[] | null; readonly after: readonly string[] },
): Promise<void> {
  const askedAtMs = clock.now();
  for (;;) {
    const ids = await listed(region);
    if (JSON.stringify(ids) === JSON.stringify(after)) return;
    expect([null, before]).toContainEqual(ids);
    expect(clock.now() - askedAtMs).toBeLessThan(visibleMsMax);
    await setTimeout(20);
  }
}

/** Every answer lists the same ids, until all of it says that it is stale. */
async function untilStale(
  region: DevServer,
  { ids, leftAtMs }: { readonly ids: readonly string[]; readonly leftAtMs: number },
): Promise<void> {
  const goneAtMs = clock.now();
  for (;;) {
    const answer = await ask(region);
    expect(idsOf(answer)).toEqual(ids);
    if (answer.metadata.features.every(({ details }) => details?.stale === true)) break;
    expect(clock.now() - goneAtMs).toBeLessThan(limits.regionStaleAfterMs + visibleMsMax);
    await setTimeout(200);
  }
  expect(clock.now() - leftAtMs).toBeGreaterThan(limits.regionStaleAfterMs - visibleMsMax);
}

async function expectNoHome({ url }: DevServer): Promise<void> {
  for (const path of ["/ingest", "/admin/seal", "/admin/repair"]) {
    const message = "Cannot answer here: this region follows a home, send the request there";
    const body = { workspace_name: "prod", dry_run: false, records: {} };
    expect(await post(url + path, body)).toMatchObject({ status: 404, body: { message } });
  }
}

/** The worker's trigger, behind a request. */
const scheduledEntry = `
import * as features from ${JSON.stringify(featuresFile)};
import { createWorker } from ${JSON.stringify(`${root}adapters/runtimes/cloudflare.ts`)};
const worker = createWorker(features);
export default {
  async fetch(request, env) {
    await worker.handler.scheduled(null, env);
    return new Response("woken");
  },
};
export const { LogShard, StreamShard, PublisherShard, RegionShard } = worker;
`;

/** Longer than a region that is up to date waits. */
const failingAnswerMs = limits.followPauseMs + 100;

interface FailingHome {
  readonly url: string;
  count(): number;
  atOnceMax(): number;
}

/** A home that is in trouble: it takes its time, and has no answer then. */
async function startFailingHome(): Promise<FailingHome> {
  let [count, atOnce, atOnceMax] = [0, 0, 0];
  const server = createServer((_, response) => {
    count += 1;
    atOnceMax = Math.max(atOnceMax, (atOnce += 1));
    void setTimeout(failingAnswerMs).then(() => {
      atOnce -= 1;
      response.writeHead(503).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, count: () => count, atOnceMax: () => atOnceMax };
}
