/**
 * One entity's records of a real view over virtual time: events as they come, compactions, epochs
 * that only other views were cut at, and every copy of the batch record that was ever written.
 */

import { compareRows } from "../../src/aggregate/row.ts";
import { EntityFold } from "../../src/compact/fold-entity.ts";
import { coverOf, readsOf } from "../../src/compact/fold-view.ts";
import type { Scalar, ViewDefinition } from "../../src/define/definition.ts";
import { floorTo } from "../../src/core/instant.ts";
import { applyEvents } from "../../src/ingest/apply-events.ts";
import { collectEpochs } from "../../src/ingest/collect-epochs.ts";
import { combineView } from "../../src/serve/combine-view.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { planView } from "../../src/serve/view-plan.ts";
import type { Epoch } from "../../src/store/event-log.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { readBatchRecord, writeBatchRecord } from "../../src/tile/batch-record.ts";
import type { BatchHeader } from "../../src/tile/batch-record.ts";
import { streamKey } from "../../src/tile/keys.ts";
import { viewStreamRecord } from "../../src/tile/stream-record.ts";

/** An event with its columns by name; a column that is not there is null. */
export interface TimelineEvent {
  readonly id: string;
  readonly timestampMs: number;
  readonly columns: Readonly<Record<string, Scalar | null>>;
}

/** A batch record, and the events it was made of. */
export interface Copy {
  readonly header: BatchHeader;
  readonly bytes: Uint8Array;
  readonly events: readonly TimelineEvent[];
}

export interface TimelineAnswer {
  /** By feature. */
  readonly features: ReadonlyMap<string, FeatureAnswer>;
  /** Whether the copy is older than what was collected: nothing may be answered but a gap. */
  readonly isTooOld: boolean;
}

export class EntityTimeline {
  readonly view: ViewDefinition;
  readonly events: TimelineEvent[] = [];
  readonly copies: Copy[] = [];
  readonly #store = new MemoryStore();
  readonly #epochs: Epoch[];
  #seq = 0;
  nowMs: number;

  constructor(view: ViewDefinition, nowMs: number) {
    this.view = view;
    this.nowMs = nowMs;
    this.#epochs = [{ epoch: 0, startedAtMs: nowMs, cutOf: null }];
  }

  async ingest(events: readonly TimelineEvent[]): Promise<void> {
    this.events.push(...events);
    if (this.view.kind === "batchView") return;
    const epoch = this.#epochs.length - 1;
    const placed = events.map((event) => {
      this.#seq += 1;
      const { timestampMs } = event;
      const tie = this.view.ordered && this.view.source.id !== null ? event.id : "";
      return { seq: this.#seq, epoch, event: { timestampMs, tie, values: this.#valuesOf(event) } };
    });
    const record = { view: this.view, entity: "u", events: placed };
    await applyEvents(this.#store, [record], {
      shard: "main-0",
      epochs: this.#epochs,
      viewFloors: new Map(),
      nowMs: this.nowMs,
    });
  }

  /** Ends the epoch. */
  seal(cutOf: readonly string[] = ["another_view"]): number {
    const cut = this.#epochs.length - 1;
    this.#epochs[cut] = { ...(this.#epochs[cut] as Epoch), cutOf };
    this.#epochs.push({ epoch: cut + 1, startedAtMs: this.nowMs, cutOf: null });
    return cut;
  }

  /** Covers what came until now, or of a view that goes by event time what happened before an instant. */
  compact({ untilMs = this.nowMs, events = this.events } = {}): void {
    const watermarkMs =
      this.view.history === null ? untilMs : floorTo(untilMs, this.view.watermarkStepMs);
    const run = { cut: this.seal([this.view.name]), sealedAtMs: this.nowMs, watermarkMs };
    const fold = new EntityFold(this.view, coverOf(this.view, run));
    const isByEpoch = this.view.kind === "streamView" && this.view.history === null;
    const covered = events.filter(({ timestampMs }) => isByEpoch || timestampMs < watermarkMs);
    const rows = covered.map((event) => {
      const tie = this.view.source.id === null ? "" : event.id;
      return { timestampMs: event.timestampMs, tie, values: this.#valuesOf(event) };
    });
    for (const { timestampMs, tie, values } of rows.sort(compareRows)) {
      fold.add(timestampMs, tie, values);
    }
    const partial = fold.finish(readsOf(this.view, run).earliestMs);
    const header = { ...run, eventCount: fold.eventCount };
    const bytes = writeBatchRecord(header, partial, this.view);
    this.copies.push({ header, bytes, events: covered });
  }

  collect(copy: Copy): Promise<void> {
    const { cut, watermarkMs } = copy.header;
    return collectEpochs(this.#store, this.view, { entities: ["u"], cut, watermarkMs });
  }

  async streamBytes(): Promise<Uint8Array | null> {
    const [value] = await this.#store.readMany([streamKey(this.view, "u")]);
    return value?.bytes ?? null;
  }

  /** What is answered now, from this copy of the batch record. */
  async answer(copy: Copy | null): Promise<TimelineAnswer> {
    const bytes = await this.streamBytes();
    const stream = bytes === null ? null : viewStreamRecord(bytes, this.view);
    const batch = copy === null ? null : readBatchRecord(copy.bytes, this.view);
    const { features } = combineView(planView(this.view), { batch, stream }, this.nowMs);
    return {
      features: new Map(
        this.view.features.map(({ name }, i) => [name, features[i] as FeatureAnswer]),
      ),
      isTooOld:
        stream !== null &&
        (stream.collectedEpoch > (copy?.header.cut ?? -1) ||
          stream.collectedWatermarkMs > (copy?.header.watermarkMs ?? -Infinity)),
    };
  }

  /** The latest instant for which records with this copy promise to be exact. */
  exactUntilMs(copy: Copy | null): number {
    if (this.view.kind === "batchView") return Infinity;
    const startMs = copy?.header.sealedAtMs ?? (this.#epochs[0] as Epoch).startedAtMs;
    return startMs + this.view.horizonMs;
  }

  #valuesOf({ columns }: TimelineEvent): (Scalar | null)[] {
    return this.view.valueColumns.map(({ name }) => columns[name] ?? null);
  }
}
