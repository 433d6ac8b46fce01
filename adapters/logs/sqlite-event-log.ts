/**
 * A shard of the event log in SQLite: a Durable Object's, or a file's. One transaction settles an
 * event's id, its epoch and its place.
 */

import { FeatureError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { admitEntries, assertOffsets, closeSource } from "../../src/store/admit-entries.ts";
import type {
  AppendOptions,
  AppendResult,
  ClosedSource,
  Epoch,
  EventLogShard,
  FollowRange,
  FollowedRows,
  LogEntry,
  LogRange,
  LogRow,
  Seal,
  TrimOptions,
} from "../../src/store/event-log.ts";
import { bytesOf, numberOf, textOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle, SqlRow } from "../../src/store/sql-handle.ts";
import { readCounter, writeCounter } from "./sqlite-counters.ts";
import { SqliteEpochs } from "./sqlite-epochs.ts";
import { SqliteLogMemory } from "./sqlite-log-memory.ts";
import { createLogTables } from "./sqlite-log-schema.ts";

export interface SqliteEventLogOptions {
  /** How many event ids and requests the shard remembers; `limits.logShardIdsMax` if left out. */
  readonly idsMax?: number;
}

export class SqliteEventLog implements EventLogShard {
  readonly #sql: SqlHandle;
  readonly #idsMax: number;
  readonly #memory: SqliteLogMemory;
  readonly #epochs: SqliteEpochs;

  constructor(sql: SqlHandle, options: SqliteEventLogOptions = {}) {
    this.#sql = sql;
    this.#idsMax = options.idsMax ?? limits.logShardIdsMax;
    this.#memory = new SqliteLogMemory(sql);
    this.#epochs = new SqliteEpochs(sql);
    createLogTables(sql);
  }

  append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult> {
    assertOffsets(entries, options.partitions);
    return this.#transact(() => {
      const outcomes = admitEntries(this.#memory, entries, { ...options, idsMax: this.#idsMax });
      const news = entries.filter((_, i) => outcomes[i] === "appended");
      this.#insert(news, options.nowMs);
      return { outcomes };
    });
  }

  read(range: LogRange): Promise<readonly LogRow[]> {
    return settle(() => {
      const afterSeq = Math.max(range.afterSeq, readCounter(this.#sql, "trimmed"));
      return this.#page({ ...range, afterSeq });
    });
  }

  follow(range: FollowRange): Promise<FollowedRows> {
    return this.#transact(() => ({
      rows: this.#page({ ...range, epochMax: Infinity }),
      forgotten: {
        seq: readCounter(this.#sql, "forgotten"),
        epoch: readCounter(this.#sql, "forgotten-epochs") - 1,
      },
    }));
  }

  seal({ epoch, nowMs, cutOf }: Seal): Promise<void> {
    return this.#transact(() => {
      if (this.#epochs.begin(nowMs) <= epoch) this.#epochs.open(epoch + 1, nowMs);
      if (epoch >= 0) this.#epochs.settleCut(epoch, cutOf);
    });
  }

  currentEpoch(): Promise<Epoch> {
    return settle(() => this.#epochs.newest() ?? { epoch: 0, startedAtMs: 0, cutOf: null });
  }

  epochs(epochMin: number): Promise<readonly Epoch[]> {
    return settle(() => this.#epochs.from(epochMin));
  }

  appliedSeq(): Promise<number> {
    return settle(() => readCounter(this.#sql, "applied"));
  }

  setAppliedSeq(seq: number): Promise<void> {
    return settle(() => {
      writeCounter(this.#sql, "applied", seq);
    });
  }

  trim(epoch: number, { keepFromMs = Number.MAX_SAFE_INTEGER }: TrimOptions = {}): Promise<void> {
    return this.#transact(() => {
      const [last] = this.#sql.run(
        "SELECT seq FROM log WHERE epoch <= ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
        epoch,
        readCounter(this.#sql, "applied"),
      );
      const lastSeq = last === undefined ? 0 : numberOf(last["seq"]);
      const trimmedSeq = Math.max(readCounter(this.#sql, "trimmed"), lastSeq);
      writeCounter(this.#sql, "trimmed", trimmedSeq);
      const [kept] = this.#sql.run(
        "SELECT seq FROM log WHERE arrived_at >= ? ORDER BY seq LIMIT 1",
        keepFromMs,
      );
      const keptSeq = kept === undefined ? Infinity : numberOf(kept["seq"]);
      this.#forget(Math.min(trimmedSeq, keptSeq - 1));
    });
  }

  closeBefore(source: string, beforeMs: number): Promise<ClosedSource> {
    return this.#transact(() => ({
      epoch: this.#epochs.newest()?.epoch ?? 0,
      beforeMs: closeSource(this.#memory, source, beforeMs),
    }));
  }

  viewFloors(fingerprints: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.#transact(() => {
      const asked = JSON.stringify(fingerprints);
      this.#sql.run(
        "INSERT OR IGNORE INTO views (fingerprint, floor) SELECT value, ? FROM json_each(?)",
        this.#epochs.newest()?.epoch ?? -1,
        asked,
      );
      const rows = this.#sql.run(
        "SELECT * FROM views WHERE fingerprint IN (SELECT value FROM json_each(?))",
        asked,
      );
      return new Map(rows.map((row) => [textOf(row["fingerprint"]), numberOf(row["floor"])]));
    });
  }

  #forget(throughSeq: number): void {
    const [last] = this.#sql.run(
      "SELECT seq, epoch FROM log WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
      throughSeq,
    );
    if (last === undefined) return;
    writeCounter(this.#sql, "forgotten", numberOf(last["seq"]));
    writeCounter(this.#sql, "forgotten-epochs", numberOf(last["epoch"]) + 1);
    this.#sql.run("DELETE FROM log WHERE seq <= ?", throughSeq);
  }

  #page(range: LogRange): LogRow[] {
    return this.#sql
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
      .map(rowOf);
  }

  #insert(entries: readonly LogEntry[], nowMs: number): void {
    if (entries.length === 0) return;
    const epoch = this.#epochs.begin(nowMs);
    for (const { source, id, timestampMs, body } of entries) {
      this.#sql.run(
        "INSERT INTO log (epoch, arrived_at, source, id, ts, body) VALUES (?, ?, ?, ?, ?, ?)",
        epoch,
        nowMs,
        source,
        id,
        timestampMs,
        body,
      );
    }
  }

  #transact<T>(body: () => T): Promise<T> {
    return settle(() => this.#sql.transaction(body));
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
