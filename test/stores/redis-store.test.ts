import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Redis } from "ioredis";
import { RedisStore } from "../../adapters/stores/redis-store.ts";
import { FeatureError } from "../../src/core/errors.ts";
import { startRedisCluster } from "../builders/redis-cluster.ts";
import type { RedisCluster } from "../builders/redis-cluster.ts";
import { startRedis } from "../builders/redis-server.ts";
import type { RedisServer } from "../builders/redis-server.ts";
import { connectRedis, connectRedisCluster } from "./open-redis.ts";

let server: RedisServer;
let client: Redis;
let cluster: RedisCluster;

beforeAll(async () => {
  server = await startRedis();
  ({ client } = await connectRedis(server.url));
  cluster = await startRedisCluster();
});

afterAll(async () => {
  client.disconnect();
  await server.stop();
  await cluster.stop();
});

test.each([
  [1, 1],
  [999, 1],
  [1_000, 1],
  [1_001, 2],
  [2_500, 3],
])("RedisStore.readMany() of %i keys sends %i MGET and nothing else", async (count, trips) => {
  const store = new RedisStore(client);
  const keys = Array.from({ length: count }, (_, i) => `tm/v/f/u${i}/b`);
  await client.config("RESETSTAT");
  expect(await store.readMany([...keys, ...keys])).toHaveLength(2 * count);
  expect(await countCalls(client)).toEqual({ mget: trips });
});

test("RedisStore.readMany() of no keys sends nothing", async () => {
  await client.config("RESETSTAT");
  expect(await new RedisStore(client).readMany([])).toEqual([]);
  expect(await countCalls(client)).toEqual({});
});

test("RedisStore.write() sends one EVAL for what fits in one, each value in one at most", async () => {
  const store = new RedisStore(client);
  const writeOf = (count: number, sizeBytes: number) =>
    store.write(
      Array.from({ length: count }, (_, i) => ({
        key: `tm/v/f/w${count}-${i}/b`,
        bytes: new Uint8Array(sizeBytes),
      })),
    );
  for (const [count, sizeBytes, scripts] of [
    [1_000, 100, 1],
    [1_001, 100, 2],
    [3, 4 * 2 ** 20, 2],
    [2, 9 * 2 ** 20, 2],
  ] as const) {
    await client.config("RESETSTAT");
    expect(await writeOf(count, sizeBytes)).toEqual(Array.from({ length: count }, () => true));
    const calls = await countCalls(client);
    expect(calls).toEqual({ eval: scripts, set: count });
  }
});

test("RedisStore in a Cluster sends one MGET and one EVAL an entity", async () => {
  const clusterClient = await connectRedisCluster(cluster.nodes);
  const store = new RedisStore(clusterClient, { cluster: true });
  const entities = Array.from({ length: 40 }, (_, i) => `u${i}`);
  const keys = entities.flatMap((entity) => {
    return ["tm/v/f", "tm/w/g"].flatMap((view) => [`${view}/${entity}/b`, `${view}/${entity}/s`]);
  });
  const nodes = clusterClient.nodes("master");
  expect(nodes).toHaveLength(3);
  for (const node of nodes) await node.config("RESETSTAT");
  await store.write(keys.map((key, i) => ({ key, bytes: Uint8Array.of(i) })));
  const read = await store.readMany(keys);
  expect(read.map((value) => value?.bytes[0])).toEqual(keys.map((_, i) => i));
  const counts = await Promise.all(nodes.map(countCalls));
  const sum = (command: string) =>
    counts.reduce((total, calls) => total + (calls[command] ?? 0), 0);
  expect([sum("mget"), sum("eval"), sum("set")]).toEqual([40, 40, 160]);
  // The entities are spread, and none was asked for at the wrong node.
  for (const calls of counts) expect(calls["mget"]).toBeGreaterThan(3);
  expect(new Set(counts.flatMap((calls) => Object.keys(calls)))).toEqual(
    new Set(["mget", "eval", "set"]),
  );
  clusterClient.disconnect();
});

test("RedisStore keeps the bytes behind 8 others, which are new with every write", async () => {
  const store = new RedisStore(client);
  const nonces = new Set<string>();
  for (let i = 0; i < 3; i++) {
    await store.write([{ key: "tm/v/f/raw/b", bytes: Uint8Array.of(1, 2) }]);
    const value = (await client.getBuffer("tm/v/f/{raw}/b")) as Buffer;
    expect([...value.subarray(8)]).toEqual([1, 2]);
    nonces.add(value.subarray(0, 8).toString("hex"));
    const [read] = await store.readMany(["tm/v/f/raw/b"]);
    expect(read?.version).toBe(value.subarray(0, 8).toString("hex"));
  }
  expect(nonces.size).toBe(3);
});

test("RedisStore.readMany() rejects for a value that it cannot have written", async () => {
  await client.set("foreign", "short");
  const read = new RedisStore(client).readMany(["foreign"]);
  await expect(read).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

test("RedisStore passes on nothing of a command that Redis refuses", async () => {
  await client.call("ACL", "SETUSER", "reader", "on", ">a-password", "+info", "+mget", "~allowed");
  const limited = await connectRedis(server.url.replace("//", "//reader:a-password@"));
  const store = new RedisStore(limited.client);
  const secret = new TextEncoder().encode("a secret value");
  for (const call of [
    () => store.readMany(["tm/v/f/secret-key/b"]),
    () => store.write([{ key: "tm/v/f/secret-key/b", bytes: secret }]),
  ]) {
    const error = await call().then(String, (each: unknown) => each as FeatureError);
    expect(error).toBeInstanceOf(FeatureError);
    expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
    const { cause } = error as FeatureError;
    expect(Object.keys(cause as Error)).toEqual([]);
    expect((cause as Error).message).toBe("ReplyError: NOPERM");
  }
  limited.client.disconnect();
});

const wrongAnswers: readonly [what: string, answer: unknown][] = [
  ["too few values", []],
  ["too many values", [null, null]],
  ["text", ["a text of some length"]],
  ["nothing", null],
];

test.each(wrongAnswers)(
  "RedisStore takes %s for a failure, not for a missing key",
  async (_, answer) => {
    const store = new RedisStore({ callBuffer: () => Promise.resolve(answer) });
    const failure = { code: "STORE_UNAVAILABLE", retryable: true };
    await expect(store.readMany(["a"])).rejects.toMatchObject(failure);
    await expect(store.write([{ key: "a", bytes: null }])).rejects.toMatchObject(failure);
  },
);

test("RedisStore.readMany() rejects as soon as it is aborted, and lets the signal go", async () => {
  const store = new RedisStore(client);
  const controller = new AbortController();
  server.pause();
  const read = store.readMany(["tm/v/f/a/b"], { signal: controller.signal });
  const outcome = expect(read).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  const started = process.hrtime.bigint();
  controller.abort(new Error("no longer wanted"));
  await outcome;
  expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(250);
  server.resume();
  expect(await store.readMany(["tm/v/f/a/b"])).toEqual([null]);
});

test("RedisStore in a Cluster rejects while one node of three is away, and finds it again", async () => {
  const clusterClient = await connectRedisCluster(cluster.nodes);
  const store = new RedisStore(clusterClient, { cluster: true });
  const keys = Array.from({ length: 60 }, (_, i) => `tm/v/f/away${i}/b`);
  await store.write(keys.map((key) => ({ key, bytes: Uint8Array.of(1) })));
  await cluster.servers[1]?.kill();
  for (let i = 0; i < 3; i++) {
    await expect(store.readMany(keys)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  }
  await cluster.servers[1]?.restart();
  // A node of a Cluster that starts again takes no commands for its first two seconds.
  const { length } = await vi.waitFor(() => store.readMany(keys), { timeout: 20_000 });
  expect(length).toBe(60);
  clusterClient.disconnect();
});

/** How often the server ran each command, but for those that ask for this. */
async function countCalls(asked: Redis): Promise<Record<string, number>> {
  const info = await asked.info("commandstats");
  const lines = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  const own = new Set(["config|resetstat", "info", "ping", "cluster|slots", "client|setinfo"]);
  return Object.fromEntries(
    lines
      .filter(([, name]) => !own.has(name ?? ""))
      .map(([, name, calls]) => [name, Number(calls)]),
  );
}
