/**
 * Against dynalite. It does not check signatures, does not throttle, and leaves nothing of a batch
 * of writes undone: a proxy before it does the latter two. Its reads are always consistent. It
 * answers 1 MB and an item of a batch of reads, where DynamoDB answers 16 MB.
 */

import { AwsClient, AwsV4Signer } from "aws4fetch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DynamodbStore, dynamodbTable } from "../../adapters/stores/dynamodb-store.ts";
import { startLocalDynamodb } from "../builders/dynamodb-local.ts";
import type { LocalDynamodb } from "../builders/dynamodb-local.ts";
import { startRecordingProxy } from "../builders/recording-proxy.ts";
import type {
  ProxyAnswer,
  ProxyOptions,
  RecordedRequest,
  RecordingProxy,
} from "../builders/recording-proxy.ts";
import { describeStore } from "./describe-store.ts";

describeStore("DynamodbStore over dynalite", { compareAndSet: true }, async () => {
  const { aws, options, close } = await startLocalDynamodb();
  return {
    store: new DynamodbStore(aws, options),
    failing: new DynamodbStore(aws, { ...options, table: "no-such-table" }),
    close,
  };
});

type Batch = Readonly<Record<string, unknown>>;
interface BatchBody {
  readonly RequestItems: { readonly features: { readonly Keys: unknown[] } & unknown[] };
}

describe("DynamodbStore", () => {
  let local: LocalDynamodb;
  beforeAll(async () => {
    local = await startLocalDynamodb();
  });
  afterAll(() => local.close());

  test.each([
    ["one entity", 2, 1],
    ["50 entities", 100, 1],
    ["a trip and one", 101, 2],
    ["100 entities", 250, 3],
    ["many", 1_234, 13],
  ])("readMany() of %s, %i keys, is %i requests", async (_name, keyCount, requestCount) => {
    await withStore({}, async (store, proxy) => {
      const keys = Array.from({ length: keyCount }, (_, i) => `count-${keyCount}/${i}`);
      await store.write(keys.slice(0, 80).map((key) => ({ key, bytes: Uint8Array.of(1) })));
      proxy.requests.length = 0;
      const read = await store.readMany([...keys, ...keys]);
      expect(read.filter((value) => value !== null)).toHaveLength(Math.min(keyCount, 80) * 2);
      expect(proxy.requests.map(operationOf)).toEqual(Array(requestCount).fill("BatchGetItem"));
    });
  });

  test("write() sends 25 unguarded writes a request, after a read, and guarded ones alone", async () => {
    await withStore({}, async (store, proxy) => {
      const writes = Array.from({ length: 60 }, (_, i) => ({
        key: `batch/${i}`,
        bytes: i % 3 === 0 ? null : Uint8Array.of(i),
      }));
      await store.write(writes);
      expect(proxy.requests.map(operationOf)).toEqual([
        "BatchGetItem",
        ...Array<string>(3).fill("BatchWriteItem"),
      ]);
      proxy.requests.length = 0;
      const guard = { expectedVersion: null };
      const applied = await store.write([
        { key: "batch/0", bytes: Uint8Array.of(0), ...guard },
        { key: "batch/1", bytes: Uint8Array.of(0), ...guard },
        { key: "batch/3", bytes: null, ...guard },
        { key: "batch/4", bytes: null, ...guard },
      ]);
      expect(applied).toEqual([true, false, true, false]);
      expect(proxy.requests.map(operationOf).sort()).toEqual([
        "DeleteItem",
        "DeleteItem",
        "PutItem",
        "PutItem",
      ]);
    });
  });

  test("write() sends at most 16 guarded writes at once", async () => {
    let open = 0;
    let openMax = 0;
    const hold = async () => {
      open += 1;
      openMax = Math.max(openMax, open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open -= 1;
    };
    await withStore({ hold }, async (store) => {
      const writes = Array.from({ length: 100 }, (_, i) => {
        return { key: `lanes/${i}`, bytes: Uint8Array.of(i), expectedVersion: null };
      });
      expect(await store.write(writes)).toEqual(writes.map(() => true));
      expect(openMax).toBeGreaterThan(8);
      expect(openMax).toBeLessThanOrEqual(16);
    });
  });

  test("readMany() asks again for keys that an answer left out, and takes none for missing", async () => {
    const keys = Array.from({ length: 230 }, (_, i) => `unprocessed/${i}`);
    await withStore({}, (store) =>
      store.write(keys.map((key, i) => ({ key, bytes: Uint8Array.of(i) }))).then(() => undefined),
    );
    await withStore({ alterRequest: askForSome, alterAnswer: leaveOut }, async (store, proxy) => {
      const read = await store.readMany([...keys, "unprocessed/none"]);
      expect(read.map((value) => value?.bytes[0] ?? null)).toEqual([
        ...keys.map((_, i) => i),
        null,
      ]);
      // Seven keys an answer: 15 requests for each full trip, 5 for the last.
      expect(proxy.requests).toHaveLength(35);
    });

    function askForSome({ body }: RecordedRequest): string {
      const { RequestItems } = JSON.parse(body) as BatchBody;
      const { features } = RequestItems;
      const some = { ...features, Keys: features.Keys.slice(0, 7) };
      return JSON.stringify({ RequestItems: { features: some } });
    }

    function leaveOut({ body }: RecordedRequest, answer: ProxyAnswer): ProxyAnswer {
      const { RequestItems } = JSON.parse(body) as BatchBody;
      const Keys = RequestItems.features.Keys.slice(7);
      const UnprocessedKeys = Keys.length === 0 ? {} : { features: { Keys } };
      return {
        ...answer,
        body: JSON.stringify({ ...(JSON.parse(answer.body) as Batch), UnprocessedKeys }),
      };
    }
  });

  test("write() sends again what an answer left undone", async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `undone/${i}`);
    await withStore({ alterRequest: askForSome, alterAnswer: leaveOut }, async (store, proxy) => {
      await store.write(keys.map((key, i) => ({ key, bytes: Uint8Array.of(i) })));
      // Ten writes an answer, in batches of 25 and 15.
      expect(
        proxy.requests.map(operationOf).filter((name) => name === "BatchWriteItem"),
      ).toHaveLength(5);
      const read = await store.readMany(keys);
      expect(read.map((value) => value?.bytes[0])).toEqual(keys.map((_, i) => i));
    });

    function askForSome(request: RecordedRequest): string {
      if (operationOf(request) !== "BatchWriteItem") return request.body;
      const { RequestItems } = JSON.parse(request.body) as BatchBody;
      return JSON.stringify({ RequestItems: { features: RequestItems.features.slice(0, 10) } });
    }

    function leaveOut(request: RecordedRequest, answer: ProxyAnswer): ProxyAnswer {
      if (operationOf(request) !== "BatchWriteItem") return answer;
      const { RequestItems } = JSON.parse(request.body) as BatchBody;
      const left = RequestItems.features.slice(10);
      const UnprocessedItems = left.length === 0 ? {} : { features: left };
      return { ...answer, body: JSON.stringify({ UnprocessedItems }) };
    }
  });

  test("readMany() and write() wait longer each time that all is left out, and give up", async () => {
    const throttled = {
      status: 400,
      body: '{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}',
    };
    let refusals = 3;
    const some = (_request: RecordedRequest, answer: ProxyAnswer) => {
      refusals -= 1;
      return refusals >= 0 ? throttled : answer;
    };
    await withStore({ alterAnswer: some }, async (store, proxy) => {
      expect(await store.readMany(["throttled"])).toEqual([null]);
      expect(proxy.requests).toHaveLength(4);
    });
    await withStore({ alterAnswer: () => throttled }, async (store, proxy) => {
      const start = process.hrtime.bigint();
      const error = { code: "STORE_UNAVAILABLE", retryable: true };
      await expect(store.readMany(["throttled"])).rejects.toMatchObject(error);
      expect(proxy.requests).toHaveLength(7);
      const waitedMs = Number((process.hrtime.bigint() - start) / 1_000_000n);
      expect(waitedMs).toBeGreaterThan(25 * (2 ** 6 - 1));
      const controller = new AbortController();
      const read = store.readMany(["throttled"], { signal: controller.signal });
      controller.abort();
      await expect(read).rejects.toMatchObject(error);
      expect(proxy.requests.length).toBeLessThan(9);
    });
  });

  test("write() is sent once where its answer is lost, also by a client that would retry", async () => {
    await withStore(
      { dropsAnswer: (request) => operationOf(request) === "PutItem" },
      async (_store, proxy) => {
        const aws = new AwsClient({ accessKeyId: "local", secretAccessKey: "local" });
        const retrying = new DynamodbStore(aws, { ...local.options, endpoint: proxy.url });
        const write = { key: "lost", bytes: Uint8Array.of(7), expectedVersion: null };
        await expect(retrying.write([write])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
        expect(proxy.requests.map(operationOf)).toEqual(["PutItem"]);
        expect((await retrying.readMany(["lost"]))[0]?.bytes).toEqual(Uint8Array.of(7));
      },
    );
    await withStore({ alterAnswer: () => ({ status: 503, body: "" }) }, async (_store, proxy) => {
      const aws = new AwsClient({ accessKeyId: "local", secretAccessKey: "local" });
      const retrying = new DynamodbStore(aws, { ...local.options, endpoint: proxy.url });
      await expect(retrying.readMany(["a"])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
      expect(proxy.requests).toHaveLength(1);
    });
  });

  test("readMany() rejects where the service does not answer in time, or is told to stop", async () => {
    await withStore({ hold: () => new Promise(() => {}) }, async (_store, proxy) => {
      const options = { ...local.options, endpoint: proxy.url };
      const impatient = new DynamodbStore(local.aws, { ...options, requestMsMax: 50 });
      const error = { code: "STORE_UNAVAILABLE", retryable: true };
      await expect(impatient.readMany(["a"])).rejects.toMatchObject(error);
      const signal = AbortSignal.timeout(50);
      const store = new DynamodbStore(local.aws, options);
      await expect(store.readMany(["a"], { signal })).rejects.toMatchObject(error);
    });
  });

  test("readMany() asks for what was written last, unless told otherwise", async () => {
    await withStore({}, async (store, proxy) => {
      const options = { ...local.options, endpoint: proxy.url, consistentRead: false };
      const eventual = new DynamodbStore(local.aws, options);
      await store.readMany(["a"]);
      await eventual.readMany(["a"]);
      const asked = proxy.requests.map(({ body }) => /"ConsistentRead":(\w+)/.exec(body)?.[1]);
      expect(asked).toEqual(["true", "false"]);
      expect(store.capabilities.stalenessMsMax).toBe(0);
      expect(eventual.capabilities.stalenessMsMax).toBe(Infinity);
      const bounded = new DynamodbStore(local.aws, { ...options, stalenessMsMax: 2_000 });
      expect(bounded.capabilities.stalenessMsMax).toBe(2_000);
    });
  });

  test("DynamodbStore signs its requests for its region", async () => {
    await withStore({}, async (store, proxy) => {
      await store.readMany(["a"]);
      const { headers, body } = proxy.requests[0] as RecordedRequest;
      const signer = new AwsV4Signer({
        url: `${proxy.url}/`,
        body,
        accessKeyId: "local",
        secretAccessKey: "local",
        service: "dynamodb",
        region: "eu-central-1",
        datetime: headers["x-amz-date"] as string,
        headers: { "x-amz-target": headers["x-amz-target"] as string },
      });
      expect(headers.authorization).toBe(await signer.authHeader());
    });
  });

  test("dynamodbTable() is paid for by request, with one text key", () => {
    expect(dynamodbTable("t")).toEqual({
      TableName: "t",
      AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    });
  });

  async function withStore(
    options: ProxyOptions,
    body: (store: DynamodbStore, proxy: RecordingProxy) => Promise<void>,
  ): Promise<void> {
    const proxy = await startRecordingProxy(local.options.endpoint, options);
    try {
      await body(new DynamodbStore(local.aws, { ...local.options, endpoint: proxy.url }), proxy);
    } finally {
      await proxy.close();
    }
  }
});

function operationOf({ headers }: RecordedRequest): string {
  return String(headers["x-amz-target"]).split(".")[1] ?? "";
}
