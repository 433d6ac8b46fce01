/** What happens in a run: drawn whole before it begins, so that faults do not change what is asked for. */

import type { Repository } from "../../src/define/definition.ts";
import type { Random } from "../builders/random.ts";
import { regionCount } from "./cluster.ts";
import { hourMs, minuteMs } from "./id-views.ts";
import type { Model, SimEvent } from "./model.ts";
import type { Action } from "./operators.ts";

export const startMs = 1_700_000_400_000;
export const endMs = startMs + 6 * hourMs;

export const users = ["quill-7402", "umber-1186", "xenon-9551", "zephyr-3067"] as const;
const cards = ["cobalt-5520", "juniper-8813", null, null] as const;

export interface PlannedRequest {
  readonly atMs: number;
  readonly region: number;
  readonly events: readonly SimEvent[];
  /** When it is sent again, whole or in part, as a sender that lost its memory does. */
  readonly againMs: readonly number[];
}

export interface PlannedCompaction {
  readonly atMs: number;
  readonly views: readonly string[];
}

export interface PlannedRead {
  readonly atMs: number;
  readonly region: number;
}

/** A body that comes too late for its id: another one has it. */
export interface PlannedConflict {
  readonly original: SimEvent;
  readonly delayMs: number;
}

export interface PlannedAction {
  readonly atMs: number;
  readonly action: Action;
}

export interface Workload {
  readonly actions: readonly PlannedAction[];
  readonly requests: readonly PlannedRequest[];
  readonly compactions: readonly PlannedCompaction[];
  readonly reads: readonly PlannedRead[];
  readonly conflicts: readonly PlannedConflict[];
}

export function drawWorkload(random: Random, repository: Repository, model: Model): Workload {
  const compactions = drawCompactions(random, [...repository.views.keys()]);
  const busyMs = compactions.map(({ atMs }) => atMs);
  const requests = drawRequests(random, model, busyMs);
  const events = requests.flatMap((request) => request.events);
  return {
    requests,
    compactions,
    actions: drawActions(random, busyMs),
    reads: Array.from({ length: random.integer(16, 28) }, () => ({
      atMs: random.next() < 0.35 ? edgeTime(random, events) : time(random, busyMs),
      region: random.integer(0, regionCount),
    })),
    conflicts: events
      .filter(() => random.next() < 0.05)
      .map((original) => ({ original, delayMs: random.integer(0, hourMs) })),
  };
}

/** Each in some of the runs, so that others are without. */
function drawActions(random: Random, busyMs: readonly number[]): PlannedAction[] {
  const chances: readonly (readonly [Action, number, number])[] = [
    ["load", 0.4, 2],
    ["correct", 0.4, 3],
    ["delete", 0.45, 2],
    ["rollback", 0.4, 4],
    ["outage", 0.2, 2],
  ];
  return chances.flatMap(([action, chance, countMax]) => {
    if (random.next() >= chance) return [];
    const count = random.integer(1, countMax + 1);
    return Array.from({ length: count }, () => ({ atMs: time(random, busyMs), action }));
  });
}

function drawCompactions(random: Random, views: readonly string[]): PlannedCompaction[] {
  const everyMs = random.integer(90, 160) * minuteMs;
  const planned: PlannedCompaction[] = [];
  for (let atMs = startMs + random.integer(5 * minuteMs, everyMs); atMs < endMs; atMs += everyMs) {
    planned.push({ atMs: atMs + random.integer(0, minuteMs), views: someViews(random, views) });
    while (random.next() < 0.25) {
      const besideMs = random.integer(0, random.pick([20_000, 5 * minuteMs, 20 * minuteMs]));
      planned.push({ atMs: atMs + besideMs, views: someViews(random, views) });
    }
  }
  return planned;
}

/** Mostly all of them; else some, so that epochs of a view are sealed by the compaction of another. */
function someViews(random: Random, views: readonly string[]): readonly string[] {
  if (random.next() < 0.6) return views;
  const some = views.filter(() => random.next() < 0.5);
  return some.length > 0 ? some : [random.pick(views)];
}

function drawRequests(random: Random, model: Model, busyMs: readonly number[]): PlannedRequest[] {
  const requestCount = random.integer(7, 14);
  let nextId = 0;
  return Array.from({ length: requestCount }, () => {
    const atMs = time(random, busyMs);
    const events = Array.from({ length: random.integer(1, 5) }, () =>
      model.add(drawEvent(random, { id: `e${nextId++}`, atMs })),
    );
    const againCount = random.next() < 0.3 ? random.integer(1, 3) : 0;
    return {
      atMs,
      region: random.integer(0, regionCount),
      events,
      againMs: Array.from({ length: againCount }, () => drawAgain(random, atMs)),
    };
  });
}

/** Soon, or as late as it may be: about when its ids are forgotten. */
function drawAgain(random: Random, atMs: number): number {
  if (random.next() < 0.5) return atMs + random.integer(0, minuteMs);
  return atMs + random.integer(0, 5 * hourMs);
}

function drawEvent(
  random: Random,
  { id, atMs }: { readonly id: string; readonly atMs: number },
): SimEvent {
  return { ...drawBody(random), id, tag: id, timestampMs: drawTimestamp(random, atMs) };
}

/** All of an event that was not sent yet, but for what names it. */
export function drawBody(random: Random): Omit<SimEvent, "id" | "tag" | "timestampMs"> {
  return { ...unsent(), user: random.pick(users), card: random.pick(cards) };
}

function unsent() {
  return {
    sentMs: Infinity,
    ackedMs: Infinity,
    isOpen: false,
    isSettled: false,
    healedMs: Infinity,
    isCorrection: false,
    loadedMs: Infinity,
    archivedMs: Infinity,
    coveredMs: new Map<string, number>(),
  };
}

/** Another body of an id: of about the same time, so that it is too late when the first is. */
export function otherBody(random: Random, original: SimEvent): SimEvent {
  return {
    ...drawBody(random),
    id: original.id,
    tag: `${original.tag}'`,
    timestampMs: original.timestampMs - random.pick([0, 1, minuteMs]),
  };
}

function drawTimestamp(random: Random, atMs: number): number {
  const draw = random.next();
  if (draw < 0.5) return atMs - random.integer(0, minuteMs);
  if (draw < 0.75) return atMs - random.integer(0, 1.9 * hourMs);
  if (draw < 0.85) return atMs + random.integer(0, 20 * minuteMs);
  const gridMs = random.pick([5 * minuteMs, 10 * minuteMs, hourMs]);
  const edgeMs = Math.floor(atMs / gridMs) * gridMs - random.pick([0, gridMs]);
  return edgeMs + random.pick([-1, 0, 1]);
}

/** A moment of the run; more often than not one about a compaction. */
function time(random: Random, busyMs: readonly number[]): number {
  if (busyMs.length > 0 && random.next() < 0.65) {
    return Math.max(
      startMs,
      random.pick(busyMs) - 15_000 + Math.floor(random.next() ** 2 * 2 * minuteMs),
    );
  }
  return random.integer(startMs, endMs);
}

/** A moment at which an event stands on an edge of some window. */
function edgeTime(random: Random, events: readonly SimEvent[]): number {
  const { timestampMs } = random.pick(events);
  const spansMs = [0, hourMs, 30 * minuteMs, 2.5 * hourMs, 4 * hourMs, 4 * hourMs + 20 * minuteMs];
  return timestampMs + random.pick(spansMs) + random.pick([0, 0, 1]);
}

export const readsOfRequestMax = 3;
