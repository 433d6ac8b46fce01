/**
 * A shard of the event log together with what follows from it: rows are appended in one atomic
 * step, then applied to every stream record they belong to, and only then acknowledged. A crash in
 * between leaves rows past `appliedSeq`; they are applied before anything else happens here.
 */

import { limits } from "../core/limits.ts";
import type { Repository } from "../define/definition.ts";
import type {
  AppendOptions,
  AppendResult,
  ClosedSource,
  Epoch,
  EventLogShard,
  FollowedRows,
  LogEntry,
  LogRange,
  LogRow,
  Seal,
} from "../store/event-log.ts";
import type { ApplyContext } from "../store/stream-home.ts";
import type { ShardedStreams } from "./sharded-streams.ts";
import { RowProjection } from "./project-rows.ts";

export interface LogHomeParts {
  /** Names the shard in the positions of stream records. */
  readonly shard: string;
  readonly log: EventLogShard;
  readonly streams: ShardedStreams;
  readonly repository: Repository;
  /** How long rows are kept for regions that follow, once compactions have taken them; 0 if left out. */
  readonly retentionMs?: number;
}

export interface Trim {
  readonly epoch: number;
  readonly nowMs: number;
  /** Keeps nothing of what was trimmed. */
  readonly forgetTrimmed?: boolean;
}

/** A page of a shard's rows, with what applying them elsewhere takes. */
export interface FollowedPage extends FollowedRows, Pick<ApplyContext, "epochs" | "viewFloors"> {
  /** Whether no row came after these until the page was read. */
  readonly isLast: boolean;
}

/** A log shard as others use it: in the same process, or behind a call. */
export interface LogAccess {
  readonly shard: string;
  append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult>;
  seal(seal: Seal): Promise<void>;
  closeBefore(source: string, beforeMs: number): Promise<ClosedSource>;
  repair(nowMs: number): Promise<void>;
  read(range: LogRange): Promise<readonly LogRow[]>;
  trim(trim: Trim): Promise<void>;
  /** Rows after a place, for a region that applies them to records of its own. */
  follow(afterSeq: number): Promise<FollowedPage>;
}

export class LogHome implements LogAccess {
  readonly #parts: LogHomeParts;
  readonly #projection: RowProjection;
  #floors: ReadonlyMap<string, number> | null = null;
  /** What was begun last: applications follow one another, in the order of the log. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: LogHomeParts) {
    this.#parts = parts;
    this.#projection = new RowProjection(parts.repository);
  }

  get shard(): string {
    return this.#parts.shard;
  }

  /** Resolves when the entries are in the log and in every stream record they belong to. */
  async append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult> {
    await this.#meetViews();
    const result = await this.#parts.log.append(entries, options);
    await this.repair(options.nowMs);
    return result;
  }

  /** Resolves when every row of the sealed epochs is applied, and later rows belong to later ones. */
  async seal(seal: Seal): Promise<void> {
    await this.#meetViews();
    await this.#parts.log.seal(seal);
    await this.repair(seal.nowMs);
  }

  closeBefore(source: string, beforeMs: number): Promise<ClosedSource> {
    return this.#parts.log.closeBefore(source, beforeMs);
  }

  /** Applies the rows that are in the log and not yet in the stream records. */
  repair(nowMs: number): Promise<void> {
    const turn = this.#tail.then(
      () => this.#applyPending(nowMs),
      () => this.#applyPending(nowMs),
    );
    this.#tail = turn;
    return turn;
  }

  read(range: LogRange): Promise<readonly LogRow[]> {
    return this.#parts.log.read(range);
  }

  trim({ epoch, nowMs, forgetTrimmed = false }: Trim): Promise<void> {
    const { log, retentionMs = 0 } = this.#parts;
    const keepsNone = forgetTrimmed || retentionMs === 0;
    return log.trim(epoch, keepsNone ? {} : { keepFromMs: nowMs - retentionMs });
  }

  async follow(afterSeq: number): Promise<FollowedPage> {
    const { log } = this.#parts;
    const viewFloors = await this.#meetViews();
    const { rows, forgotten } = await log.follow({ afterSeq, rowsMax: limits.applyRowsMax });
    const last = rows.at(-1);
    const isLast =
      last === undefined ||
      (await log.follow({ afterSeq: last.seq, rowsMax: 1 })).rows.length === 0;
    return { rows, forgotten, isLast, viewFloors, epochs: await this.#epochsOf(rows) };
  }

  async #applyPending(nowMs: number): Promise<void> {
    const { log, streams } = this.#parts;
    let afterSeq = await log.appliedSeq();
    for (;;) {
      const rows = await log.read({
        afterSeq,
        epochMax: Infinity,
        rowsMax: limits.applyRowsMax,
      });
      const last = rows.at(-1);
      if (last === undefined) return;
      await streams.apply(this.#projection.recordsOf(rows), await this.#contextOf(rows, nowMs));
      await log.setAppliedSeq(last.seq);
      afterSeq = last.seq;
    }
  }

  async #contextOf(rows: readonly LogRow[], nowMs: number): Promise<ApplyContext> {
    const epochs = await this.#epochsOf(rows);
    return { shard: this.shard, epochs, viewFloors: await this.#meetViews(), nowMs };
  }

  /** The epochs of rows, and as many before them as may be made one with theirs. */
  async #epochsOf(rows: readonly LogRow[]): Promise<readonly Epoch[]> {
    const [first] = rows;
    if (first === undefined) return [];
    return this.#parts.log.epochs(first.epoch - limits.epochsMergedMax);
  }

  /** Before its first row: a view that the shard knew all along lacks none. It answers for good. */
  async #meetViews(): Promise<ReadonlyMap<string, number>> {
    return (this.#floors ??= await this.#parts.log.viewFloors(this.#projection.fingerprints));
  }
}
