/**
 * A shard of the event log in SQLite: a Durable Object's, or a file's. One transaction settles an
 * event's id, its epoch and its place.
 */

import { FeatureError } from "../../src/core/errors.ts";
import { xxh32 } from "../../src/core/hash.ts";
import { limits } from "../../src/core/limits.ts";
import type {
  AppendOptions,
  AppendResult,
  Epoch,
  EventLogShard,
  LogEntry,
  LogRange,
  LogRow,
} from "../../src/store/event-log.ts";
import { bytesOf, numberOf, textOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle, SqlRow } from "../../src/store/sql-handle.ts";

type Outcome = AppendResult["outcomes"][number];

/**
 * How long an id outlives its horizon. Whoever refuses late events reads another clock than who
 * made the shard forget, and a request spends time on its way.
 */
const forgetDelayMs = limits.clockErrorMsMax + limits.requestMsMax;

const schema = [
  `CREATE TABLE IF NOT EXISTS log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, arrived_at INTEGER NOT NULL,
    source TEXT NOT NULL, id TEXT NOT NULL, ts INTEGER NOT NULL, body BLOB NOT NULL)`,
  // Ids live in rows of their own, which no request for features reads.
  `CREATE TABLE IF NOT EXISTS ids (
    source TEXT NOT NULL, id TEXT NOT NULL, ts INTEGER NOT NULL, hash TEXT NOT NULL,
    PRIMARY KEY (source, id)) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS ids_by_time ON ids (source, ts)",
  "CREATE TABLE IF NOT EXISTS epochs (epoch INTEGER PRIMARY KEY, started_at INTEGER NOT NULL)",
  "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
];

export interface SqliteEventLogOptions {
  /** How many event ids the shard remembers; `limits.logShardIdsMax` if left out. */
  readonly idsMax?: number;
}

export class SqliteEventLog implements EventLogShard {
  readonly #sql: SqlHandle;
  readonly #idsMax: number;

  constructor(sql: SqlHandle, options: SqliteEventLogOptions = {}) {
    this.#sql = sql;
    this.#idsMax = options.idsMax ?? limits.logShardIdsMax;
    for (const statement of schema) sql.run(statement);
  }

  append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult> {
    return settle(() => this.#sql.transaction(() => this.#append(entries, options)));
  }

  read(range: LogRange): Promise<readonly LogRow[]> {
    return settle(() =>
      this.#sql
        .run(
          `SELECT log.* FROM (
             SELECT seq, SUM(bytes) OVER (ORDER BY seq) - bytes AS bytes_before FROM (
               SELECT seq, LENGTH(body) AS bytes FROM log
               WHERE seq > ? AND epoch <= ? ORDER BY seq LIMIT ?)) AS page
           JOIN log USING (seq) WHERE page.bytes_before < ? ORDER BY seq`,
          range.afterSeq,
          Math.min(range.epochMax, Number.MAX_SAFE_INTEGER),
          range.rowsMax,
          limits.logPageBytesMax,
        )
        .map(rowOf),
    );
  }

  seal(epoch: number, nowMs: number): Promise<void> {
    return settle(() =>
      this.#sql.transaction(() => {
        if (this.#openEpoch(nowMs) > epoch) return;
        this.#sql.run("INSERT INTO epochs (epoch, started_at) VALUES (?, ?)", epoch + 1, nowMs);
      }),
    );
  }

  currentEpoch(): Promise<Epoch> {
    return settle(() => {
      const [row] = this.#sql.run("SELECT * FROM epochs ORDER BY epoch DESC LIMIT 1");
      return row === undefined ? { epoch: 0, startedAtMs: 0 } : epochOf(row);
    });
  }

  epochs(epochMin: number): Promise<readonly Epoch[]> {
    return settle(() =>
      this.#sql.run("SELECT * FROM epochs WHERE epoch >= ? ORDER BY epoch", epochMin).map(epochOf),
    );
  }

  appliedSeq(): Promise<number> {
    return settle(() => this.#counter("applied"));
  }

  setAppliedSeq(seq: number): Promise<void> {
    return settle(() => {
      this.#setCounter("applied", seq);
    });
  }

  trim(epoch: number): Promise<void> {
    return settle(() => {
      this.#sql.run(
        "DELETE FROM log WHERE epoch <= ? AND seq <= ?",
        epoch,
        this.#counter("applied"),
      );
    });
  }

  #append(entries: readonly LogEntry[], options: AppendOptions): AppendResult {
    const epoch = this.#openEpoch(options.nowMs);
    let idCount = this.#counter("ids") - this.#forgetIds(options);
    const outcomes = entries.map((entry) => {
      const outcome = this.#remember(entry);
      if (outcome !== "appended") return outcome;
      if (entry.id !== "") idCount += 1;
      this.#sql.run(
        "INSERT INTO log (epoch, arrived_at, source, id, ts, body) VALUES (?, ?, ?, ?, ?, ?)",
        epoch,
        options.nowMs,
        entry.source,
        entry.id,
        entry.timestampMs,
        entry.body,
      );
      return outcome;
    });
    if (idCount > this.#idsMax) {
      throw new FeatureError(
        "RESOURCE_EXHAUSTED",
        `Cannot append events: the log shard remembers ${this.#idsMax} event ids, retry when older ones have passed the redelivery horizon`,
        { retryable: true },
      );
    }
    this.#setCounter("ids", idCount);
    return { outcomes };
  }

  #remember({ source, id, timestampMs, body }: LogEntry): Outcome {
    if (id === "") return "appended";
    const hash = `${xxh32(body, 0).toString(16)}-${xxh32(body, 1).toString(16)}`;
    const [known] = this.#sql.run("SELECT hash FROM ids WHERE source = ? AND id = ?", source, id);
    if (known !== undefined) return textOf(known["hash"]) === hash ? "repeat" : "conflict";
    this.#sql.run(
      "INSERT INTO ids (source, id, ts, hash) VALUES (?, ?, ?, ?)",
      source,
      id,
      timestampMs,
      hash,
    );
    return "appended";
  }

  /** How many ids past their horizon were forgotten; a bounded number each time. */
  #forgetIds({ nowMs, redeliveryHorizonMs }: AppendOptions): number {
    let forgotten = 0;
    for (const [source, horizonMs] of redeliveryHorizonMs) {
      forgotten += this.#sql.run(
        `DELETE FROM ids WHERE source = ?1 AND id IN (
           SELECT id FROM ids INDEXED BY ids_by_time WHERE source = ?1 AND ts < ?2 LIMIT ?3)
         RETURNING 1`,
        source,
        nowMs - horizonMs - forgetDelayMs,
        limits.idsForgottenPerAppendMax,
      ).length;
    }
    return forgotten;
  }

  /** The epoch that rows belong to now; the first one begins with the first thing that happens. */
  #openEpoch(nowMs: number): number {
    const [row] = this.#sql.run("SELECT MAX(epoch) AS epoch FROM epochs");
    const epoch = row?.["epoch"] ?? null;
    if (epoch !== null) return numberOf(epoch);
    this.#sql.run("INSERT INTO epochs (epoch, started_at) VALUES (0, ?)", nowMs);
    return 0;
  }

  #counter(name: string): number {
    const [row] = this.#sql.run("SELECT value FROM counters WHERE name = ?", name);
    return row === undefined ? 0 : numberOf(row["value"]);
  }

  #setCounter(name: string, value: number): void {
    this.#sql.run("INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)", name, value);
  }
}

function rowOf(row: SqlRow): LogRow {
  return {
    seq: numberOf(row["seq"]),
    epoch: numberOf(row["epoch"]),
    arrivedAtMs: numberOf(row["arrived_at"]),
    source: textOf(row["source"]),
    id: textOf(row["id"]),
    timestampMs: numberOf(row["ts"]),
    body: bytesOf(row["body"]),
  };
}

function epochOf(row: SqlRow): Epoch {
  return { epoch: numberOf(row["epoch"]), startedAtMs: numberOf(row["started_at"]) };
}

function settle<T>(body: () => T): Promise<T> {
  try {
    return Promise.resolve(body());
  } catch (cause) {
    if (cause instanceof FeatureError) return Promise.reject(cause);
    return Promise.reject(
      new FeatureError("STORE_UNAVAILABLE", "Cannot use the event log: SQLite failed", {
        cause,
        retryable: true,
      }),
    );
  }
}
