/**
 * A shard of the event log together with what follows from it: rows are appended in one atomic
 * step, then applied to every stream record they belong to, and only then acknowledged. A crash in
 * between leaves rows past `appliedSeq`; they are applied before anything else happens here.
 */

import { groupBy } from "../core/group-by.ts";
import { limits } from "../core/limits.ts";
import type { Repository } from "../define/definition.ts";
import type {
  AppendOptions,
  AppendResult,
  ClosedSource,
  EventLogShard,
  LogEntry,
  LogRange,
  LogRow,
  Seal,
} from "../store/event-log.ts";
import type { ApplyContext, PlacedEvent, RecordEvents } from "../store/stream-home.ts";
import type { ShardedStreams } from "./sharded-streams.ts";
import { readSourceEvent } from "./source-event-codec.ts";
import { entityOf, projectView, rawEventOf } from "./view-projection.ts";
import type { ViewProjection } from "./view-projection.ts";

export interface LogHomeParts {
  /** Names the shard in the positions of stream records. */
  readonly shard: string;
  readonly log: EventLogShard;
  readonly streams: ShardedStreams;
  readonly repository: Repository;
}

/** A log shard as others use it: in the same process, or behind a call. */
export interface LogAccess {
  readonly shard: string;
  append(entries: readonly LogEntry[], options: AppendOptions): Promise<AppendResult>;
  seal(seal: Seal): Promise<void>;
  closeBefore(source: string, beforeMs: number): Promise<ClosedSource>;
  repair(nowMs: number): Promise<void>;
  read(range: LogRange): Promise<readonly LogRow[]>;
  trim(epoch: number): Promise<void>;
}

export class LogHome implements LogAccess {
  readonly #parts: LogHomeParts;
  readonly #projections: ReadonlyMap<string, readonly ViewProjection[]>;
  readonly #fingerprints: readonly string[];
  #floors: ReadonlyMap<string, number> | null = null;
  /** What was begun last: applications follow one another, in the order of the log. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: LogHomeParts) {
    this.#parts = parts;
    this.#projections = streamProjections(parts.repository);
    this.#fingerprints = [...this.#projections.values()].flatMap((projections) =>
      projections.map(({ view }) => view.fingerprint),
    );
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

  trim(epoch: number): Promise<void> {
    return this.#parts.log.trim(epoch);
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
      await streams.apply(this.#recordsOf(rows), await this.#contextOf(rows, nowMs));
      await log.setAppliedSeq(last.seq);
      afterSeq = last.seq;
    }
  }

  async #contextOf(rows: readonly LogRow[], nowMs: number): Promise<ApplyContext> {
    const { log, shard } = this.#parts;
    const epochs = await log.epochs((rows[0] as LogRow).epoch - limits.epochsMergedMax);
    return { shard, epochs, viewFloors: await this.#meetViews(), nowMs };
  }

  /** Before its first row: a view that the shard knew all along lacks none. It answers for good. */
  async #meetViews(): Promise<ReadonlyMap<string, number>> {
    return (this.#floors ??= await this.#parts.log.viewFloors(this.#fingerprints));
  }

  #recordsOf(rows: readonly LogRow[]): RecordEvents[] {
    const placed: { view: string; entity: string; event: PlacedEvent }[] = [];
    for (const row of rows) {
      const source = this.#parts.repository.sources.get(row.source);
      // A source that is not defined any more has no view to apply its rows to; they stay in the log.
      if (source === undefined) continue;
      const event = readSourceEvent(source, row);
      for (const projection of this.#projections.get(row.source) ?? []) {
        const entity = entityOf(projection, event);
        if (entity === null) continue;
        const raw = rawEventOf(projection, event);
        placed.push({
          view: projection.view.name,
          entity,
          event: { seq: row.seq, epoch: row.epoch, event: raw },
        });
      }
    }
    const groups = groupBy(placed, ({ view, entity }) => `${view} ${entity}`);
    return [...groups.values()].map((group) => ({
      view: (group[0] as { view: string }).view,
      entity: (group[0] as { entity: string }).entity,
      events: group.map(({ event }) => event),
    }));
  }
}

function streamProjections(repository: Repository): Map<string, ViewProjection[]> {
  const views = [...repository.views.values()].filter(({ kind }) => kind === "streamView");
  return groupBy(views.map(projectView), ({ view }) => view.source.name);
}
