/** A shard of the event log in memory: for simulations, and the measure of what the others must do. */

import { limits } from "../core/limits.ts";
import { admitEntries, assertOffsets, closeSource } from "./admit-entries.ts";
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
} from "./event-log.ts";
import { MapLogMemory } from "./map-log-memory.ts";

export interface MemoryEventLogOptions {
  /** How many event ids and requests the shard remembers; `limits.logShardIdsMax` if left out. */
  readonly idsMax?: number;
}

/** Every method does all it does before it returns, so that calls never come between its steps. */
export class MemoryEventLog implements EventLogShard {
  readonly #idsMax: number;
  readonly #memory = new MapLogMemory();
  readonly #epochs = new Map<number, Epoch>();
  readonly #viewFloors = new Map<string, number>();
  #openEpoch: number | null = null;
  /** Ascending by place, and so by epoch. */
  #rows: LogRow[] = [];
  #lastSeq = 0;
  #appliedSeq = 0;
  #trimmedSeq = 0;
  #forgotten: FollowedRows["forgotten"] = { seq: 0, epoch: -1 };

  constructor(options: MemoryEventLogOptions = {}) {
    this.#idsMax = options.idsMax ?? limits.logShardIdsMax;
  }

  append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult> {
    assertOffsets(entries, options.partitions);
    return settle(() => {
      const outcomes = this.#memory.atomically(() =>
        admitEntries(this.#memory, entries, { ...options, idsMax: this.#idsMax }),
      );
      const news = entries.filter((_, i) => outcomes[i] === "appended");
      if (news.length === 0) return { outcomes };
      const epoch = this.#beginEpoch(options.nowMs);
      for (const { source, id, timestampMs, body } of news) {
        const event = { source, id, timestampMs, body: body.slice() };
        this.#lastSeq += 1;
        this.#rows.push({ ...event, seq: this.#lastSeq, epoch, arrivedAtMs: options.nowMs });
      }
      return { outcomes };
    });
  }

  read({ afterSeq, epochMax, rowsMax }: LogRange): Promise<readonly LogRow[]> {
    const fromSeq = Math.max(afterSeq, this.#trimmedSeq);
    return settle(() => this.#page({ afterSeq: fromSeq, epochMax, rowsMax }));
  }

  follow(range: FollowRange): Promise<FollowedRows> {
    return settle(() => ({
      rows: this.#page({ ...range, epochMax: Infinity }),
      forgotten: this.#forgotten,
    }));
  }

  seal({ epoch, nowMs, cutOf }: Seal): Promise<void> {
    return settle(() => {
      if (this.#beginEpoch(nowMs) <= epoch) this.#open(epoch + 1, nowMs);
      if (epoch >= 0) this.#settleCut(epoch, cutOf);
    });
  }

  currentEpoch(): Promise<Epoch> {
    return settle(() => this.#newestEpoch() ?? { epoch: 0, startedAtMs: 0, cutOf: null });
  }

  epochs(epochMin: number): Promise<readonly Epoch[]> {
    return settle(() =>
      [...this.#epochs.values()]
        .filter(({ epoch }) => epoch >= epochMin)
        .sort((a, b) => a.epoch - b.epoch),
    );
  }

  appliedSeq(): Promise<number> {
    return settle(() => this.#appliedSeq);
  }

  setAppliedSeq(seq: number): Promise<void> {
    return settle(() => {
      this.#appliedSeq = seq;
    });
  }

  trim(epoch: number, { keepFromMs = Infinity }: TrimOptions = {}): Promise<void> {
    return settle(() => {
      const isTrimmed = ({ seq, epoch: rowEpoch }: LogRow) =>
        seq <= this.#trimmedSeq || (rowEpoch <= epoch && seq <= this.#appliedSeq);
      const trimmed = this.#rows.filter(isTrimmed);
      this.#trimmedSeq = trimmed.at(-1)?.seq ?? this.#trimmedSeq;
      const firstKept = trimmed.findIndex(({ arrivedAtMs }) => arrivedAtMs >= keepFromMs);
      const gone = firstKept === -1 ? trimmed : trimmed.slice(0, firstKept);
      const last = gone.at(-1);
      if (last !== undefined) this.#forgotten = { seq: last.seq, epoch: last.epoch };
      this.#rows = this.#rows.slice(gone.length);
    });
  }

  closeBefore(source: string, beforeMs: number): Promise<ClosedSource> {
    return settle(() => ({
      epoch: this.#newestEpoch()?.epoch ?? 0,
      beforeMs: closeSource(this.#memory, source, beforeMs),
    }));
  }

  viewFloors(fingerprints: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return settle(() => {
      const floorNow = this.#newestEpoch()?.epoch ?? -1;
      const floors = fingerprints.map((fingerprint): [string, number] => {
        const floor = this.#viewFloors.get(fingerprint) ?? floorNow;
        this.#viewFloors.set(fingerprint, floor);
        return [fingerprint, floor];
      });
      return new Map(floors);
    });
  }

  #page({ afterSeq, epochMax, rowsMax }: LogRange): LogRow[] {
    const page: LogRow[] = [];
    let pageBytes = 0;
    for (let i = this.#indexAfter(afterSeq); i < this.#rows.length; i++) {
      const row = this.#rows[i] as LogRow;
      const isFull = page.length >= rowsMax || pageBytes >= limits.logPageBytesMax;
      if (isFull || row.epoch > epochMax) break;
      pageBytes += row.body.length;
      page.push({ ...row, body: row.body.slice() });
    }
    return page;
  }

  /** The index of the first row after a place. */
  #indexAfter(seq: number): number {
    let from = 0;
    let until = this.#rows.length;
    while (from < until) {
      const middle = (from + until) >> 1;
      if ((this.#rows[middle] as LogRow).seq <= seq) from = middle + 1;
      else until = middle;
    }
    return from;
  }

  /** The open one; null while neither a row nor a seal has begun the first. */
  #newestEpoch(): Epoch | null {
    return this.#openEpoch === null ? null : (this.#epochs.get(this.#openEpoch) as Epoch);
  }

  /** The epoch that rows belong to now. */
  #beginEpoch(nowMs: number): number {
    return this.#openEpoch ?? this.#open(0, nowMs);
  }

  #open(epoch: number, nowMs: number): number {
    this.#epochs.set(epoch, { epoch, startedAtMs: nowMs, cutOf: null });
    this.#openEpoch = epoch;
    return epoch;
  }

  #settleCut(epoch: number, cutOf: readonly string[]): void {
    const known = this.#epochs.get(epoch);
    this.#epochs.set(epoch, {
      epoch,
      startedAtMs: known?.startedAtMs ?? this.#startAfter(epoch),
      cutOf: [...new Set([...(known?.cutOf ?? []), ...cutOf])].sort(),
    });
  }

  /** An epoch that another's seal skipped began and ended with that seal. */
  #startAfter(epoch: number): number {
    const later = [...this.#epochs.values()].filter((each) => each.epoch > epoch);
    return later.reduce((first, each) => (each.epoch < first.epoch ? each : first)).startedAtMs;
  }
}

/** What `body` throws becomes a rejection. */
function settle<T>(body: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(body());
  });
}
