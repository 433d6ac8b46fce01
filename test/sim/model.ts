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
  /** When it was put offline as history; Infinity for never. */
  loadedMs: number;
  /** By view, when a compaction that covers it was finished. */
  readonly coveredMs: Map<string, number>;
}

export interface Deleted {
  /** When a deletion was asked for. */
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
  readonly #byEntity = new Map<string, SimEvent[]>();

  add(event: SimEvent): SimEvent {
    this.events.set(event.tag, event);
    for (const entity of [`user ${event.user}`, event.card === null ? null : `card ${event.card}`]) {
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
  cover(view: string, { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number }): void {
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
      const isLive = read.view.kind === "streamView";
      const inMs = isLive ? event.ackedMs : (event.coveredMs.get(read.view.name) ?? Infinity);
      if (inMs <= visibleUntilMs && !event.isOpen && event.healedMs > nowMs) must.push(event);
    }
    return { may, must };
  }
}

export function entityNameOf(view: ViewDefinition): string {
  return (view.entities[0] as { name: string }).name;
}
