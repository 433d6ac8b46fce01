/** Numbers that a log shard in SQLite keeps by name. */

import { numberOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle } from "../../src/store/sql-handle.ts";

/** `trimmed` and `forgotten` are places of rows; of `forgotten-epochs` there are as many as its value. */
type CounterName = "ids" | "applied" | "trimmed" | "forgotten" | "forgotten-epochs";

/** 0 until it is written. */
export function readCounter(sql: SqlHandle, name: CounterName): number {
  const [row] = sql.run("SELECT value FROM counters WHERE name = ?", name);
  return row === undefined ? 0 : numberOf(row["value"]);
}

export function writeCounter(sql: SqlHandle, name: CounterName, value: number): void {
  sql.run("INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)", name, value);
}
