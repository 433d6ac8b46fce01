/** `count`: the rows whose column is not null. */

import type { BoundFunction, StateAlgebra } from "./aggregate.ts";
import { allTypes, createFunction } from "./create-function.ts";

export interface CountState {
  count: number;
}

/** Shared by every function that divides by the count. */
export const countAlgebra: StateAlgebra<CountState> = {
  key: "count",
  ordered: false,
  empty: () => ({ count: 0 }),
  isEmpty: (state) => state.count === 0,
  addInto(state) {
    state.count += 1;
  },
  mergeInto(state, from) {
    state.count += from.count;
  },
  write: (state, writer) => writer.varint(state.count),
  readInto(state, reader) {
    state.count += reader.varint();
  },
};

export const count = createFunction("count", allTypes, (): BoundFunction => ({
  states: [countAlgebra],
  output: "int64",
  emptyValue: 0,
  finish: ([state]) => (state as CountState).count,
}));
