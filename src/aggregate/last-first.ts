/** `last`, `first`, `last(n)` and `first(n)`: by (timestamp, tie), never by arrival. */

import type { Scalar, ScalarType, Value } from "../core/value.ts";
import type { AggregateFunction, BoundFunction, EventOrder, StateAlgebra } from "./aggregate.ts";
import { allTypes, createCountedFunction } from "./create-function.ts";
import { compareEntries, countUpTo, readEntries, writeEntries } from "./entries.ts";
import type { Entry } from "./entries.ts";

export interface EntriesState {
  /** Sorted; equal ones are events of their own. */
  entries: Entry[];
}

export const last = createEndFunction("last");
export const first = createEndFunction("first");

function createEndFunction(name: "last" | "first"): AggregateFunction {
  return createCountedFunction({
    name,
    inputs: allTypes,
    takesCount: "optional",
    bind(input, n): BoundFunction {
      const states = [createEndAlgebra(name, { input, n: n ?? 1 })];
      return n === null
        ? { states, output: input, emptyValue: null, finish: finishOne }
        : { states, output: { array: input }, emptyValue: [], finish: finishArray };
    },
  });
}

function finishOne([state]: readonly unknown[]): Value {
  return (state as EntriesState).entries[0]?.value ?? null;
}

function finishArray([state]: readonly unknown[]): Value {
  return (state as EntriesState).entries.map(({ value }) => value);
}

/** The n entries nearest to one end of time. An entry beaten by n others is beaten in every merge. */
function createEndAlgebra(
  name: "last" | "first",
  { input, n }: { readonly input: ScalarType; readonly n: number },
): StateAlgebra<EntriesState> {
  const layout = { type: input, countMax: n };
  const keep = name === "last" ? keepLast : keepFirst;
  return {
    key: `${name}:${n}`,
    ordered: true,
    empty: () => ({ entries: [] }),
    isEmpty: (state) => state.entries.length === 0,
    addInto: (state, value, order) => keep(state, value, { order, n }),
    mergeInto: (state, from) => mergeEntriesInto(state, from.entries),
    write: (state, writer) => writeEntries(writer, state.entries, layout),
    readInto: (state, reader) => mergeEntriesInto(state, readEntries(reader, layout)),
  };

  function mergeEntriesInto(state: EntriesState, from: readonly Entry[]): void {
    if (from.length === 0) return;
    const merged = mergeSorted(state.entries, from);
    if (merged.length <= n) state.entries = merged;
    else state.entries = name === "last" ? merged.slice(-n) : merged.slice(0, n);
  }
}

interface Arrival {
  readonly order: EventOrder;
  readonly n: number;
}

function keepLast({ entries }: EntriesState, value: Scalar, { order, n }: Arrival): void {
  const isFull = entries.length === n;
  if (isFull && order.timestampMs < (entries[0] as Entry).timestampMs) return;
  const entry = { timestampMs: order.timestampMs, tie: order.tie, value };
  const index = countUpTo(entries, entry);
  if (!isFull) entries.splice(index, 0, entry);
  else if (index > 0) {
    entries.copyWithin(0, 1, index);
    entries[index - 1] = entry;
  }
}

function keepFirst({ entries }: EntriesState, value: Scalar, { order, n }: Arrival): void {
  const isFull = entries.length === n;
  if (isFull && order.timestampMs > (entries[n - 1] as Entry).timestampMs) return;
  const entry = { timestampMs: order.timestampMs, tie: order.tie, value };
  const index = countUpTo(entries, entry);
  if (!isFull) entries.splice(index, 0, entry);
  else if (index < n) {
    entries.copyWithin(index + 1, index, n - 1);
    entries[index] = entry;
  }
}

/** A new array, so that states never share one. */
function mergeSorted(a: readonly Entry[], b: readonly Entry[]): Entry[] {
  // Tiles are disjoint in time, so that one mostly follows the other.
  if (a.length === 0 || b.length === 0) return a.concat(b);
  if (compareEntries(a[a.length - 1] as Entry, b[0] as Entry) <= 0) return a.concat(b);
  if (compareEntries(b[b.length - 1] as Entry, a[0] as Entry) <= 0) return b.concat(a);
  const merged: Entry[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const isFirst = compareEntries(a[i] as Entry, b[j] as Entry) <= 0;
    merged.push((isFirst ? a[i++] : b[j++]) as Entry);
  }
  return merged.concat(a.slice(i), b.slice(j));
}
