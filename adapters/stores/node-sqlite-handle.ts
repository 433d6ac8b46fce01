/** An SQLite file, or a database in memory, through Node's own SQLite. */

import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import type { SqlHandle, SqlRow, SqlValue } from "../../src/store/sql-handle.ts";

/** Statements kept ready; the few that a store or a log has. */
const statementsMax = 64;

export interface NodeSqliteHandle extends SqlHandle {
  close(): void;
}

/**
 * Opens a database; `:memory:` is one of its own, gone when it is closed. A file is in WAL mode.
 *
 * @example const sql = openNodeSqlite(":memory:");
 */
export function openNodeSqlite(path: string): NodeSqliteHandle {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  if (path !== ":memory:") database.exec("PRAGMA journal_mode = WAL");
  const statements = new Map<string, StatementSync>();

  function prepare(text: string): StatementSync {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const statement = database.prepare(text);
    if (statements.size < statementsMax) statements.set(text, statement);
    return statement;
  }

  return {
    run(statement: string, ...binds: readonly SqlValue[]): readonly SqlRow[] {
      return prepare(statement).all(...binds) as unknown as readonly SqlRow[];
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
      database.close();
    },
  };
}
