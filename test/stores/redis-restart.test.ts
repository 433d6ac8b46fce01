import { expect, onTestFinished, test } from "vitest";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";
import { startRedis } from "../builders/redis-server.ts";
import type { RedisServerOptions } from "../builders/redis-server.ts";
import { connectRedis } from "./open-redis.ts";

async function startStore(options: RedisServerOptions) {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  const { client, errors } = await connectRedis(server.url);
  onTestFinished(() => client.disconnect());
  return { server, store: new RedisStore(client), errors };
}

test("RedisStore rejects at once while Redis is away, and reads a second after it is back", async () => {
  const { server, store, errors } = await startStore({ appendOnly: true });
  const key = "tm/v/f/a/b";
  await store.write([{ key, bytes: Uint8Array.of(7) }]);
  const [before] = await store.readMany([key]);
  for (let round = 0; round < 2; round++) {
    await server.kill();
    for (let i = 0; i < 20; i++) {
      const { elapsedMs, code } = await timed(() => store.readMany([key]));
      expect(code).toBe("STORE_UNAVAILABLE");
      expect(elapsedMs).toBeLessThan(250);
      await sleep(20);
    }
    await server.restart();
    const { elapsedMs } = await timed(() => untilRead(store, key));
    expect(elapsedMs).toBeLessThan(1_000);
    // What was acknowledged before the crash is there, and its version too.
    expect(await store.readMany([key])).toEqual([before]);
  }
  expect(errors.length).toBeGreaterThan(0);
});

test("RedisStore rejects reads under way when Redis ends, and answers no missing key", async () => {
  const { server, store } = await startStore({ appendOnly: true });
  await store.write([{ key: "a", bytes: Uint8Array.of(7) }]);
  server.pause();
  const reads = Array.from({ length: 10 }, () => timed(() => store.readMany(["a"])));
  await sleep(50);
  await server.kill();
  for (const { code } of await Promise.all(reads)) expect(code).toBe("STORE_UNAVAILABLE");
});

test("RedisStore gives up on a Redis that is halted, and finds it again", async () => {
  const { server, store } = await startStore({});
  server.pause();
  const { elapsedMs, code } = await timed(() => store.readMany(["a"]));
  expect(code).toBe("STORE_UNAVAILABLE");
  expect(elapsedMs).toBeLessThan(6_000);
  server.resume();
  await untilRead(store, "a");
});

test("RedisStore.write() applies no write twice and loses none that it acknowledged", async () => {
  const { server, store } = await startStore({ appendOnly: true });
  const writers = Array.from({ length: 4 }, (_, i) => writeCounts(store, `tm/v/f/w${i}/s`));
  for (let round = 0; round < 3; round++) {
    await sleep(300);
    await server.kill();
    await server.restart();
  }
  await sleep(300);
  for (const writer of writers) {
    const { key, acknowledged, unknown } = await writer.stop();
    expect(acknowledged).toBeGreaterThan(20);
    // Each write adds one to what it read under a guard: one that was sent twice would show.
    const [value] = await store.readMany([key]);
    const count = new DataView(Uint8Array.from(value?.bytes ?? []).buffer).getUint32(0);
    expect(count).toBeGreaterThanOrEqual(acknowledged);
    expect(count).toBeLessThanOrEqual(acknowledged + unknown);
  }
});

/** Adds one to a number again and again, guarded, until it is stopped. */
function writeCounts(store: OnlineStore, key: string) {
  let isStopped = false;
  let acknowledged = 0;
  let unknown = 0;
  let conflicts = 0;
  const running = run();
  return {
    stop: async () => {
      isStopped = true;
      await running;
      // It is the only writer of its key: a guard that fails was met by its own earlier write.
      expect(conflicts).toBe(0);
      return { key, acknowledged, unknown };
    },
  };

  async function run(): Promise<void> {
    while (!isStopped) {
      const outcome = await addOne().catch(() => "away" as const);
      if (outcome === "away") await sleep(10);
    }
  }

  async function addOne(): Promise<void> {
    const [value = null] = await store.readMany([key]);
    const bytes = value === null ? new Uint8Array(4) : value.bytes.slice();
    const view = new DataView(bytes.buffer);
    view.setUint32(0, view.getUint32(0) + 1);
    const write = { key, bytes, expectedVersion: value?.version ?? null };
    unknown += 1;
    const [isApplied] = await store.write([write]);
    unknown -= 1;
    if (isApplied === true) acknowledged += 1;
    else conflicts += 1;
  }
}

async function untilRead(store: OnlineStore, key: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const { code } = await timed(() => store.readMany([key]));
    if (code === null) return;
    await sleep(10);
  }
  throw new Error("Redis is not found again");
}

/** How long a call takes, and the code of its error. */
async function timed(call: () => Promise<unknown>) {
  const started = process.hrtime.bigint();
  const code = await call().then(
    () => null,
    (error: unknown) => (error as { readonly code: string }).code,
  );
  return { elapsedMs: Number(process.hrtime.bigint() - started) / 1e6, code };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
