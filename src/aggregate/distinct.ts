/** `last_distinct(n)` and `first_distinct(n)`: distinct values by their last or first occurrence. */

import type { Scalar, ScalarType } from "../core/value.ts";
import type { AggregateFunction, BoundFunction, StateAlgebra } from "./aggregate.ts";
import { createCountedFunction } from "./create-function.ts";
import { compareEntries, countUpTo, readEntries, writeEntries } from "./entries.ts";
import type { Entry } from "./entries.ts";

export interface DistinctState {
  /** Sorted, one a value: its occurrence nearest to the end of time that the function looks at. */
  readonly entries: Entry[];
  readonly byValue: Map<Scalar, Entry>;
}

const distinctTypes: readonly ScalarType[] = ["string", "int64", "boolean", "timestamp"];

export const lastDistinct = createDistinct("last_distinct", (order) => order > 0);
export const firstDistinct = createDistinct("first_distinct", (order) => order < 0);

type IsNearer = (order: number) => boolean;

function createDistinct(name: string, isNearer: IsNearer): AggregateFunction {
  return createCountedFunction({
    name,
    inputs: distinctTypes,
    takesCount: "required",
    bind: (input, n): BoundFunction => ({
      states: [createDistinctAlgebra(`${name}:${n}`, { input, n: n as number, isNearer })],
      output: { array: input },
      emptyValue: [],
      finish: ([state]) => (state as DistinctState).entries.map(({ value }) => value),
    }),
  });
}

interface DistinctOptions {
  readonly input: ScalarType;
  readonly n: number;
  readonly isNearer: IsNearer;
}

/**
 * Why n values are enough. Let a state drop a value: n others have nearer occurrences in it. Merging
 * only moves occurrences nearer, so those n still beat what was dropped, and the value can be in an
 * answer only through a nearer occurrence of its own, which another state then holds or has dropped
 * for n others nearer still. So a merge never misses a value, and never shows one at a stale place.
 */
function createDistinctAlgebra(
  key: string,
  { input, n, isNearer }: DistinctOptions,
): StateAlgebra<DistinctState> {
  const layout = { type: input, countMax: n };
  return {
    key,
    ordered: true,
    empty: () => ({ entries: [], byValue: new Map() }),
    isEmpty: (state) => state.entries.length === 0,
    addInto(state, value, order) {
      const furthest = state.entries.length === n ? furthestOf(state.entries) : undefined;
      // Cheap, and true of most events that do not enter.
      if (furthest !== undefined && isNearer(furthest.timestampMs - order.timestampMs)) return;
      keepInto(state, { timestampMs: order.timestampMs, tie: order.tie, value });
    },
    mergeInto: (state, from) => from.entries.forEach((entry) => keepInto(state, entry)),
    write: (state, writer) => writeEntries(writer, state.entries, layout),
    readInto: (state, reader) =>
      readEntries(reader, layout).forEach((entry) => keepInto(state, entry)),
  };

  function keepInto(state: DistinctState, entry: Entry): void {
    const { entries, byValue } = state;
    const known = byValue.get(entry.value);
    const beaten = known ?? (entries.length === n ? furthestOf(entries) : undefined);
    if (beaten !== undefined) {
      if (!isNearer(compareEntries(entry, beaten))) return;
      entries.splice(countUpTo(entries, beaten) - 1, 1);
      byValue.delete(beaten.value);
    }
    entries.splice(countUpTo(entries, entry), 0, entry);
    byValue.set(entry.value, entry);
  }

  function furthestOf(entries: readonly Entry[]): Entry {
    return entries[isNearer(1) ? 0 : entries.length - 1] as Entry;
  }
}
