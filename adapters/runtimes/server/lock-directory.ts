/** One process at a time has a directory: two would each take its log for their own. */

import type { SqlHandle } from "../../../src/store/sql-handle.ts";

/** A database that can be closed, as the hosts' own are. */
export interface OpenedSqlite extends SqlHandle {
  close(): void;
}

/** Referred to here: one that nobody refers to is closed, and its lock is gone. */
const locks = new Set<OpenedSqlite>();

/**
 * Holds a lock of the file system, which ends with this process, however that ends. Returns what
 * gives it back.
 *
 * @param open - Opens a database; it waits for others up to its busy timeout.
 * @throws Error where another process has the directory.
 */
export function lockDirectory(directory: string, open: (path: string) => OpenedSqlite): () => void {
  const lock = open(`${directory}/lock.sqlite`);
  try {
    lock.run("BEGIN EXCLUSIVE");
  } catch (cause) {
    lock.close();
    throw new Error(`Cannot use directory "${directory}": another process serves from it`, {
      cause,
    });
  }
  locks.add(lock);
  return () => {
    locks.delete(lock);
    lock.close();
  };
}
