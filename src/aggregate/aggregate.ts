/**
 * The algebra. A *state* is the mergeable part of an answer; a *function* finishes one or more
 * states of a column into a value. Ingest, compaction, serving and training fold with these alone.
 *
 *   events ──add──► state ──merge──► state ──finish──► value
 *                     │  ▲
 *                 write  read (merges straight from the bytes)
 */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import type { DataType, Scalar, ScalarType, Value } from "../core/value.ts";

/** Where an event stands in time: ties in time are broken by `tie`, compared as UTF-8 bytes. */
export interface EventOrder {
  readonly timestampMs: number;
  /** The event id where the source declares one, else "" and the encoded value breaks the tie. */
  readonly tie: string;
}

/**
 * The laws, each a row of the law table:
 * - `merge` is associative and commutative, `empty` is its unit;
 * - any split of the same events, added and merged in any order, writes the same bytes;
 * - `readInto(empty, write(s))` equals `s`; `readInto` reads exactly what `write` wrote.
 *
 * `addInto`, `mergeInto` and `readInto` change their first argument only. States never alias:
 * after `mergeInto(a, b)`, changing `a` leaves `b` as it was.
 */
export interface StateAlgebra<State = unknown> {
  /** Identifies the state within its column, e.g. `sum`, `last:10`. Equal keys share one state. */
  readonly key: string;
  /** Whether `addInto` looks at the tie; raw events keep their ids only if some state does. */
  readonly ordered: boolean;
  empty(): State;
  isEmpty(state: State): boolean;
  /** Adds one value that is not null. */
  addInto(state: State, value: Scalar, order: EventOrder): void;
  mergeInto(state: State, from: State): void;
  write(state: State, writer: ByteWriter): void;
  /** Merges the state at the reader's position into `state` and moves past it. */
  readInto(state: State, reader: ByteReader): void;
}

/** A function of the table in the semantics, applied to one column. */
export interface BoundFunction {
  /** The states it finishes, in the order `finish` takes them. */
  readonly states: readonly StateAlgebra[];
  readonly output: DataType;
  /** The answer for no rows: also what an unknown entity gets. */
  readonly emptyValue: Value;
  /** @throws OverflowError when the answer is past its type. */
  finish(states: readonly unknown[]): Value;
}

export interface AggregateFunction {
  readonly name: string;
  /** The column types it takes. */
  readonly inputs: readonly ScalarType[];
  /** Whether it may (`optional`), must (`required`) or must not (`none`) be given a count n. */
  readonly takesCount: "none" | "optional" | "required";
  bind(input: ScalarType, n: number | null): BoundFunction;
}
