/**
 * Views over one source whose every feature is the list of the tags of the events in its window, each
 * as often as it was counted: an error cannot cancel.
 */

import type { BoundFunction, StateAlgebra } from "../../src/aggregate/aggregate.ts";
import type {
  EntityDefinition,
  Repository,
  SourceDefinition,
  SourceEvent,
  ViewDefinition,
  Window,
} from "../../src/define/definition.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

const tags: StateAlgebra<string[]> = {
  key: "tags",
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
    for (const tag of [...state].sort()) writer.string(tag);
  },
  readInto: (state, reader) => {
    for (let count = reader.varint(); count > 0; count--) state.push(reader.string());
  },
};

const bound: BoundFunction = {
  states: [tags as StateAlgebra],
  output: { array: "string" },
  emptyValue: [],
  finish: ([state]) => [...(state as string[])].sort(),
};

export const user: EntityDefinition = {
  kind: "entity",
  name: "user",
  joinKeys: [{ name: "user", type: "string" }],
};
export const card: EntityDefinition = {
  kind: "entity",
  name: "card",
  joinKeys: [{ name: "card", type: "string" }],
};

export const events: SourceDefinition = {
  kind: "streamSource",
  name: "events",
  timestamp: "ts",
  id: "id",
  columns: [
    { name: "ts", type: "timestamp" },
    { name: "id", type: "string" },
    { name: "user", type: "string" },
    { name: "card", type: "string" },
    { name: "tag", type: "string" },
  ],
  log: "main",
  redeliveryHorizonMs: 2 * hourMs,
  map: null,
  filter: null,
};

/** The same events as another system writes them, complete up to a watermark. */
export const archive: SourceDefinition = {
  ...events,
  kind: "batchSource",
  name: "archive",
  log: "none",
};

export function sourceEvent(event: {
  readonly id: string;
  readonly timestampMs: number;
  readonly user: string;
  readonly card: string | null;
  readonly tag: string;
}): SourceEvent {
  const { id, timestampMs, tag } = event;
  return { id, timestampMs, values: [timestampMs, id, event.user, event.card, tag] };
}

interface ViewOptions {
  readonly kind?: ViewDefinition["kind"];
  readonly entity: EntityDefinition;
  readonly windowing: ViewDefinition["windowing"];
  readonly intervalMs: number;
  readonly windows: readonly Window[];
  readonly horizonMs: number;
  readonly fingerprint: string;
  readonly history?: SourceDefinition;
}

function idView(name: string, options: ViewOptions): ViewDefinition {
  return {
    kind: options.kind ?? "streamView",
    name,
    entities: [options.entity],
    joinKeys: options.entity.joinKeys,
    source: events,
    history: options.history ?? null,
    watermarkStepMs: options.history === undefined ? 0 : options.intervalMs,
    windowing: options.windowing,
    intervalMs: options.windowing === "continuous" ? 0 : options.intervalMs,
    featureStartTimeMs: null,
    features: options.windows.map((window, i) => ({
      name: `w${i}`,
      column: "tag",
      functionName: "tags",
      n: null,
      window,
      bound,
      slotIndexes: [0],
      description: null,
    })),
    valueColumns: [{ name: "tag", type: "string" }],
    slots: [{ column: "tag", columnIndex: 0, algebra: tags as StateAlgebra }],
    ordered: false,
    compactionEveryMs: options.horizonMs,
    horizonMs: options.horizonMs,
    fingerprint: options.fingerprint,
  };
}

function span(hours: number | null, offsetMs = 0): Window {
  return { sizeMs: hours === null ? null : hours * hourMs, offsetMs };
}

/** The view whose lifetime window a trace shows. */
export const lifetimeOfUser = idView("user_continuous", {
  entity: user,
  windowing: "continuous",
  intervalMs: 0,
  windows: [span(null), span(1), span(2, -30 * minuteMs)],
  horizonMs: 3 * hourMs,
  fingerprint: "00000000000000a1",
});

const others: readonly ViewDefinition[] = [
  idView("user_sliding", {
    entity: user,
    windowing: "sliding",
    intervalMs: 5 * minuteMs,
    windows: [span(1), span(6), span(null)],
    horizonMs: 3 * hourMs,
    fingerprint: "00000000000000a2",
  }),
  idView("card_sawtooth", {
    entity: card,
    windowing: "sawtooth",
    intervalMs: 10 * minuteMs,
    windows: [span(1), span(4, -20 * minuteMs)],
    horizonMs: hourMs,
    fingerprint: "00000000000000a3",
  }),
  idView("user_batch", {
    kind: "batchView",
    entity: user,
    windowing: "sliding",
    intervalMs: 5 * minuteMs,
    windows: [span(3), span(null)],
    horizonMs: 6 * hourMs,
    fingerprint: "00000000000000a4",
  }),
  idView("user_history", {
    entity: user,
    windowing: "sliding",
    intervalMs: 5 * minuteMs,
    windows: [span(1), span(null)],
    horizonMs: 2 * hourMs,
    fingerprint: "00000000000000a5",
    history: archive,
  }),
];

const repositories = new Map<number, Repository>();

/** The repository with the first view and some of the others, as the bits of a number say. */
export function repositoryOf(mask: number): Repository {
  const known = repositories.get(mask);
  if (known !== undefined) return known;
  const views = [lifetimeOfUser, ...others.filter((_, i) => (mask & (1 << i)) !== 0)];
  const repository = {
    entities: new Map([user, card].map((each) => [each.name, each])),
    sources: new Map([events, archive].map((each) => [each.name, each])),
    views: new Map(views.map((view) => [view.name, view])),
    onDemandViews: new Map(),
    services: new Map(),
  };
  repositories.set(mask, repository);
  return repository;
}

export const repositoryMasks = 1 << others.length;
