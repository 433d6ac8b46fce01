/** Stores that need `fetch` alone, which workerd has too. */

import { AwsClient } from "aws4fetch";
import { DynamodbStore } from "../../adapters/stores/dynamodb-store.ts";
import { createUpstashClient } from "../../adapters/stores/upstash-client.ts";
import { UpstashStore } from "../../adapters/stores/upstash-store.ts";

/** The token stands before the host: `http://token@127.0.0.1:8079`. */
export function openUpstash(address: string): UpstashStore {
  const { origin: url, username: token } = new URL(address);
  // One Redis has no read regions.
  return new UpstashStore(createUpstashClient({ url, token }), { stalenessMsMax: 0 });
}

export function openDynamodb(endpoint: string): DynamodbStore {
  const aws = new AwsClient({ accessKeyId: "local", secretAccessKey: "local", retries: 0 });
  return new DynamodbStore(aws, { table: "features", region: "eu-central-1", endpoint });
}
