/** DynamoDB at an address, with the cases of the contract; runs wherever there is `fetch`. */

import { AwsClient } from "aws4fetch";
import { DynamodbStore } from "../../adapters/stores/dynamodb-store.ts";
import { storeContract } from "../../src/store/contract/store-contract.ts";
import type { OpenedCases } from "./open-store-cases.ts";

export function openDynamodbCases(endpoint: string, keyPrefix: string): OpenedCases {
  const aws = new AwsClient({ accessKeyId: "local", secretAccessKey: "local", retries: 0 });
  const options = { table: "features", region: "eu-central-1", endpoint };
  // Larger ones, which take minutes here, are written and read in one runtime alone.
  const store = new DynamodbStore(aws, { ...options, valueBytesMax: 2 * 2 ** 20 });
  const failing = new DynamodbStore(aws, { ...options, table: "no-such-table" });
  const cases = storeContract({ store, failing, keyPrefix });
  return { cases, close: () => Promise.resolve() };
}
