/** What people do to a running system: load history, correct it, delete entities, roll back. */

import { Life } from "./actors.ts";
import { archive, events as source, hourMs, minuteMs, sourceEvent } from "./id-views.ts";
import type { Deleted, SimEvent } from "./model.ts";
import type { SeedRun } from "./run-seed.ts";
import { drawBody, users } from "./workload.ts";

export type Action = "load" | "correct" | "delete" | "rollback" | "outage";

const deleteAttemptsMax = 8;

export async function act(run: SeedRun, action: Action): Promise<void> {
  run.network.note("operator does", action);
  switch (action) {
    case "load":
      return load(run);
    case "correct":
      return correct(run);
    case "delete":
      return deleteEntity(run);
    case "rollback":
      return rollBack(run);
    case "outage":
      return endStreams(run);
  }
}

/** A file of history: events of long ago, some of today, and some that are ingested too. */
function load(run: SeedRun): void {
  const { random, model, scheduler } = run;
  const { nowMs } = scheduler;
  const news = Array.from({ length: random.integer(1, 4) }, (_, i) => {
    const timestampMs = nowMs - random.integer(0, random.pick([hourMs, 12 * hourMs]));
    const id = `h${run.loads}-${i}`;
    return model.add({ ...drawBody(random), id, tag: id, timestampMs });
  });
  const known = [...model.events.values()].filter(
    (event) =>
      !event.isOpen && !event.isCorrection && event.loadedMs === Infinity && !news.includes(event),
  );
  const rows = [...news, ...known.filter(() => random.next() < 0.1)];
  for (const event of rows) {
    event.loadedMs = nowMs;
    event.sentMs = Math.min(event.sentMs, nowMs);
  }
  run.offline.putLoad(source, `load-${run.loads}`, rows.map(sourceEvent));
  run.loads += 1;
  for (const event of news) {
    if (random.next() >= 0.4) continue;
    const delayMs = random.integer(0, random.pick([minuteMs, 2 * hourMs]));
    scheduler.after(delayMs, "send loaded", () => run.spawn(() => run.send([event], 0)));
  }
}

/** Takes an event away, or says whose it was. */
async function correct(run: SeedRun): Promise<void> {
  const { random, model, scheduler, offline } = run;
  const { nowMs } = scheduler;
  const known = [...model.events.values()].filter(
    ({ sentMs, isOpen, isCorrection, healedMs }) =>
      sentMs <= nowMs && !isOpen && !isCorrection && healedMs === Infinity,
  );
  if (known.length === 0) return;
  const event = random.pick(known);
  event.healedMs = nowMs;
  // From now on another body of it would not be judged rightly.
  event.isSettled = true;
  const corrected = random.next() < 0.5 ? null : correctedBody(run, event);
  const correction = {
    id: event.id,
    event: corrected === null ? null : sourceEvent(model.add(corrected)),
  };
  run.trace.heal(event.tag);
  for (const each of [source, archive]) await offline.putCorrections(each, [correction]);
}

function correctedBody({ random, scheduler }: SeedRun, event: SimEvent): SimEvent {
  return {
    ...event,
    tag: `${event.tag}*`,
    user: random.pick(users),
    sentMs: scheduler.nowMs,
    ackedMs: Infinity,
    healedMs: Infinity,
    loadedMs: Infinity,
    archivedMs: Infinity,
    isCorrection: true,
    coveredMs: new Map(),
  };
}

async function deleteEntity(run: SeedRun): Promise<void> {
  const { random, model, scheduler } = run;
  const event = random.pick([...model.events.values()]);
  const isCard = event.card !== null && random.next() < 0.4;
  const entity = isCard ? "card" : "user";
  const key = isCard ? (event.card as string) : event.user;
  if (model.deleted.has(`${entity} ${key}`)) return;
  model.deleted.set(`${entity} ${key}`, { askedMs: scheduler.nowMs, doneMs: Infinity });
  if (!isCard) run.trace.delete(key);
  for (const each of model.events.values())
    if (isCard && each.card === key) run.trace.heal(each.tag);
  await askToDelete(run, `${entity} ${key}`);
}

/** Until it is heard that it is done; `entity` is its name and its key. */
export async function askToDelete(run: SeedRun, entity: string): Promise<void> {
  const { random, model, network, cluster, scheduler } = run;
  const [name, key] = entity.split(" ") as [string, string];
  const life = new Life("operator", { onCrash: null, crashChance: 0 });
  for (let attempt = 0; attempt < deleteAttemptsMax; attempt++) {
    const asked = network.call(life, cluster.publisher, {
      name: "publisher delete",
      body: (publisher) => publisher.delete({ entity: name, joinKeys: [key] }),
    });
    const error = await asked.then(() => null, String);
    if (error === null) {
      (model.deleted.get(entity) as Deleted).doneMs = scheduler.nowMs;
      return;
    }
    network.note("delete fails:", error);
    await scheduler.sleep(random.integer(100, 30_000));
  }
}

/**
 * What the other system has written of the events before a watermark: all that were acknowledged by
 * now. Nothing, and null, where no view reads it.
 */
export function writeHistory(run: SeedRun, views: readonly string[]): number | null {
  const { model, scheduler, random, repository, network } = run;
  if (!views.some((name) => (repository.views.get(name)?.history ?? null) !== null)) return null;
  const { nowMs } = scheduler;
  const watermarkMs = nowMs - minuteMs - (network.isFaulty ? random.integer(0, 20 * minuteMs) : 0);
  const rows = [...model.events.values()].filter(
    ({ timestampMs, ackedMs, archivedMs, isOpen }) =>
      timestampMs < watermarkMs && ackedMs < Infinity && archivedMs === Infinity && !isOpen,
  );
  for (const event of rows) event.archivedMs = nowMs;
  run.offline.putLoad(archive, `history-${run.loads}`, rows.map(sourceEvent));
  run.loads += 1;
  model.watermarks.push({ fromMs: nowMs, watermarkMs });
  return watermarkMs;
}

/** A home of streams is gone for minutes: rows of several epochs wait for it in the log. */
function endStreams({ random, cluster, profile }: SeedRun): void {
  if (profile.name === "calm") return;
  random.pick(cluster.streams).home.crash(random.integer(30_000, 15 * minuteMs));
}

async function rollBack(run: SeedRun): Promise<void> {
  const { random, finishedCuts } = run;
  const views = [...finishedCuts.keys()];
  if (views.length === 0) return;
  const view = random.pick(views);
  const cuts = (finishedCuts.get(view) ?? []).slice(-2);
  run.counts.rollbacks += 1;
  await run.compact({ views: [view], rollbackCut: random.pick(cuts) });
}
