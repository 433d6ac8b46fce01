/** An SQLite file, or a database in memory, through the SQLite that Bun comes with. */

import { Database } from "bun:sqlite";
import { openSqlite } from "./sqlite-handle.ts";
import type { SqliteHandle } from "./sqlite-handle.ts";

/**
 * Opens a database, as `openNodeSqlite` does; the two read each other's files.
 *
 * @example const sql = openBunSqlite(":memory:");
 */
export function openBunSqlite(path: string): SqliteHandle {
  return openSqlite(new Database(path), path);
}
