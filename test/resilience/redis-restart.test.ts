/** A real Redis, killed under load and started again, behind a resilient reader. */

import { once } from "node:events";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { redisServingOptions } from "../../adapters/stores/redis-options.ts";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import type { OnlineStore, Staleness } from "../../src/store/online-store.ts";
import { RecordCache } from "../../src/store/resilient/record-cache.ts";
import { resilientReader } from "../../src/store/resilient/resilient-reader.ts";
import { withDeadline } from "../../src/store/resilient/with-deadline.ts";
import { randomFrom } from "../builders/random.ts";
import { startRedis } from "../builders/redis-server.ts";
import type { RedisServer } from "../builders/redis-server.ts";

const clock = hostClock();
const readGapMs = 5;
const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`);

let server: RedisServer;
let client: Redis;
let store: OnlineStore;

beforeAll(async () => {
  server = await startRedis({ appendOnly: true });
  client = new Redis(server.url, redisServingOptions);
  // It reports every attempt to connect while the server is away.
  client.on("error", () => undefined);
  await once(client, "ready");
  store = new RedisStore(client);
});

afterAll(async () => {
  client?.disconnect();
  await server?.stop();
});

interface Read {
  readonly startMs: number;
  readonly endMs: number;
  readonly error: unknown;
  readonly staleness: Staleness | null;
}

/** 200 reads a second, each sent in its time whatever becomes of those before it. */
async function readUntil(stop: AbortSignal, cache: RecordCache | null): Promise<Read[]> {
  const random = randomFrom(3).next;
  const reader = resilientReader({ primary: store, ...(cache && { cache }), clock, random });
  const reads: Promise<Read>[] = [];
  const firstMs = clock.now();
  const readOnce = async (): Promise<Read> => {
    const startMs = clock.now();
    const { signal, dispose } = withDeadline(clock, 2_000);
    let staleness: Staleness | null = null;
    const onStale = (told: Staleness) => (staleness = told);
    const asked = [0, 7, 14].map((step) => keys[(reads.length + step) % keys.length] as string);
    try {
      await reader.readMany(asked, { signal, onStale });
      return { startMs, endMs: clock.now(), error: null, staleness };
    } catch (error) {
      return { startMs, endMs: clock.now(), error, staleness };
    } finally {
      dispose();
    }
  };
  while (!stop.aborted) {
    reads.push(readOnce());
    await clock.sleep(Math.max(0, firstMs + reads.length * readGapMs - clock.now()));
  }
  return Promise.all(reads);
}

/** Writes one new key after the other; answers those whose write was acknowledged. */
async function writeUntil(stop: AbortSignal, prefix: string): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let i = 0; !stop.aborted; i++) {
    const key = `${prefix} ${i}`;
    const isWritten = await store.write([{ key, bytes: Uint8Array.of(1) }]).then(
      () => true,
      () => false,
    );
    if (!isWritten) break;
    acknowledged.push(key);
  }
  return acknowledged;
}

async function playRestart(cache: RecordCache | null) {
  await store.write(keys.map((key) => ({ key, bytes: new TextEncoder().encode(key) })));
  await Promise.all(keys.map((key) => store.readMany([key])));
  const stop = new AbortController();
  const load = readUntil(stop.signal, cache);
  const writing = writeUntil(stop.signal, `written ${clock.now()}`);
  await clock.sleep(1_500);
  const killedMs = clock.now();
  await server.kill();
  await clock.sleep(2_000);
  await server.restart();
  const backMs = clock.now();
  await clock.sleep(2_500);
  stop.abort();
  return { reads: await load, written: await writing, killedMs, backMs };
}

async function countLost(written: readonly string[]): Promise<number> {
  const trips = Array.from({ length: Math.ceil(written.length / 500) }, (_, i) =>
    written.slice(i * 500, (i + 1) * 500),
  );
  const values = await Promise.all(trips.map((trip) => store.readMany(trip)));
  return values.flat().filter((value) => value === null).length;
}

test("resilientReader() answers within a second of a killed Redis being back, and no write is lost", async () => {
  const { reads, written, killedMs, backMs } = await playRestart(null);
  const isFailed = ({ error }: Read) => error !== null;
  const before = reads.filter(({ endMs }) => endMs < killedMs);
  const dark = reads.filter(({ startMs }) => startMs > killedMs + 500 && startMs < backMs - 500);
  const after = reads.filter(({ startMs }) => startMs > backMs + 1_000);
  expect(before.length).toBeGreaterThan(200);
  expect(dark.length).toBeGreaterThan(150);
  expect(after.length).toBeGreaterThan(200);
  expect(before.filter(isFailed)).toEqual([]);
  expect(dark.filter((read) => !isFailed(read))).toEqual([]);
  expect(after.filter(isFailed)).toEqual([]);
  for (const { error } of dark) expect(error).toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(written.length).toBeGreaterThan(100);
  expect(await countLost(written)).toBe(0);
});

test("resilientReader() with a cache fails no read of a killed Redis, and says which are old", async () => {
  const { reads, written, killedMs, backMs } = await playRestart(new RecordCache());
  const old = reads.filter(({ staleness }) => staleness !== null);
  expect(reads.filter(({ error }) => error !== null)).toEqual([]);
  expect(old.filter(({ startMs, endMs }) => endMs < killedMs || startMs > backMs + 1_000)).toEqual(
    [],
  );
  const dark = reads.filter(({ startMs }) => startMs > killedMs + 500 && startMs < backMs - 500);
  expect(dark.length).toBeGreaterThan(150);
  expect(dark.filter(({ staleness }) => staleness === null)).toEqual([]);
  for (const { staleness } of old) expect(staleness?.asOfMs).toBeLessThanOrEqual(killedMs);
  expect(await countLost(written)).toBe(0);
});

test("resilientReader() answers in time, and again within a second, where Redis halts for a while", async () => {
  const stop = new AbortController();
  const load = readUntil(stop.signal, new RecordCache());
  await clock.sleep(500);
  const haltedMs = clock.now();
  server.pause();
  await clock.sleep(1_500);
  server.resume();
  const backMs = clock.now();
  await clock.sleep(2_000);
  stop.abort();
  const reads = await load;
  const old = reads.filter(({ staleness }) => staleness !== null);
  const late = old.filter(({ startMs }) => startMs > haltedMs + 600 && startMs < backMs);
  expect(reads.filter(({ error }) => error !== null)).toEqual([]);
  expect(Math.max(...reads.map(({ startMs, endMs }) => endMs - startMs))).toBeLessThan(1_500);
  expect(late.length).toBeGreaterThan(100);
  expect(old.filter(({ startMs }) => startMs > backMs + 1_000)).toEqual([]);
});
