/**
 * What the client of Upstash does by its defaults, and that `UpstashStore` does not. Where the first
 * half of a test fails, the client has changed, and a setting may have become needless.
 */

import { Redis } from "@upstash/redis/cloudflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createUpstashClient } from "../../adapters/stores/upstash-client.ts";
import { UpstashStore } from "../../adapters/stores/upstash-store.ts";
import { startRecordingProxy } from "../builders/recording-proxy.ts";
import type { ProxyOptions, RecordingProxy } from "../builders/recording-proxy.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import type { UpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";

let upstash: UpstashOnRedis;
beforeAll(async () => {
  upstash = await startUpstashOnRedis();
});
afterAll(() => upstash.close());

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
const unavailable = { code: "STORE_UNAVAILABLE" };

test("an aborted signal: the client answers null, the store rejects", async () => {
  await withProxy({}, async (proxy, url) => {
    const store = new UpstashStore(createUpstashClient({ ...upstash, url }));
    await store.write([{ key: "there", bytes: everyByte }]);
    const signal = AbortSignal.abort();
    const alone = new Redis({ ...upstash, url, signal, enableAutoPipelining: false });
    expect(await alone.get("there")).toBe(null);
    await expect(new Redis({ ...upstash, url, signal }).get("there")).rejects.toThrow(TypeError);
    await expect(store.readMany(["there"], { signal })).rejects.toMatchObject(unavailable);
    const controller = new AbortController();
    const read = store.readMany(["there"], { signal: controller.signal });
    controller.abort();
    await expect(read).rejects.toMatchObject(unavailable);
    expect(proxy.requests.filter(({ body }) => body.includes("mget"))).toHaveLength(0);
  });
});

test("22: a lost answer: the client sends a write again, the store sends it once", async () => {
  await withProxy({ dropsAnswer: () => true }, async (proxy, url) => {
    const without = new Redis({ ...upstash, url, retry: false, enableAutoPipelining: false });
    await expect(without.incr("twice")).rejects.toThrow();
    expect(proxy.requests).toHaveLength(2);
    expect(await readText("twice")).toBe("2");
    proxy.requests.length = 0;
    const backoff = () => 1;
    const some = new Redis({ ...upstash, url, retry: { backoff }, enableAutoPipelining: false });
    await expect(some.incr("often")).rejects.toThrow();
    expect(proxy.requests).toHaveLength(6);
    expect(await readText("often")).toBe("6");
    proxy.requests.length = 0;
    const store = new UpstashStore(createUpstashClient({ ...upstash, url }));
    await expect(store.write([{ key: "once", bytes: everyByte }])).rejects.toMatchObject(
      unavailable,
    );
    await expect(store.readMany(["once"])).rejects.toMatchObject(unavailable);
    expect(proxy.requests).toHaveLength(2);
  });
});

test("22: a dropped connection: the client waits for four seconds, the store not at all", async () => {
  const url = "http://127.0.0.1:1";
  const startMs = process.hrtime.bigint();
  await expect(new Redis({ ...upstash, url }).get("a")).rejects.toThrow();
  expect(millisecondsSince(startMs)).toBeGreaterThan(4_000);
  const store = new UpstashStore(createUpstashClient({ ...upstash, url }));
  const storeStartMs = process.hrtime.bigint();
  await expect(store.readMany(["a"])).rejects.toMatchObject(unavailable);
  expect(millisecondsSince(storeStartMs)).toBeLessThan(2_000);
});

test("values as JSON: the client changes what was written, the store does not", async () => {
  const naive = new Redis(upstash);
  const exact = '{"a":9007199254740993}';
  const met = [];
  for (const text of ["null", "true", "1234", exact]) {
    await naive.set("text", text);
    met.push(await naive.get("text"));
  }
  expect(met).toEqual([null, true, 1234, { a: Number("9007199254740992") }]);
  const store = new UpstashStore(createUpstashClient(upstash));
  for (const text of ["null", "true", "1234", exact]) {
    const bytes = new TextEncoder().encode(text);
    await store.write([{ key: "bytes", bytes }]);
    expect((await store.readMany(["bytes"]))[0]?.bytes).toEqual(bytes);
  }
});

test("bytes: the client writes an object and reads U+FFFD, the store neither", async () => {
  const naive = new Redis({ ...upstash, automaticDeserialization: false });
  await naive.set("typed", Uint8Array.of(1, 2));
  expect(await readText("typed")).toBe('{"0":1,"1":2}');
  const body = Uint8Array.of(0xff, 0xc3, 0x28);
  await fetch(`${upstash.url}/set/raw?_token=${upstash.token}`, { method: "POST", body });
  expect(await naive.get("raw")).toBe("\ufffd\ufffd(");
  const store = new UpstashStore(createUpstashClient(upstash));
  await store.write([{ key: "kept", bytes: everyByte }]);
  expect((await store.readMany(["kept"]))[0]?.bytes).toEqual(everyByte);
});

test("errors: the client's hold the whole command, the store's neither keys nor values", async () => {
  const naive = new Redis({ ...upstash, token: "another" });
  await expect(naive.set("secret-key", "secret-value")).rejects.toThrow(/secret-key.*secret-value/);
  const page = "<html>secret-page</html>";
  const alterAnswer = () => ({ status: 502, body: page });
  await withProxy({ alterAnswer }, async (_proxy, url) => {
    await expect(new Redis({ ...upstash, url }).get("secret-key")).rejects.toThrow(page);
    const wrongToken = createUpstashClient({ ...upstash, token: "secret-token" });
    for (const client of [wrongToken, createUpstashClient({ ...upstash, url })]) {
      const store = new UpstashStore(client);
      const bytes = new TextEncoder().encode("secret-value");
      for (const call of [
        store.readMany(["secret-key"]),
        store.write([{ key: "secret-key", bytes }]),
      ]) {
        const error: unknown = await call.catch((reason: unknown) => reason);
        expect(error).toMatchObject(unavailable);
        const texts = [String(error), String((error as Error).cause), JSON.stringify(error)];
        expect(texts.join()).not.toMatch(/secret|c2VjcmV0/);
      }
    }
  });
});

test("24: pipelines: the client makes several requests of reads at once, the store one", async () => {
  await withProxy({}, async (proxy, url) => {
    const naive = new Redis({ ...upstash, url });
    await Promise.all([naive.get("a"), naive.hgetall("h"), naive.set("b", 1), naive.smembers("s")]);
    expect(proxy.requests.map(({ path }) => path).sort()).toEqual([
      "/",
      "/",
      "/pipeline",
      "/pipeline",
    ]);
    proxy.requests.length = 0;
    await naive.get("a");
    expect(proxy.requests[0]).toMatchObject({ path: "/pipeline", body: '[["get","a"]]' });
    proxy.requests.length = 0;
    await new UpstashStore(createUpstashClient({ ...upstash, url })).readMany(["x", "y", "z"]);
    expect(proxy.requests).toMatchObject([{ path: "/", body: '["mget","x","y","z"]' }]);
  });
});

test("a client that gathers commands is refused: no signal would reach it", async () => {
  const store = new UpstashStore(new Redis({ ...upstash, enableAutoPipelining: true }));
  await expect(store.readMany(["a"])).rejects.toMatchObject({ code: "INTERNAL" });
});

test("23: a script travels as a command, with its keys counted", async () => {
  await withProxy({}, async (proxy, url) => {
    await new Redis({ ...upstash, url, enableAutoPipelining: false }).eval(
      "return KEYS",
      ["k"],
      ["a"],
    );
    expect(proxy.requests[0]).toMatchObject({
      path: "/",
      body: '["eval","return KEYS",1,"k","a"]',
    });
  });
});

test("telemetry: the client tells of the runtime, the store's does not", async () => {
  await withProxy({}, async (proxy, url) => {
    await new Redis({ ...upstash, url }).get("a");
    await new UpstashStore(createUpstashClient({ ...upstash, url })).readMany(["a"]);
    const told = proxy.requests.map(({ headers }) => "upstash-telemetry-sdk" in headers);
    expect(told).toEqual([true, false]);
  });
});

async function withProxy(
  options: ProxyOptions,
  body: (proxy: RecordingProxy, url: string) => Promise<void>,
): Promise<void> {
  const proxy = await startRecordingProxy(upstash.url, options);
  try {
    await body(proxy, proxy.url);
  } finally {
    await proxy.close();
  }
}

async function readText(key: string): Promise<unknown> {
  const response = await fetch(`${upstash.url}/get/${key}?_token=${upstash.token}`);
  return ((await response.json()) as { readonly result: unknown }).result;
}

function millisecondsSince(start: bigint): number {
  return Number((process.hrtime.bigint() - start) / 1_000_000n);
}
