import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { bytesOf } from "../../src/store/sql-handle.ts";

test("openNodeSqlite() gives back every kind of value as it was", () => {
  const sql = openNodeSqlite(":memory:");
  sql.run("CREATE TABLE t (v ANY) STRICT");
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const value of ["text", "", 1, -0.5, Number.MAX_SAFE_INTEGER, null, bytes]) {
    sql.run("DELETE FROM t");
    sql.run("INSERT INTO t VALUES (?)", value);
    const [row] = sql.run("SELECT v FROM t");
    if (value instanceof Uint8Array) expect([...bytesOf(row?.["v"])]).toEqual([...value]);
    else expect(row?.["v"]).toBe(value);
  }
});

test("openNodeSqlite() keeps all of a transaction or nothing", () => {
  const sql = openNodeSqlite(":memory:");
  sql.run("CREATE TABLE t (v INTEGER)");
  expect(
    sql.transaction(() => {
      sql.run("INSERT INTO t VALUES (1)");
      return "returned";
    }),
  ).toBe("returned");
  const failure = new Error("stop");
  expect(() =>
    sql.transaction(() => {
      sql.run("INSERT INTO t VALUES (2)");
      throw failure;
    }),
  ).toThrow(failure);
  // The one before left nothing open.
  sql.transaction(() => sql.run("INSERT INTO t VALUES (3)"));
  expect(sql.run("SELECT v FROM t ORDER BY v")).toEqual([{ v: 1 }, { v: 3 }]);
});

test("openNodeSqlite() refuses a transaction within one, and loses both", () => {
  const sql = openNodeSqlite(":memory:");
  sql.run("CREATE TABLE t (v INTEGER)");
  expect(() =>
    sql.transaction(() => {
      sql.run("INSERT INTO t VALUES (1)");
      sql.transaction(() => sql.run("INSERT INTO t VALUES (2)"));
    }),
  ).toThrow("transaction within a transaction");
  expect(sql.run("SELECT v FROM t")).toEqual([]);
});

test("openNodeSqlite() keeps a file's rows, and two databases in memory apart", () => {
  const folder = mkdtempSync(join(tmpdir(), "tilemark-"));
  try {
    const path = join(folder, "a.sqlite");
    const first = openNodeSqlite(path);
    first.run("CREATE TABLE t (v INTEGER)");
    first.run("INSERT INTO t VALUES (7)");
    first.close();
    const second = openNodeSqlite(path);
    expect(second.run("SELECT v FROM t")).toEqual([{ v: 7 }]);
    second.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
  openNodeSqlite(":memory:").run("CREATE TABLE t (v INTEGER)");
  expect(() => openNodeSqlite(":memory:").run("SELECT * FROM t")).toThrow("no such table");
});
