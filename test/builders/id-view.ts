/**
 * Views whose every feature is the list of the event ids in its window, sorted, each as often as it
 * was counted: an error cannot cancel.
 */

import type { BoundFunction, StateAlgebra } from "../../src/aggregate/aggregate.ts";
import type {
  EntityDefinition,
  SourceDefinition,
  ViewDefinition,
  Window,
  Windowing,
} from "../../src/define/definition.ts";

const ids: StateAlgebra<string[]> = {
  key: "ids",
  ordered: false,
  empty: () => [],
  isEmpty: (state) => state.length === 0,
  addInto: (state, value) => {
    state.push(String(value));
  },
  mergeInto: (state, from) => {
    state.push(...from);
  },
  write: (state, writer) => {
    writer.varint(state.length);
    for (const id of [...state].sort()) writer.string(id);
  },
  readInto: (state, reader) => {
    for (let count = reader.varint(); count > 0; count--) state.push(reader.string());
  },
};

const bound: BoundFunction = {
  states: [ids as StateAlgebra],
  output: { array: "string" },
  emptyValue: [],
  finish: ([state]) => [...(state as string[])].sort(),
};

const user: EntityDefinition = {
  kind: "entity",
  name: "user",
  joinKeys: [{ name: "user", type: "string" }],
};

const events: SourceDefinition = {
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
};

export interface IdViewOptions {
  readonly kind?: ViewDefinition["kind"];
  readonly name?: string;
  readonly entity?: EntityDefinition;
  readonly source?: SourceDefinition;
  readonly history?: SourceDefinition;
  /** The column that is listed. */
  readonly column?: string;
  readonly windowing: Windowing;
  readonly intervalMs: number;
  readonly windows: readonly Window[];
  readonly horizonMs: number;
  readonly featureStartTimeMs?: number | null;
  readonly fingerprint?: string;
}

export function idView(options: IdViewOptions): ViewDefinition {
  const { entity = user, column = "id", history = null } = options;
  return {
    kind: options.kind ?? "streamView",
    name: options.name ?? "ids",
    entities: [entity],
    joinKeys: entity.joinKeys,
    source: options.source ?? events,
    history,
    watermarkStepMs: history === null ? 0 : options.intervalMs,
    windowing: options.windowing,
    intervalMs: options.windowing === "continuous" ? 0 : options.intervalMs,
    featureStartTimeMs: options.featureStartTimeMs ?? null,
    features: options.windows.map((window, i) => ({
      name: `w${i}`,
      column,
      functionName: "ids",
      n: null,
      option: null,
      window,
      series: null,
      bound,
      output: bound.output,
      emptyValue: bound.emptyValue,
      slotIndexes: [0],
      description: null,
    })),
    secondaryKey: null,
    attributes: null,
    valueColumns: [{ name: column, type: "string" }],
    slots: [{ column, columnIndex: 0, algebra: ids as StateAlgebra }],
    ordered: false,
    compactionEveryMs: options.horizonMs,
    horizonMs: options.horizonMs,
    cacheMaxAgeMs: null,
    tags: {},
    fingerprint: options.fingerprint ?? "0123456789abcdef",
  };
}
