/** The tables of a log shard in SQLite; a database of an earlier version gains what it lacks. */

import { textOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle } from "../../src/store/sql-handle.ts";

const tables = [
  `CREATE TABLE IF NOT EXISTS log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, arrived_at INTEGER NOT NULL,
    source TEXT NOT NULL, id TEXT NOT NULL, ts INTEGER NOT NULL, body BLOB NOT NULL)`,
  // Ids live in rows of their own, which no request for features reads.
  `CREATE TABLE IF NOT EXISTS ids (
    source TEXT NOT NULL, id TEXT NOT NULL, ts INTEGER NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (source, id)) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS ids_by_time ON ids (source, ts)",
  `CREATE TABLE IF NOT EXISTS requests (
    key TEXT PRIMARY KEY, hash TEXT NOT NULL, keep_until INTEGER NOT NULL, newest_ts INTEGER)
    WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS requests_by_time ON requests (keep_until)",
  "CREATE TABLE IF NOT EXISTS forgotten (source TEXT PRIMARY KEY, ts INTEGER NOT NULL) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS partitions (
    source TEXT NOT NULL, partition TEXT NOT NULL, first_offset INTEGER NOT NULL,
    next_offset INTEGER NOT NULL, PRIMARY KEY (source, partition)) WITHOUT ROWID`,
  // What takes an epoch as its cut is JSON, null while it is not known.
  `CREATE TABLE IF NOT EXISTS epochs (
    epoch INTEGER PRIMARY KEY, started_at INTEGER NOT NULL, cut_of TEXT)`,
  "CREATE TABLE IF NOT EXISTS views (fingerprint TEXT PRIMARY KEY, floor INTEGER NOT NULL) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
];

/** In one transaction: two processes that open a file at the same time find it whole. */
export function createLogTables(sql: SqlHandle): void {
  sql.transaction(() => {
    for (const statement of tables) sql.run(statement);
    const columns = sql.run("PRAGMA table_info(epochs)").map((row) => textOf(row["name"]));
    if (!columns.includes("cut_of")) sql.run("ALTER TABLE epochs ADD COLUMN cut_of TEXT");
  });
}
