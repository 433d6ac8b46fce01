/** The epochs of a log shard in SQLite. Its callers run what writes in their transaction. */

import type { Epoch } from "../../src/store/event-log.ts";
import { numberOf, textOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle, SqlRow } from "../../src/store/sql-handle.ts";

export class SqliteEpochs {
  readonly #sql: SqlHandle;

  constructor(sql: SqlHandle) {
    this.#sql = sql;
  }

  /** The open one; null while neither a row nor a seal has begun the first. */
  newest(): Epoch | null {
    const [row] = this.#sql.run("SELECT * FROM epochs ORDER BY epoch DESC LIMIT 1");
    return row === undefined ? null : epochOf(row);
  }

  from(epochMin: number): readonly Epoch[] {
    const rows = this.#sql.run("SELECT * FROM epochs WHERE epoch >= ? ORDER BY epoch", epochMin);
    return rows.map(epochOf);
  }

  /** The number of the open epoch, which begins now if none has. */
  begin(nowMs: number): number {
    return this.newest()?.epoch ?? this.open(0, nowMs);
  }

  open(epoch: number, nowMs: number): number {
    this.#sql.run("INSERT INTO epochs (epoch, started_at) VALUES (?, ?)", epoch, nowMs);
    return epoch;
  }

  /**
   * Adds to the views that have an ended epoch as their cut. One that another's seal skipped began
   * and ended with that seal.
   */
  settleCut(epoch: number, cutOf: readonly string[]): void {
    const [row] = this.#sql.run("SELECT * FROM epochs WHERE epoch = ?", epoch);
    const known = row === undefined ? [] : (epochOf(row).cutOf ?? []);
    this.#sql.run(
      `INSERT INTO epochs (epoch, started_at, cut_of)
       SELECT ?1, started_at, ?2 FROM epochs WHERE epoch > ?1 ORDER BY epoch LIMIT 1
       ON CONFLICT (epoch) DO UPDATE SET cut_of = excluded.cut_of`,
      epoch,
      JSON.stringify([...new Set([...known, ...cutOf])].sort()),
    );
  }
}

function epochOf(row: SqlRow): Epoch {
  const cutOf = row["cut_of"] ?? null;
  return {
    epoch: numberOf(row["epoch"]),
    startedAtMs: numberOf(row["started_at"]),
    cutOf: cutOf === null ? null : (JSON.parse(textOf(cutOf)) as readonly string[]),
  };
}
