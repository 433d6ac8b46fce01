/** Folds the sorted events of one entity into its partial, a tile at a time and in bounded memory. */

import { ByteWriter } from "../core/bytes.ts";
import type { Scalar } from "../core/value.ts";
import type { ViewDefinition } from "../define/definition.ts";
import { addEventInto, emptyStates } from "../tile/partial.ts";
import type { Partial, RawEvent, StateTile } from "../tile/partial.ts";
import { eventBytes, tileBytes } from "../tile/partial-codec.ts";
import { tileAt } from "../window/cover.ts";
import type { Cover } from "../window/cover.ts";
import type { Interval } from "../window/bounds.ts";

/** Raw events are given up when they are this much larger than the states they came to so far. */
const rawGiveUpRatio = 1.5;
const firstCheckpointEvents = 4;
const checkpointGrowth = 4;

export class EntityFold {
  readonly #view: ViewDefinition;
  readonly #cover: Cover;
  readonly #tiles: StateTile[] = [];
  readonly #events: RawEvent[] = [];
  readonly #scratch = new ByteWriter(1024);
  #interval: Interval | null = null;
  #states: unknown[] = [];
  /** The raw events of the open tile; null once its states are surely smaller. */
  #raw: RawEvent[] | null = [];
  #rawBytes = 0;
  #tileEvents = 0;
  #checkpointEvents = firstCheckpointEvents;
  eventCount = 0;

  constructor(view: ViewDefinition, cover: Cover) {
    this.#view = view;
    this.#cover = cover;
  }

  /** Adds the next event, in the order of (timestamp, id); `values` by value column. */
  add(timestampMs: number, id: string, values: readonly (Scalar | null)[]): void {
    if (timestampMs < this.#cover.keepFromMs) return;
    if (this.#interval === null || timestampMs >= this.#interval.endMs) this.#openTile(timestampMs);
    const event = { timestampMs, tie: this.#view.ordered ? id : "", values };
    addEventInto(this.#states, event, this.#view);
    this.eventCount += 1;
    this.#tileEvents += 1;
    if (this.#raw !== null) this.#keepRaw(this.#raw, event);
  }

  /** The entity's partial; the fold takes no more events. */
  finish(earliestMs: number): Partial {
    this.#closeTile();
    return {
      earliestMs,
      keepFromMs: this.#cover.keepFromMs,
      tiles: this.#tiles,
      events: this.#events,
    };
  }

  #openTile(timestampMs: number): void {
    this.#closeTile();
    this.#interval = tileAt(this.#cover, timestampMs);
    this.#states = emptyStates(this.#view);
    this.#raw = [];
    this.#rawBytes = 0;
    this.#tileEvents = 0;
    this.#checkpointEvents = firstCheckpointEvents;
  }

  #keepRaw(raw: RawEvent[], event: RawEvent): void {
    raw.push(event);
    this.#rawBytes += eventBytes(event, this.#view);
    if (this.#tileEvents < this.#checkpointEvents) return;
    this.#checkpointEvents *= checkpointGrowth;
    if (this.#rawBytes > this.#stateBytes() * rawGiveUpRatio) this.#raw = null;
  }

  #closeTile(): void {
    if (this.#interval === null) return;
    if (this.#raw !== null && this.#rawBytes <= this.#stateBytes()) {
      for (const event of this.#raw) this.#events.push(event);
    } else {
      this.#tiles.push({ ...this.#interval, states: this.#states });
    }
    this.#interval = null;
  }

  #stateBytes(): number {
    return tileBytes(this.#states, this.#view, this.#scratch);
  }
}
