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

/** A whole event of an entity. */
export interface Row extends EventOrder {
  /** One a value column of the view; null where the event has none. */
  readonly values: readonly (Scalar | null)[];
}

/**
 * The laws, each a row of the law table:
 * - `merge` is associative and commutative, `empty` is its unit;
 * - any split of the same events, added and merged in any order, writes the same bytes;
 * - `readInto(empty, write(s))` equals `s`; `readInto` reads exactly what `write` wrote.
 *
 * Adding, `mergeInto` and `readInto` change their first argument only. States never alias: after
 * `mergeInto(a, b)`, changing `a` leaves `b` as it was.
 */
export interface MergeAlgebra<State = unknown> {
  /** Identifies the state within its column, e.g. `sum`, `last:10`. Equal keys share one state. */
  readonly key: string;
  /** Whether adding looks at the tie; raw events keep their ids only if some state does. */
  readonly ordered: boolean;
  empty(): State;
  isEmpty(state: State): boolean;
  mergeInto(state: State, from: State): void;
  write(state: State, writer: ByteWriter): void;
  /** Merges the state at the reader's position into `state` and moves past it. */
  readInto(state: State, reader: ByteReader): void;
}

/** The algebra of a state of one column. */
export interface StateAlgebra<State = unknown> extends MergeAlgebra<State> {
  /** Adds one value that is not null. */
  addInto(state: State, value: Scalar, order: EventOrder): void;
}

/** The algebra of a state of whole rows. */
export interface RowAlgebra<State = unknown> extends MergeAlgebra<State> {
  /** Adds a row, which never changes. */
  addRowInto(state: State, row: Row): void;
}

/** A function of the table in the semantics, applied to one column. */
export interface BoundFunction<Algebra extends MergeAlgebra = StateAlgebra> {
  /** The states it finishes, in the order `finish` takes them. */
  readonly states: readonly Algebra[];
  readonly output: DataType;
  /** The answer for no rows: also what an unknown entity gets. */
  readonly emptyValue: Value;
  /** @throws OverflowError when the answer is past its type. */
  finish(states: readonly unknown[]): Value;
}

/** A number that a definition gives to a function. */
export interface NumberParameter {
  /** As errors call it: `count`, `precision`, `accuracy`. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly isInteger: boolean;
}

export interface AggregateFunction {
  readonly name: string;
  /** The column types it takes. */
  readonly inputs: readonly ScalarType[];
  /** The number n that stands before the window, as in `last(5, "1h")`; null where it takes none. */
  readonly n: (NumberParameter & { readonly isRequired: boolean }) | null;
  /** An option of its own, as in `{ accuracy: 0.001 }`; null where it has none. */
  readonly option: (NumberParameter & { readonly default: number }) | null;
  /** @param option the default of `option` if left out or null. */
  bind(input: ScalarType, n: number | null, option?: number | null): BoundFunction;
}
