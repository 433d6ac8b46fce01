/** A state table in SQLite: what a publisher remembers on a host with files. */

import { assert } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { bytesOf, textOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle } from "../../src/store/sql-handle.ts";
import type { StateRange, StateTable } from "../../src/store/state-table.ts";
import { packMsgpack, unpackMsgpack } from "../../src/tile/msgpack.ts";

export class SqliteStateTable implements StateTable {
  readonly #sql: SqlHandle;

  constructor(sql: SqlHandle) {
    this.#sql = sql;
    sql.run(`CREATE TABLE IF NOT EXISTS state (
      key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID`);
  }

  get(key: string): Promise<unknown> {
    return settle(() => {
      const [row] = this.#sql.run("SELECT value FROM state WHERE key = ?", key);
      return row === undefined ? undefined : unpackMsgpack(bytesOf(row["value"]));
    });
  }

  list(
    prefix: string,
    { afterKey = "", countMax = -1 }: StateRange = {},
  ): Promise<ReadonlyMap<string, unknown>> {
    return settle(() => {
      const rows = this.#sql.run(
        `SELECT key, value FROM state
         WHERE key >= ?1 AND key < ?1 || CHAR(1114111) AND key > ?2 ORDER BY key LIMIT ?3`,
        prefix,
        afterKey,
        countMax,
      );
      return new Map(rows.map((row) => [textOf(row["key"]), unpackMsgpack(bytesOf(row["value"]))]));
    });
  }

  put(entries: Readonly<Record<string, unknown>>): Promise<void> {
    const changes = Object.entries(entries);
    assert(changes.length <= limits.stateEntriesMax, "few entries are written together");
    return settle(() => {
      this.#sql.transaction(() => {
        for (const [key, value] of changes) this.#change(key, value);
      });
    });
  }

  #change(key: string, value: unknown): void {
    if (value === undefined) this.#sql.run("DELETE FROM state WHERE key = ?", key);
    else
      this.#sql.run(
        "INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)",
        key,
        packMsgpack(value),
      );
  }
}

/** What `body` throws becomes a rejection. */
function settle<T>(body: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(body());
  });
}
