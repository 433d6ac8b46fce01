/** The contract of a home of stream records: where events are folded, next to where they are kept. */

import type { RawEvent } from "../tile/partial.ts";
import type { Epoch } from "./event-log.ts";
import type { RecordReader } from "./online-store.ts";

/** An event of the log on its way into one record. */
export interface PlacedEvent {
  readonly seq: number;
  readonly epoch: number;
  readonly event: RawEvent;
}

/** The events for one record, in the order of the log. */
export interface RecordEvents {
  readonly view: string;
  readonly entity: string;
  readonly events: readonly PlacedEvent[];
}

export interface ApplyContext {
  /** The log shard the events come from. */
  readonly shard: string;
  /** Every epoch that the events belong to, and the ones before that are known. */
  readonly epochs: readonly Epoch[];
  /** By the fingerprint of a view the epoch up to which its records lack events of this shard. */
  readonly viewFloors: ReadonlyMap<string, number>;
  readonly nowMs: number;
}

export interface CollectRequest {
  readonly view: string;
  readonly entities: readonly string[];
  /** Partials of epochs up to this one are in every batch record a request can meet. */
  readonly cut: number;
  /** Of a view with a history of its own: the earliest watermark of such a record. */
  readonly watermarkMs: number;
}

export interface EraseRequest {
  readonly view: string;
  readonly entities: readonly string[];
}

/**
 * `apply`, `collect`, `bury` and `erase` are idempotent, and resolve when every record named is
 * written durably. `readMany` answers for records and tombstones.
 */
export interface StreamHome extends RecordReader {
  apply(records: readonly RecordEvents[], context: ApplyContext): Promise<void>;
  collect(request: CollectRequest): Promise<void>;
  /** Writes tombstones: from then on no event reaches a record that they hide. */
  bury(tombstones: readonly string[]): Promise<void>;
  /** Deletes the records of entities that tombstones hide. */
  erase(request: EraseRequest): Promise<void>;
}
