/** The memory of a log shard in SQLite. Its callers run it in their transaction. */

import type { NamedRequest } from "../../src/store/event-log.ts";
import type { KnownId, Forgotten, KnownPartition, LogMemory } from "../../src/store/log-memory.ts";
import { numberOf, textOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle, SqlRow } from "../../src/store/sql-handle.ts";
import { readCounter, writeCounter } from "./sqlite-counters.ts";

export class SqliteLogMemory implements LogMemory {
  readonly #sql: SqlHandle;

  constructor(sql: SqlHandle) {
    this.#sql = sql;
  }

  count(): number {
    return readCounter(this.#sql, "ids");
  }

  setCount(count: number): void {
    writeCounter(this.#sql, "ids", count);
  }

  idHash(source: string, id: string): string | null {
    const [row] = this.#sql.run("SELECT hash FROM ids WHERE source = ? AND id = ?", source, id);
    return row === undefined ? null : textOf(row["hash"]);
  }

  rememberId(source: string, { id, timestampMs, hash }: KnownId): void {
    this.#sql.run(
      "INSERT INTO ids (source, id, ts, hash) VALUES (?, ?, ?, ?)",
      source,
      id,
      timestampMs,
      hash,
    );
  }

  forgetIds(source: string, beforeMs: number, countMax: number): Forgotten {
    return forgottenOf(
      this.#sql.run(
        `DELETE FROM ids WHERE source = ?1 AND id IN (
           SELECT id FROM ids INDEXED BY ids_by_time
           WHERE source = ?1 AND ts < ?2 ORDER BY ts LIMIT ?3)
         RETURNING ts`,
        source,
        beforeMs,
        countMax,
      ),
    );
  }

  requestHash(key: string): string | null {
    const [row] = this.#sql.run("SELECT hash FROM requests WHERE key = ?", key);
    return row === undefined ? null : textOf(row["hash"]);
  }

  rememberRequest({ key, contentHash, keepUntilMs }: NamedRequest, newestMs: number | null): void {
    this.#sql.run(
      "INSERT INTO requests (key, hash, keep_until, newest_ts) VALUES (?, ?, ?, ?)",
      key,
      contentHash,
      keepUntilMs,
      newestMs,
    );
  }

  forgetRequests(beforeMs: number, countMax: number): Forgotten {
    return forgottenOf(
      this.#sql.run(
        `DELETE FROM requests WHERE key IN (
           SELECT key FROM requests INDEXED BY requests_by_time
           WHERE keep_until < ?1 ORDER BY keep_until LIMIT ?2)
         RETURNING newest_ts AS ts`,
        beforeMs,
        countMax,
      ),
    );
  }

  forgottenMs(source: string): number {
    const [row] = this.#sql.run("SELECT ts FROM forgotten WHERE source = ?", source);
    return row === undefined ? -Infinity : numberOf(row["ts"]);
  }

  setForgottenMs(source: string, newestMs: number): void {
    this.#sql.run("INSERT OR REPLACE INTO forgotten (source, ts) VALUES (?, ?)", source, newestMs);
  }

  partition(source: string, partition: string): KnownPartition | null {
    const [row] = this.#sql.run(
      "SELECT first_offset, next_offset FROM partitions WHERE source = ? AND partition = ?",
      source,
      partition,
    );
    if (row === undefined) return null;
    return {
      firstOffset: numberOf(row["first_offset"]),
      nextOffset: numberOf(row["next_offset"]),
    };
  }

  setPartition(source: string, partition: string, known: KnownPartition): void {
    this.#sql.run(
      `INSERT OR REPLACE INTO partitions (source, partition, first_offset, next_offset)
       VALUES (?, ?, ?, ?)`,
      source,
      partition,
      known.firstOffset,
      known.nextOffset,
    );
  }

  partitionCount(): number {
    const [row] = this.#sql.run("SELECT COUNT(*) AS count FROM partitions");
    return numberOf(row?.["count"]);
  }
}

/** Of requests without events `ts` is null. */
function forgottenOf(rows: readonly SqlRow[]): Forgotten {
  const newestMs = rows.reduce((newest, { ts }) => {
    return ts === null ? newest : Math.max(newest, numberOf(ts));
  }, -Infinity);
  return { count: rows.length, newestMs };
}
