/** Values as items of a DynamoDB table, each as large as an item may be. */

import type { AwsClient } from "aws4fetch";
import { decodeBase64, encodeBase64 } from "../../src/core/base64.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";
import { DynamodbRefusal, dynamodbUnavailable, sendDynamodb } from "./dynamodb-request.ts";
import type { DynamodbOptions } from "./dynamodb-request.ts";
import { randomName } from "./random-name.ts";
import { splitList } from "./split-list.ts";

export interface DynamodbReadOptions {
  /** Reads of what was written last, at twice the price; true if left out. */
  readonly consistentRead?: boolean;
  /** How old other reads may be, in milliseconds; Infinity, as the service says no bound, if left out. */
  readonly stalenessMsMax?: number;
}

/** An item: the key, the name of the write that made it, and the value in base64. */
interface Item {
  readonly k: { readonly S: string };
  readonly n: { readonly S: string };
  readonly v: { readonly B: string };
}

type ItemKey = Pick<Item, "k">;
type WriteRequest =
  | { readonly PutRequest: { readonly Item: Item } }
  | { readonly DeleteRequest: { readonly Key: ItemKey } };

const keysPerTripMax = 100;
const writesPerBatchMax = 25;
const requestsAtOnceMax = 16;
/** Requests in a row that carry out nothing of what is left, each after twice the wait. */
const idleRoundsMax = 6;
const idleWaitMsMin = 25;

/** For `PartedStore`, which sees to keys that come twice, sizes and empty values. */
export class DynamodbItems implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #aws: Pick<AwsClient, "sign">;
  readonly #options: DynamodbOptions & DynamodbReadOptions;

  constructor(aws: Pick<AwsClient, "sign">, options: DynamodbOptions & DynamodbReadOptions) {
    const { consistentRead = true, stalenessMsMax = Infinity } = options;
    this.#aws = aws;
    this.#options = options;
    this.capabilities = {
      name: "dynamodb",
      binary: true,
      keysPerTripMax,
      compareAndSet: true,
      stalenessMsMax: consistentRead ? 0 : stalenessMsMax,
      keyBytesMax: 2048,
      // An item has at most 409,600 bytes, its key and the names of its attributes included.
      valueBytesMax: 400_000,
    };
  }

  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    try {
      options.signal?.throwIfAborted();
      const trips = splitList(keys, keysPerTripMax);
      const answers = await Promise.all(trips.map((trip) => this.#readTrip(trip, options)));
      const found = new Map(answers.flat().map((item) => [item.k.S, valueOf(item)]));
      return keys.map((key) => found.get(key) ?? null);
    } catch (error) {
      throw dynamodbUnavailable("read", error);
    }
  }

  async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    const guarded = writes.filter(({ expectedVersion }) => expectedVersion !== undefined);
    const others = writes.filter(({ expectedVersion }) => expectedVersion === undefined);
    const applied = new Set(others.map(({ key }) => key));
    const requests = [
      ...splitList(others, writesPerBatchMax).map((batch) => () => this.#writeBatch(batch)),
      ...guarded.map((write) => async () => {
        if (await this.#writeGuarded(write)) applied.add(write.key);
      }),
    ];
    try {
      await runSome(requests);
    } catch (error) {
      throw dynamodbUnavailable("write", error);
    }
    return writes.map(({ key }) => applied.has(key));
  }

  async #readTrip(keys: readonly string[], { signal }: StoreReadOptions): Promise<Item[]> {
    const { table, consistentRead = true } = this.#options;
    const items: Item[] = [];
    await repeat(keys.map(itemKey), signal, async (left) => {
      const body = { RequestItems: { [table]: { Keys: left, ConsistentRead: consistentRead } } };
      const answer = await this.#send("BatchGetItem", body, signal);
      items.push(...entriesOf<Item[]>(answer["Responses"], table, []));
      return entriesOf<{ Keys: ItemKey[] }>(answer["UnprocessedKeys"], table, { Keys: [] }).Keys;
    });
    return items;
  }

  async #writeBatch(writes: readonly StoreWrite[]): Promise<void> {
    const { table } = this.#options;
    await repeat(writes.map(writeRequest), undefined, async (left) => {
      const answer = await this.#send("BatchWriteItem", { RequestItems: { [table]: left } });
      return entriesOf<WriteRequest[]>(answer["UnprocessedItems"], table, []);
    });
  }

  async #writeGuarded({ key, bytes, expectedVersion }: StoreWrite): Promise<boolean> {
    const condition =
      typeof expectedVersion === "string"
        ? {
            ConditionExpression: "n = :version",
            ExpressionAttributeValues: { ":version": { S: expectedVersion } },
          }
        : { ConditionExpression: "attribute_not_exists(k)" };
    const body = { TableName: this.#options.table, ...condition };
    try {
      if (bytes === null) await this.#send("DeleteItem", { ...body, Key: itemKey(key) });
      else await this.#send("PutItem", { ...body, Item: itemOf(key, bytes) });
      return true;
    } catch (error) {
      const isRefused = error instanceof DynamodbRefusal;
      if (isRefused && error.type === "ConditionalCheckFailedException") return false;
      throw error;
    }
  }

  #send(operation: string, body: object, signal?: AbortSignal): Promise<Record<string, unknown>> {
    return sendDynamodb(this.#aws, this.#options, { operation, body, signal });
  }
}

/** Sends again what an answer left out, until nothing is left; waits where it left out all. */
async function repeat<Entry>(
  entries: readonly Entry[],
  signal: AbortSignal | undefined,
  send: (left: readonly Entry[]) => Promise<readonly Entry[]>,
): Promise<void> {
  let left = entries;
  for (let idleRounds = 0; idleRounds <= idleRoundsMax;) {
    const before = left;
    left = await sendUnlessThrottled(before, send);
    if (left.length === 0) return;
    if (left.length < before.length) {
      idleRounds = 0;
      continue;
    }
    await wait(idleWaitMsMin * 2 ** idleRounds, signal);
    idleRounds += 1;
  }
  throw new DynamodbRefusal("Unprocessed");
}

async function wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, delayMs);
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
  signal?.throwIfAborted();
}

/** An answer that all was too much is one that left out all. */
async function sendUnlessThrottled<Entry>(
  left: readonly Entry[],
  send: (left: readonly Entry[]) => Promise<readonly Entry[]>,
): Promise<readonly Entry[]> {
  try {
    return await send(left);
  } catch (error) {
    if (error instanceof DynamodbRefusal && error.isThrottling) return left;
    throw error;
  }
}

/** Some at a time, each as one before it ends. */
async function runSome(requests: readonly (() => Promise<void>)[]): Promise<void> {
  const waiting = requests.values();
  const lane = async () => {
    for (const request of waiting) await request();
  };
  await Promise.all(Array.from({ length: requestsAtOnceMax }, lane));
}

function entriesOf<T>(answer: unknown, table: string, none: T): T {
  return (answer as Readonly<Record<string, T>> | undefined)?.[table] ?? none;
}

function writeRequest({ key, bytes }: StoreWrite): WriteRequest {
  if (bytes === null) return { DeleteRequest: { Key: itemKey(key) } };
  return { PutRequest: { Item: itemOf(key, bytes) } };
}

function itemOf(key: string, bytes: Uint8Array): Item {
  return { ...itemKey(key), n: { S: randomName() }, v: { B: encodeBase64(bytes) } };
}

function itemKey(key: string): ItemKey {
  return { k: { S: key } };
}

function valueOf({ n, v }: Item): StoredValue {
  return { bytes: decodeBase64(v.B), version: n.S };
}
