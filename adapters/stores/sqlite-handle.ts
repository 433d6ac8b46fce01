/** What the SQLite of Node, Deno and Bun have in common: one handle over either. */

import type { SqlHandle, SqlRow, SqlValue } from "../../src/store/sql-handle.ts";

export interface SqliteHandle extends SqlHandle {
  close(): void;
}

export interface SqliteStatement {
  all(...binds: readonly SqlValue[]): unknown[];
  /** Left out where closing the database does it. */
  finalize?(): void;
}

export interface SqliteDatabase {
  prepare(text: string): SqliteStatement;
  exec(text: string): unknown;
  close(): void;
}

/** Statements kept ready; the few that a store or a log has. */
const statementsMax = 64;

/** How long a statement waits for another process to let go of the file. */
const busyMsMax = 5_000;

/** A file is put in WAL mode; `:memory:` has no other mode than its own. */
export function openSqlite(database: SqliteDatabase, path: string): SqliteHandle {
  database.exec(`PRAGMA busy_timeout = ${busyMsMax}`);
  if (path !== ":memory:") database.exec("PRAGMA journal_mode = WAL");
  const statements = new Map<string, SqliteStatement>();

  function prepare(text: string): SqliteStatement {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const statement = database.prepare(text);
    if (statements.size < statementsMax) statements.set(text, statement);
    return statement;
  }

  return {
    run(statement: string, ...binds: readonly SqlValue[]): readonly SqlRow[] {
      return prepare(statement).all(...binds) as readonly SqlRow[];
    },
    transaction<T>(body: () => T): T {
      database.exec("BEGIN IMMEDIATE");
      try {
        const result = body();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    close(): void {
      for (const statement of statements.values()) statement.finalize?.();
      database.close();
    },
  };
}
