/** What was sent, acknowledged, corrected and deleted, and so what an answer may and must hold. */

import type { ViewDefinition } from "../../src/define/definition.ts";
import type { Interval } from "../../src/window/bounds.ts";

/** One body of an event. Bodies of one id differ in their tags, and one of them counts. */
export interface SimEvent {
  readonly tag: string;
  readonly id: string;
  readonly timestampMs: number;
  readonly user: string;
  readonly card: string | null;
  /** When it was first on its way, by whichever way. */
  sentMs: number;
  /** When its sender heard that it is in; Infinity while it has not. */
  ackedMs: number;
  /** Whether another body of the id may have come first, or a load brought it: then no ack binds. */
  isOpen: boolean;
  /** When it was corrected away; Infinity for never. */
  healedMs: number;
  /** True for one that only a correction brings. */
  readonly isCorrection: boolean;
  /** When it was put offline with a load; Infinity for never. */
  loadedMs: number;
  /** When it was put offline into the history that another system writes; Infinity for never. */
  archivedMs: number;
  /** Whether no other body of its id may be sent any more. */
  isSettled: boolean;
  /** By view, when a compaction that covers it was finished. */
  readonly coveredMs: Map<string, number>;
}

export interface Deleted {
  readonly askedMs: number;
  /** When it was acknowledged; Infinity while it was not. */
  doneMs: number;
}

export interface Expectation {
  /** Everything that may be in the answer, by tag. */
  readonly may: ReadonlyMap<string, SimEvent>;
  /** What must be in it. */
  readonly must: readonly SimEvent[];
}

export class Model {
  readonly events = new Map<string, SimEvent>();
  readonly deleted = new Map<string, Deleted>();
  /** Of views with a history: when each run began, and up to where its history was complete. */
  readonly watermarks: { readonly fromMs: number; readonly watermarkMs: number }[] = [];
  readonly #byEntity = new Map<string, SimEvent[]>();

  add(event: SimEvent): SimEvent {
    this.events.set(event.tag, event);
    for (const entity of [
      `user ${event.user}`,
      event.card === null ? null : `card ${event.card}`,
    ]) {
      if (entity === null) continue;
      const known = this.#byEntity.get(entity);
      if (known === undefined) this.#byEntity.set(entity, [event]);
      else known.push(event);
    }
    return event;
  }

  /** Entities of a view that some event names. */
  entitiesOf(view: ViewDefinition): string[] {
    const prefix = `${entityNameOf(view)} `;
    const found = [...this.#byEntity.keys()].filter((key) => key.startsWith(prefix));
    return found.map((key) => key.slice(prefix.length)).sort();
  }

  eventsOf(view: ViewDefinition, entity: string): readonly SimEvent[] {
    return this.#byEntity.get(`${entityNameOf(view)} ${entity}`) ?? [];
  }

  deletionOf(view: ViewDefinition, entity: string): Deleted | null {
    return this.deleted.get(`${entityNameOf(view)} ${entity}`) ?? null;
  }

  /** A compaction that began at `fromMs` has finished: a batch view knows what was in by then. */
  cover(
    view: string,
    { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number },
  ): void {
    for (const event of this.events.values()) {
      if (event.ackedMs > fromMs || event.isOpen || event.coveredMs.has(view)) continue;
      event.coveredMs.set(view, nowMs);
    }
  }

  /** For an answer within some bounds: what was in by `visibleUntilMs` must be in it. */
  expect(
    read: { readonly view: ViewDefinition; readonly entity: string },
    bounds: Interval,
    { visibleUntilMs, nowMs }: { readonly visibleUntilMs: number; readonly nowMs: number },
  ): Expectation {
    const may = new Map<string, SimEvent>();
    const must: SimEvent[] = [];
    for (const event of this.eventsOf(read.view, read.entity)) {
      const { timestampMs } = event;
      if (timestampMs < bounds.startMs || timestampMs >= bounds.endMs) continue;
      if (event.sentMs <= nowMs) may.set(event.tag, event);
      if (this.isIn(event, read.view, { visibleUntilMs, nowMs })) must.push(event);
    }
    return { may, must };
  }

  /** Whether an answer must know of an event. */
  isIn(
    event: SimEvent,
    view: ViewDefinition,
    { visibleUntilMs, nowMs }: { readonly visibleUntilMs: number; readonly nowMs: number },
  ): boolean {
    const { isOpen, healedMs, coveredMs, ackedMs, timestampMs, archivedMs } = event;
    if (isOpen || healedMs <= nowMs || this.goneMs(event) <= nowMs) return false;
    if (view.kind === "batchView") return (coveredMs.get(view.name) ?? Infinity) <= visibleUntilMs;
    if (ackedMs > visibleUntilMs) return false;
    if (view.history === null) return true;
    // Late for a watermark it waits for the next one, by which it is in the history.
    return this.watermarks.every(
      ({ fromMs, watermarkMs }) => timestampMs >= watermarkMs || archivedMs <= fromMs,
    );
  }

  /** When an entity of the event was deleted; then it is nobody's. */
  goneMs({ user, card }: SimEvent): number {
    const askedOf = (key: string) => this.deleted.get(key)?.askedMs ?? Infinity;
    return Math.min(askedOf(`user ${user}`), card === null ? Infinity : askedOf(`card ${card}`));
  }
}

export function entityNameOf(view: ViewDefinition): string {
  return (view.entities[0] as { name: string }).name;
}
