/** The SQLite of a Durable Object as the stores and logs use it. */

import type { SqlHandle, SqlRow } from "../../../src/store/sql-handle.ts";

export function durableSql(storage: DurableObjectStorage): SqlHandle {
  return {
    run: (statement, ...binds) =>
      storage.sql.exec<Record<string, SqlStorageValue>>(statement, ...binds).toArray() as SqlRow[],
    transaction: (body) => storage.transactionSync(body),
  };
}
