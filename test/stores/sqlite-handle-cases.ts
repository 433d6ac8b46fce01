/** What an SQLite handle does, as cases that run in its own runtime. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SqliteHandle } from "../../adapters/stores/sqlite-handle.ts";
import { bytesOf } from "../../src/store/sql-handle.ts";

type Open = (path: string) => SqliteHandle;

export interface SqliteHandleCase {
  readonly name: string;
  run(open: Open): void;
}

export const sqliteHandleCases: readonly SqliteHandleCase[] = [
  {
    name: "run() gives back every kind of value as it was",
    run(open) {
      const sql = open(":memory:");
      sql.run("CREATE TABLE t (v ANY) STRICT");
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
      const values = ["text", "", "日本", 1, -0.5, 2 ** 31, -(2 ** 40), Number.MAX_SAFE_INTEGER];
      for (const value of [...values, null, bytes, new Uint8Array(), bytes.subarray(3, 5)]) {
        sql.run("DELETE FROM t");
        sql.run("INSERT INTO t VALUES (?)", value);
        const [row] = sql.run("SELECT v FROM t");
        if (value instanceof Uint8Array) deepStrictEqual([...bytesOf(row?.["v"])], [...value]);
        else strictEqual(row?.["v"], value);
      }
      sql.close();
    },
  },
  {
    name: "run() keeps a whole number whole in a column of numbers",
    run(open) {
      const sql = open(":memory:");
      sql.run("CREATE TABLE t (v INTEGER NOT NULL)");
      for (const value of [0, -1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
        sql.run("DELETE FROM t");
        sql.run("INSERT INTO t VALUES (?)", value);
        deepStrictEqual(columnsOf(sql.run("SELECT v, typeof(v) FROM t")), [[value, "integer"]]);
        strictEqual(sql.run("SELECT v FROM t WHERE v = ?", value).length, 1);
      }
      sql.close();
    },
  },
  {
    name: "run() reads a row again after it changed, and writes with RETURNING",
    run(open) {
      const sql = open(":memory:");
      sql.run("CREATE TABLE t (v INTEGER)");
      deepStrictEqual(columnsOf(sql.run("INSERT INTO t VALUES (?) RETURNING v", 1)), [[1]]);
      for (const value of [2, 3]) {
        deepStrictEqual(sql.run("UPDATE t SET v = ?", value).length, 0);
        deepStrictEqual(columnsOf(sql.run("SELECT v FROM t")), [[value]]);
      }
      sql.close();
    },
  },
  {
    name: "transaction() keeps all of it or nothing",
    run(open) {
      const sql = open(":memory:");
      sql.run("CREATE TABLE t (v INTEGER)");
      const returned = sql.transaction(() => {
        sql.run("INSERT INTO t VALUES (1)");
        return "returned";
      });
      strictEqual(returned, "returned");
      const failure = new Error("stop");
      const failing = () =>
        sql.transaction(() => {
          sql.run("INSERT INTO t VALUES (2)");
          throw failure;
        });
      throws(failing, failure);
      // The one before left nothing open.
      sql.transaction(() => sql.run("INSERT INTO t VALUES (3)"));
      deepStrictEqual(columnsOf(sql.run("SELECT v FROM t ORDER BY v")), [[1], [3]]);
      sql.close();
    },
  },
  {
    name: "transaction() refuses one within another, and loses both",
    run(open) {
      const sql = open(":memory:");
      sql.run("CREATE TABLE t (v INTEGER)");
      const nested = () =>
        sql.transaction(() => {
          sql.run("INSERT INTO t VALUES (1)");
          sql.transaction(() => sql.run("INSERT INTO t VALUES (2)"));
        });
      throws(nested, /transaction within a transaction/);
      strictEqual(sql.run("SELECT v FROM t").length, 0);
      sql.close();
    },
  },
  {
    name: "close() keeps a file's rows; two databases in memory are apart",
    run(open) {
      const folder = mkdtempSync(join(tmpdir(), "tilemark-"));
      try {
        const path = join(folder, "a.sqlite");
        const first = open(path);
        first.run("CREATE TABLE t (v INTEGER)");
        first.run("INSERT INTO t VALUES (7)");
        deepStrictEqual(columnsOf(first.run("PRAGMA journal_mode")), [["wal"]]);
        deepStrictEqual(columnsOf(first.run("PRAGMA busy_timeout")), [[5000]]);
        first.close();
        throws(() => first.run("SELECT v FROM t"));
        const second = open(path);
        deepStrictEqual(columnsOf(second.run("SELECT v FROM t")), [[7]]);
        second.close();
      } finally {
        rmSync(folder, { recursive: true });
      }
      const one = open(":memory:");
      one.run("CREATE TABLE t (v INTEGER)");
      const other = open(":memory:");
      throws(() => other.run("SELECT * FROM t"), /no such table/);
      one.close();
      other.close();
    },
  },
];

/** Rows without their prototypes, which are the runtime's own. */
function columnsOf(rows: ReturnType<SqliteHandle["run"]>): unknown[][] {
  return rows.map((row) => Object.values(row));
}
