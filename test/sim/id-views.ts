/** The views of a simulation, over one source: each lists the tags of the events in its windows. */

import type {
  EntityDefinition,
  Repository,
  SourceDefinition,
  SourceEvent,
  ViewDefinition,
  Window,
} from "../../src/define/definition.ts";
import { idView } from "../builders/id-view.ts";
import type { IdViewOptions } from "../builders/id-view.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

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

/** A view of the tags of these events: bodies, where an id came with more than one. */
function tagView(name: string, options: Omit<IdViewOptions, "name" | "source" | "column">) {
  return idView({ ...options, name, source: events, column: "tag" });
}

function span(hours: number | null, offsetMs = 0): Window {
  return { sizeMs: hours === null ? null : hours * hourMs, offsetMs };
}

/** The view whose lifetime window a trace shows. */
export const lifetimeOfUser = tagView("user_continuous", {
  entity: user,
  windowing: "continuous",
  intervalMs: 0,
  windows: [span(null), span(1), span(2, -30 * minuteMs)],
  horizonMs: 3 * hourMs,
  fingerprint: "00000000000000a1",
});

const others: readonly ViewDefinition[] = [
  tagView("user_sliding", {
    entity: user,
    windowing: "sliding",
    intervalMs: 5 * minuteMs,
    windows: [span(1), span(6), span(null)],
    horizonMs: 3 * hourMs,
    fingerprint: "00000000000000a2",
  }),
  tagView("card_sawtooth", {
    entity: card,
    windowing: "sawtooth",
    intervalMs: 10 * minuteMs,
    windows: [span(1), span(4, -20 * minuteMs)],
    horizonMs: hourMs,
    fingerprint: "00000000000000a3",
  }),
  tagView("user_batch", {
    kind: "batchView",
    entity: user,
    windowing: "sliding",
    intervalMs: 5 * minuteMs,
    windows: [span(3), span(null)],
    horizonMs: 6 * hourMs,
    fingerprint: "00000000000000a4",
  }),
  tagView("user_history", {
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
