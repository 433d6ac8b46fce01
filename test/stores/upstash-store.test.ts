import { EventEmitter, once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createUpstashClient } from "../../adapters/stores/upstash-client.ts";
import { UpstashStore } from "../../adapters/stores/upstash-store.ts";
import { startRecordingProxy } from "../builders/recording-proxy.ts";
import type { RecordedRequest, RecordingProxy } from "../builders/recording-proxy.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import type { UpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import { describeStore } from "./describe-store.ts";

describeStore("UpstashStore over the bridge", { compareAndSet: true }, async () => {
  const upstash = await startUpstashOnRedis();
  // The client's error for a wrong token holds the whole command.
  const failing = new UpstashStore(createUpstashClient({ ...upstash, token: "another" }));
  return {
    store: new UpstashStore(createUpstashClient(upstash), { stalenessMsMax: 0 }),
    failing,
    close: () => upstash.close(),
  };
});

describe("UpstashStore", () => {
  let upstash: UpstashOnRedis;
  let proxy: RecordingProxy;
  let store: UpstashStore;
  beforeAll(async () => {
    upstash = await startUpstashOnRedis();
    proxy = await startRecordingProxy(upstash.url);
    store = new UpstashStore(createUpstashClient({ ...upstash, url: proxy.url }));
  });
  afterAll(async () => {
    await proxy.close();
    await upstash.close();
  });

  test.each([
    ["one entity", 2, 1],
    ["100 entities", 200, 1],
    ["a full trip", 1_000, 1],
    ["a trip and one", 1_001, 2],
    ["twelve trips and a half", 12_500, 13],
  ])("readMany() of %s, %i keys, is %i requests", async (_name, keyCount, requestCount) => {
    const keys = Array.from({ length: keyCount }, (_, i) => `count-${keyCount}/${i}`);
    await store.write(keys.slice(0, 900).map((key, i) => ({ key, bytes: Uint8Array.of(i & 255) })));
    proxy.requests.length = 0;
    const read = await store.readMany([...keys, ...keys.slice(0, 7)]);
    expect(read.filter((value) => value !== null)).toHaveLength(
      Math.min(keyCount, 900) + Math.min(keyCount, 7),
    );
    expect(proxy.requests).toHaveLength(requestCount);
    for (const request of proxy.requests) {
      expect(request).toMatchObject({ method: "POST", path: "/" });
      expect(commandOf(request)[0]).toBe("mget");
    }
    expect(proxy.requests.flatMap((request) => commandOf(request).slice(1)).sort()).toEqual(
      keys.sort(),
    );
  });

  test("readMany() tells the service nothing but the command and the credentials", async () => {
    proxy.requests.length = 0;
    await store.readMany(["a"]);
    const names = Object.keys(proxy.requests[0]?.headers ?? {});
    expect(names).toContain("authorization");
    expect(names.filter((name) => name.startsWith("upstash-"))).toEqual(["upstash-sync-token"]);
  });

  test("write() is one request for many keys, guarded or not, and more past its length", async () => {
    const keys = Array.from({ length: 300 }, (_, i) => `write/${i}`);
    proxy.requests.length = 0;
    const writes = keys.map((key, i) => {
      return { key, bytes: Uint8Array.of(1), ...(i % 2 === 0 ? {} : { expectedVersion: null }) };
    });
    expect(await store.write(writes)).toEqual(keys.map(() => true));
    expect(proxy.requests.map((request) => commandOf(request)[0])).toEqual(["eval"]);
    proxy.requests.length = 0;
    const large = keys
      .slice(0, 7)
      .map((key) => ({ key, bytes: new Uint8Array(2_500_000).fill(7) }));
    await store.write([...large, { key: "last", bytes: null }]);
    // Two of 3.3 million characters each fit into a request of 8 million.
    expect(proxy.requests).toHaveLength(4);
    for (const { body } of proxy.requests) expect(body.length).toBeLessThan(8_010_000);
    proxy.requests.length = 0;
    const many = Array.from({ length: 2_001 }, (_, i) => ({ key: `many/${i}`, bytes: null }));
    expect(await store.write(many)).toEqual(many.map(() => true));
    expect(proxy.requests).toHaveLength(3);
  });

  test("write() of the largest value is a request that the service takes", async () => {
    const bytes = new Uint8Array(store.capabilities.valueBytesMax).fill(0xff);
    proxy.requests.length = 0;
    await store.write([{ key: "k".repeat(2048), bytes }]);
    expect(proxy.requests[0]?.body.length).toBeLessThan(10_000_000);
  });

  test("readMany() refuses text that no UpstashStore wrote", async () => {
    const headers = { authorization: `Bearer ${upstash.token}` };
    for (const text of ["short", "twelve-chars***"]) {
      await fetch(`${upstash.url}/set/foreign`, { method: "POST", headers, body: text });
      await expect(store.readMany(["foreign"])).rejects.toMatchObject({ code: "CORRUPT_RECORD" });
    }
  });

  test("UpstashStore says that reads may be of any age, unless told", () => {
    const client = createUpstashClient(upstash);
    expect(new UpstashStore(client).capabilities.stalenessMsMax).toBe(Infinity);
  });

  test("readMany() and write() reject, retryable, where nothing listens or an answer is lost", async () => {
    const dropping = await startRecordingProxy(upstash.url, { dropsAnswer: () => true });
    try {
      for (const url of ["http://127.0.0.1:1", dropping.url]) {
        const broken = new UpstashStore(createUpstashClient({ ...upstash, url }));
        const error = { code: "STORE_UNAVAILABLE", retryable: true };
        await expect(broken.readMany(["a"])).rejects.toMatchObject(error);
        const write = broken.write([
          { key: "lost", bytes: Uint8Array.of(1), expectedVersion: null },
        ]);
        await expect(write).rejects.toMatchObject(error);
      }
      // Sent once: the write whose answer was lost has been applied once, and was not tried again.
      expect(dropping.requests).toHaveLength(2);
      expect((await store.readMany(["lost"]))[0]?.bytes).toEqual(Uint8Array.of(1));
    } finally {
      await dropping.close();
    }
  });

  test("readMany() rejects where the service does not answer in time", async () => {
    const silent = await startRecordingProxy(upstash.url, { hold: () => new Promise(() => {}) });
    try {
      const client = createUpstashClient({ ...upstash, url: silent.url });
      const impatient = new UpstashStore(client, { requestMsMax: 50 });
      await expect(impatient.readMany(["a"])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      await expect(impatient.write([{ key: "a", bytes: null }])).rejects.toMatchObject({
        code: "STORE_UNAVAILABLE",
      });
    } finally {
      await silent.close();
    }
  });

  test("readMany() of several callers at once is called off by its own signal alone", async () => {
    const gate = new EventEmitter().setMaxListeners(30);
    const allArrived = once(gate, "arrived");
    let waiting = 0;
    const slow = await startRecordingProxy(upstash.url, {
      hold: async () => {
        const opened = once(gate, "open");
        waiting += 1;
        if (waiting === 20) gate.emit("arrived");
        await opened;
      },
    });
    try {
      const shared = new UpstashStore(createUpstashClient({ ...upstash, url: slow.url }));
      await store.write([{ key: "signals", bytes: Uint8Array.of(5) }]);
      const controllers = Array.from({ length: 20 }, () => new AbortController());
      const reads = controllers.map(({ signal }, i) =>
        shared.readMany(["signals"], i % 4 === 3 ? {} : { signal }),
      );
      const outcomes = Promise.allSettled(reads);
      await allArrived;
      controllers.forEach((controller, i) => {
        if (i % 2 === 0) controller.abort();
      });
      await Promise.allSettled(reads.filter((_, i) => i % 2 === 0));
      gate.emit("open");
      (await outcomes).forEach((outcome, i) => {
        if (i % 2 === 1) {
          expect(outcome).toMatchObject({ value: [{ bytes: Uint8Array.of(5) }] });
        } else {
          expect(outcome).toMatchObject({ reason: { code: "STORE_UNAVAILABLE" } });
        }
      });
    } finally {
      await slow.close();
    }
  });
});

function commandOf(request: RecordedRequest): string[] {
  return JSON.parse(request.body) as string[];
}
