/** An SQLite file, or a database in memory, through the SQLite that Node and Deno come with. */

import { DatabaseSync } from "node:sqlite";
import { openSqlite } from "./sqlite-handle.ts";
import type { SqliteHandle } from "./sqlite-handle.ts";

export type NodeSqliteHandle = SqliteHandle;

/**
 * Opens a database; `:memory:` is one of its own, gone when it is closed. A file is in WAL mode.
 * Deno 2.9 keeps a text with U+0000 in it, but reads it up to there: no name may hold one.
 *
 * @example const sql = openNodeSqlite(":memory:");
 */
export function openNodeSqlite(path: string): NodeSqliteHandle {
  return openSqlite(new DatabaseSync(path), path);
}
