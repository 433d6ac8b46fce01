/** A DynamoDB on this machine: dynalite, which keeps its tables in memory. */

import { once } from "node:events";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { AwsClient } from "aws4fetch";
import { sendDynamodb } from "../../adapters/stores/dynamodb-request.ts";
import { dynamodbTable } from "../../adapters/stores/dynamodb-store.ts";

export interface LocalDynamodb {
  readonly aws: AwsClient;
  /** With a table that is ready. */
  readonly options: { readonly table: string; readonly region: string; readonly endpoint: string };
  close(): Promise<void>;
}

/** It comes without types. */
const dynalite = createRequire(import.meta.url)("dynalite") as (options: object) => Server;

export async function startLocalDynamodb(): Promise<LocalDynamodb> {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const aws = new AwsClient({ accessKeyId: "local", secretAccessKey: "local", retries: 0 });
  const endpoint = `http://127.0.0.1:${port}`;
  const options = { table: "features", region: "eu-central-1", endpoint };
  await sendDynamodb(aws, options, { operation: "CreateTable", body: dynamodbTable("features") });
  await untilActive();
  return {
    aws,
    options,
    close: () => {
      const closed = new Promise<void>((resolve, reject) => {
        server.close((error) =>
          error === undefined || error === null ? resolve() : reject(error),
        );
      });
      server.closeAllConnections();
      return closed;
    },
  };

  async function untilActive(): Promise<void> {
    const describe = { operation: "DescribeTable", body: { TableName: options.table } };
    for (let attempt = 0; attempt < 100; attempt++) {
      const { Table } = await sendDynamodb(aws, options, describe);
      if ((Table as { TableStatus: string }).TableStatus === "ACTIVE") return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error("The table did not become active");
  }
}
