/**
 * An online store in a DynamoDB table, over HTTP alone: it runs wherever there is `fetch`. A value
 * past an item's 400 KB is kept in several items, and takes a second round to be read.
 */

import type { AwsClient } from "aws4fetch";
import { PartedStore } from "../../src/store/parted-store.ts";
import { DynamodbItems } from "./dynamodb-items.ts";
import type { DynamodbReadOptions } from "./dynamodb-items.ts";
import type { DynamodbOptions } from "./dynamodb-request.ts";
import { randomName } from "./random-name.ts";

export interface DynamodbStoreOptions extends DynamodbOptions, DynamodbReadOptions {
  /** Values up to so many bytes are kept; 25 MiB if left out. */
  readonly valueBytesMax?: number;
}

/**
 * A hundred keys are read in one request. A write without a guard takes a read before it, and comes
 * with 24 others in one request; a guarded one is a request of its own.
 *
 * @example
 * const aws = new AwsClient({ accessKeyId, secretAccessKey });
 * const store = new DynamodbStore(aws, { table: "features", region: "eu-central-1" });
 */
export class DynamodbStore extends PartedStore {
  constructor(aws: Pick<AwsClient, "sign">, options: DynamodbStoreOptions) {
    const { valueBytesMax } = options;
    super(new DynamodbItems(aws, options), {
      randomName,
      ...(valueBytesMax !== undefined && { valueBytesMax }),
    });
  }
}

/** What `CreateTable` has to be sent for such a table; one that is paid for by request. */
export function dynamodbTable(table: string): object {
  return {
    TableName: table,
    AttributeDefinitions: [{ AttributeName: "k", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "k", KeyType: "HASH" }],
    BillingMode: "PAY_PER_REQUEST",
  };
}
