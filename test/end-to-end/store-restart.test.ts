/** A server over a real Redis that is killed, started again or halted while requests come. */

import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterEach, expect, test } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { serveNode } from "../../adapters/runtimes/node.ts";
import type { RunningServer } from "../../adapters/runtimes/server/create-server.ts";
import { redisServingOptions } from "../../adapters/stores/redis-options.ts";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import { checkRead } from "../../scripts/regions/check-read.ts";
import type { RegionAnswer, SentEvent } from "../../scripts/regions/check-read.ts";
import * as features from "../../scripts/regions/features.ts";
import { startRedis } from "../builders/redis-server.ts";

const clock = hostClock();
const users = ["u0", "u1", "u2", "u3"];
const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function openRedis(): Promise<Awaited<ReturnType<typeof startRedis>>> {
  const redis = await startRedis({ appendOnly: true });
  closers.push(() => redis.stop());
  return redis;
}

async function openClient(url: string): Promise<Redis> {
  const client = new Redis(url, redisServingOptions);
  // It reports every attempt to connect while the server is away.
  client.on("error", () => undefined);
  closers.push(() => Promise.resolve(client.disconnect()));
  await once(client, "ready");
  return client;
}

async function open(options: Omit<Parameters<typeof serveNode>[1], "directory">) {
  const server = await serveNode(features, { directory: ":memory:", ...options });
  closers.push(() => server.close());
  return new Traffic(server);
}

interface Answered {
  readonly atMs: number;
  /** Null where the request failed. */
  readonly answer: RegionAnswer | null;
  readonly user: string;
}

/** Requests one after the other, each checked against what was acknowledged before it was sent. */
class Traffic {
  readonly #url: string;
  readonly events = new Map(users.map((user): [string, SentEvent[]] => [user, []]));
  readonly reads: Answered[] = [];
  readonly ingests: { readonly atMs: number; readonly isAcked: boolean }[] = [];

  constructor({ url }: RunningServer) {
    this.#url = url;
  }

  async ingest(): Promise<void> {
    const number = this.ingests.length;
    const user = users[number % users.length] as string;
    const event = { id: `e${number}`, ackedAtMs: Infinity };
    this.events.get(user)?.push(event);
    const record = { user_id: user, id: event.id, ts: new Date(clock.now() - 1).toISOString() };
    const response = await this.#post("/ingest", {
      workspace_name: "prod",
      dry_run: false,
      records: { clicks: [{ record }] },
    });
    if (response.ok) event.ackedAtMs = clock.now();
    else expect(response.status).toBe(503);
    this.ingests.push({ atMs: clock.now(), isAcked: response.ok });
  }

  async read(): Promise<Answered> {
    const user = users[this.reads.length % users.length] as string;
    const response = await this.#post("/api/v1/feature-service/get-features", {
      params: {
        workspaceName: "prod",
        featureServiceName: "seen_service",
        joinKeyMap: { user_id: user },
        metadataOptions: { includeServingStatus: true, includeDetails: true },
      },
    });
    if (!response.ok) expect(response.status).toBe(503);
    const answer = response.ok ? ((await response.json()) as RegionAnswer) : null;
    const answered = { atMs: clock.now(), answer, user };
    this.reads.push(answered);
    return answered;
  }

  async during(action: () => Promise<void>): Promise<void> {
    const end = new AbortController();
    const goOn = async (body: () => Promise<unknown>) => {
      while (!end.signal.aborted) {
        await body();
        await setTimeout(10);
      }
    };
    const loads = Promise.all([goOn(() => this.ingest()), goOn(() => this.read())]);
    await Promise.race([action(), loads]);
    end.abort();
    await loads;
  }

  /** Expects of every user all that was acknowledged, and nothing twice. */
  async expectNothingLost(): Promise<void> {
    for (let i = 0; i < users.length; i++) {
      const { answer, user } = await this.read();
      const verdict = checkRead(answer as RegionAnswer, this.events.get(user) ?? [], Infinity);
      expect(verdict, `user ${user}`).toEqual({ isStale: false, isGap: false, wrong: null });
    }
  }

  #post(path: string, body: unknown): Promise<Response> {
    return fetch(this.#url + path, { method: "POST", body: JSON.stringify(body) });
  }
}

test("a Redis killed under load and started again: errors end within a second, nothing is lost", async () => {
  const redis = await openRedis();
  const traffic = await open({ store: new RedisStore(await openClient(redis.url)) });
  let killedAtMs = Infinity;
  let backAtMs = Infinity;
  await traffic.during(async () => {
    await setTimeout(1_000);
    await redis.kill();
    killedAtMs = clock.now();
    await setTimeout(2_000);
    await redis.restart();
    backAtMs = clock.now();
    await setTimeout(2_500);
  });
  const { reads, ingests } = traffic;
  const inTheDark = reads.filter(({ atMs }) => atMs > killedAtMs + 100 && atMs < backAtMs - 100);
  expect(inTheDark.length).toBeGreaterThan(10);
  // Every user had been read before: each gets what it had then, and is told so.
  expect(reads.filter(({ answer }) => answer === null)).toEqual([]);
  expect(inTheDark.filter(({ answer }) => !isStale(answer))).toEqual([]);
  expect(ingests.some(({ isAcked }) => !isAcked)).toBe(true);
  const after = backAtMs + 1_000;
  expect(ingests.filter(({ atMs, isAcked }) => atMs > after && !isAcked)).toEqual([]);
  expect(reads.filter(({ atMs, answer }) => atMs > after && isStale(answer))).toEqual([]);
  // What was refused is in the log all the same, or it is not: it may count, and once.
  await traffic.expectNothingLost();
});

test("a Redis that hangs: a copy answers within the deadline, and says how old it may be", async () => {
  const primary = await openRedis();
  const copy = await openRedis();
  const source = await openClient(primary.url);
  await source.config("SET", "repl-diskless-sync-delay", "0");
  const client = await openClient(copy.url);
  await client.replicaof("127.0.0.1", primary.port);
  const replica = { reader: new RedisStore(client), stalenessMsMax: 1_000 };
  const store = new RedisStore(source);
  const traffic = await open({ store, replica });
  for (let i = 0; i < 40; i++) await traffic.ingest();
  const patience = { timeout: 30_000 };
  await expect.poll(() => client.info("replication"), patience).toContain("master_link_status:up");
  await expect.poll(() => client.dbsize(), patience).toBe(users.length);
  primary.pause();
  try {
    for (let i = 0; i < 20; i++) {
      const startedAtMs = clock.now();
      const { answer, user, atMs } = await traffic.read();
      expect(isStale(answer)).toBe(true);
      expect(atMs - startedAtMs).toBeLessThan(2_000);
      const events = traffic.events.get(user) ?? [];
      expect(checkRead(answer as RegionAnswer, events, Infinity).wrong).toBeNull();
    }
  } finally {
    primary.resume();
  }
  await setTimeout(1_000);
  await traffic.expectNothingLost();
});

function isStale(answer: RegionAnswer | null): boolean {
  return answer?.metadata.features[0]?.details?.stale === true;
}
