/** Views whose every feature is the sorted list of the event ids in its window: errors cannot cancel. */

import type { BoundFunction, StateAlgebra } from "../../src/aggregate/aggregate.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { ViewDefinition, Window, Windowing } from "../../src/define/definition.ts";

const ids: StateAlgebra<Scalar[]> = {
  key: "ids",
  ordered: false,
  empty: () => [],
  isEmpty: (state) => state.length === 0,
  addInto: (state, value) => {
    state.push(value);
    state.sort();
  },
  mergeInto: (state, from) => {
    state.push(...from);
    state.sort();
  },
  write: (state, writer) => {
    writer.varint(state.length);
    for (const id of state) writer.string(String(id));
  },
  readInto: (state, reader) => {
    const count = reader.varint();
    for (let i = 0; i < count; i++) state.push(reader.string());
    state.sort();
  },
};

const bound: BoundFunction = {
  states: [ids as StateAlgebra],
  output: { array: "string" },
  emptyValue: [],
  finish: ([state]) => [...(state as Scalar[])],
};

export interface IdViewOptions {
  readonly kind?: ViewDefinition["kind"];
  readonly windowing: Windowing;
  readonly intervalMs: number;
  readonly windows: readonly Window[];
  readonly horizonMs: number;
  readonly featureStartTimeMs?: number | null;
}

export function idView(options: IdViewOptions): ViewDefinition {
  const source = {
    kind: "streamSource",
    name: "events",
    timestamp: "ts",
    id: "id",
    columns: [
      { name: "ts", type: "timestamp" },
      { name: "id", type: "string" },
      { name: "user", type: "string" },
    ],
    log: "main",
    redeliveryHorizonMs: 7 * 86_400_000,
    map: null,
    filter: null,
  } as const;
  const joinKeys = [{ name: "user", type: "string" }] as const;
  return {
    kind: options.kind ?? "streamView",
    name: "ids",
    entities: [{ kind: "entity", name: "user", joinKeys }],
    joinKeys,
    source,
    history: null,
    watermarkStepMs: 0,
    windowing: options.windowing,
    intervalMs: options.windowing === "continuous" ? 0 : options.intervalMs,
    featureStartTimeMs: options.featureStartTimeMs ?? null,
    features: options.windows.map((window, i) => ({
      name: `w${i}`,
      column: "id",
      functionName: "ids",
      n: null,
      window,
      bound,
      slotIndexes: [0],
      description: null,
    })),
    valueColumns: [{ name: "id", type: "string" }],
    slots: [{ column: "id", columnIndex: 0, algebra: ids as StateAlgebra }],
    ordered: false,
    compactionEveryMs: options.horizonMs,
    horizonMs: options.horizonMs,
    fingerprint: "0123456789abcdef",
  };
}
