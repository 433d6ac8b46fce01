/**
 * The end of a run: faults stop, what is on its way arrives, and clean compactions follow. Then every
 * answer everywhere is exactly the model's, and nothing is left that could have been collected.
 */

import type { FeatureDefinition, ViewDefinition } from "../../src/define/definition.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { readStreamRecord } from "../../src/tile/stream-record.ts";
import { boundsOf, fail, idOf } from "./check-answer.ts";
import type { CheckedRead } from "./check-answer.ts";
import { homeRegion, regionCount } from "./cluster.ts";
import { hourMs, minuteMs } from "./id-views.ts";
import { askToDelete } from "./operators.ts";
import { readOnce } from "./readers.ts";
import type { Model, SimEvent } from "./model.ts";
import type { SeedRun } from "./run-seed.ts";
import { endMs } from "./workload.ts";

/** Past every jump of a clock, every stale copy and every late call. */
const quietMs = 12 * hourMs;
const attemptsMax = 4;

export async function settle(run: SeedRun): Promise<void> {
  run.network.isFaulty = false;
  run.cluster.batch.isFaulty = false;
  for (const { store } of run.cluster.streams) store.isFaulty = false;
  await passTime(run, Math.max(endMs - run.scheduler.nowMs, 0) + quietMs);
  for (const [entity, { doneMs }] of run.model.deleted) {
    if (doneMs === Infinity) await during(run, () => askToDelete(run, entity));
  }
  await compactClean(run);
  countEpochs(run);
  await passTime(run, 10 * minuteMs);
  await compactClean(run);
  await passTime(run, 10 * minuteMs);
  requireCollected(run);
  await requireErased(run);
  await readEverything(run);
}

/** Until every view has a run of its own, and not one that an earlier compaction had left. */
async function compactClean(run: SeedRun): Promise<void> {
  const views = run.views.map(({ name }) => name);
  for (let attempt = 0; ; attempt++) {
    const outcome = await during(run, () => run.compact({ views }));
    if (outcome.kind !== "finished") {
      const why = outcome.kind === "failed" ? outcome.error : outcome.kind;
      throw new Error(`A compaction without faults fails: ${String(why)}`, { cause: why });
    }
    if (outcome.summaries.every(({ resumed }) => !resumed)) return;
    if (attempt === attemptsMax) throw new Error("A compaction without faults only resumes");
  }
}

async function readEverything(run: SeedRun): Promise<void> {
  const found = new Map<string, Set<string>>();
  for (const region of [homeRegion, run.random.integer(homeRegion + 1, regionCount)]) {
    const targets = run.views.flatMap((view) =>
      run.model.entitiesOf(view).map((entity) => ({ view, entity })),
    );
    await during(run, () =>
      readOnce(
        {
          ...run.readerParts,
          onAnswer: (read, feature, answer) => {
            run.judge(read, feature, answer);
            requireExact(run, read, { feature, answer });
            noteFound(found, { read, feature, answer });
          },
          onUnavailable: (error) => {
            throw new Error(`A read without faults fails: ${String(error)}`);
          },
        },
        targets,
        region,
      ),
    );
  }
  requireOneBody(run, found);
}

/** All of what was acknowledged or loaded, and nothing that was corrected away; the rest as it came. */
function requireExact(
  run: SeedRun,
  read: CheckedRead,
  { feature, answer }: { readonly feature: FeatureDefinition; readonly answer: FeatureAnswer },
): void {
  const bounds = boundsOf(read, feature, answer);
  const isExact = answer.fault === null && answer.degraded === null && answer.status === "PRESENT";
  const inside = run.model.eventsOf(read.view, read.entity).filter(({ timestampMs }) => {
    return bounds !== null && timestampMs >= bounds.startMs && timestampMs < bounds.endMs;
  });
  const { model } = run;
  if (model.deletionOf(read.view, read.entity) !== null) {
    if (answer.status === "MISSING_DATA") return;
    run.fail(fail(read, feature, { kind: "undeleted", found: (answer.value ?? []) as string[] }));
    return;
  }
  const must = inside.filter((event) => isSettledIn(model, event, read.view));
  const tags = new Set((answer.value ?? []) as readonly string[]);
  if (!isExact && (must.length > 0 || answer.status !== "MISSING_DATA")) {
    run.fail(fail(read, feature, { kind: "unavailable", expected: must.map(({ tag }) => tag) }));
    return;
  }
  const lost = must.filter(({ tag }) => !tags.has(tag)).map(({ tag }) => tag);
  if (lost.length > 0) {
    run.fail(fail(read, feature, { kind: "hole", expected: lost, found: [...tags] }));
  }
  const isPast = (event: SimEvent) => event.healedMs < Infinity || model.goneMs(event) < Infinity;
  const past = inside.filter((event) => tags.has(event.tag) && isPast(event));
  if (past.length > 0) {
    run.fail(
      fail(read, feature, {
        kind: "unhealed",
        expected: past.map(({ tag }) => tag),
        found: [...tags],
      }),
    );
  }
}

/** Whether an event must be in every answer in the end. */
function isSettledIn(model: Model, event: SimEvent, view: ViewDefinition): boolean {
  if (event.isOpen || event.healedMs < Infinity || model.goneMs(event) < Infinity) return false;
  // A correction is of an event that is there, and whose rows were not taken away with an entity.
  const first = event.isCorrection ? (model.events.get(event.id) as SimEvent) : event;
  if (model.goneMs(first) < Infinity) return false;
  return first.ackedMs < Infinity || (first.loadedMs < Infinity && view.history === null);
}

/** Where each tag was found in windows that hold everything. */
function noteFound(
  found: Map<string, Set<string>>,
  {
    read,
    feature,
    answer,
  }: {
    readonly read: CheckedRead;
    readonly feature: FeatureDefinition;
    readonly answer: FeatureAnswer;
  },
): void {
  // A view with a history knows only what the other system wrote.
  if (feature.window.sizeMs !== null || read.view.history !== null) return;
  for (const tag of (answer.value ?? []) as readonly string[]) {
    const places = found.get(tag) ?? new Set();
    found.set(tag, places.add(`${read.view.name} ${read.region}`));
  }
}

/** Of several bodies of an id one counts, and what counts in one place counts in all. */
function requireOneBody(run: SeedRun, found: ReadonlyMap<string, ReadonlySet<string>>): void {
  const bodies = new Map<string, string[]>();
  const placesMax = Math.max(0, ...[...found.values()].map(({ size }) => size));
  for (const [tag, places] of found) {
    bodies.set(idOf(tag), [...(bodies.get(idOf(tag)) ?? []), tag]);
    if (places.size === placesMax) continue;
    const what = `${tag} counts in ${[...places].join(", ")} alone`;
    run.fail({ kind: "hole", atMs: run.scheduler.nowMs, what, expected: [], found: [tag] });
  }
  for (const [id, tags] of bodies) {
    if (tags.length === 1) continue;
    const what = `of event ${id} more than one body counts`;
    run.fail({ kind: "double", atMs: run.scheduler.nowMs, what, expected: [id], found: tags });
  }
}

function countEpochs(run: SeedRun): void {
  for (const { epochs } of streamRecords(run)) {
    run.counts.epochsMax = Math.max(run.counts.epochsMax, epochs.length);
  }
}

function requireCollected(run: SeedRun): void {
  for (const { key, epochs } of streamRecords(run)) {
    if (epochs.length === 0) continue;
    const what = `${key} still holds epochs ${epochs.join(", ")}`;
    run.fail({ kind: "leftover", atMs: run.scheduler.nowMs, what, expected: [], found: [] });
  }
}

/** No byte of a deleted entity's key is anywhere. */
async function requireErased(run: SeedRun): Promise<void> {
  const { model, cluster, offline } = run;
  if (model.deleted.size === 0) return;
  const places = new Map<string, string>([
    ["the offline store", JSON.stringify(offline.dump())],
    ["the publisher's state", cluster.state.dump()],
  ]);
  // A write that comes hours after its entity was erased brings the record back: the batch store has
  // no guard against it. It stays hidden, and nobody looks for it any more.
  if (run.profile.lateBatchMsMax === 0) {
    places.set("the batch store", textOf(cluster.batch.entries()));
  }
  for (const [i, { store }] of cluster.streams.entries()) {
    places.set(`stream store ${i}`, textOf(store.entries()));
  }
  for (const { shard, log } of cluster.logs) {
    const rows = await log.read({ afterSeq: 0, epochMax: Infinity, rowsMax: 1_000 });
    places.set(`log ${shard}`, textOf(rows.map(({ id, body }) => [id, body])));
  }
  for (const [entity] of model.deleted) {
    const key = entity.slice(entity.indexOf(" ") + 1);
    for (const [place, text] of places) {
      if (!text.includes(key)) continue;
      const what = `${place} still names deleted ${entity}`;
      run.fail({ kind: "leftover", atMs: run.scheduler.nowMs, what, expected: [], found: [] });
    }
  }
}

function textOf(entries: Iterable<readonly [string, Uint8Array]>): string {
  return [...entries]
    .map(([key, bytes]) => `${key} ${Buffer.from(bytes).toString("latin1")}`)
    .join();
}

function* streamRecords(
  run: SeedRun,
): Generator<{ readonly key: string; readonly epochs: readonly number[] }> {
  const views = new Map(run.views.map((view) => [view.fingerprint, view]));
  for (const { store } of run.cluster.streams) {
    for (const [key, bytes] of store.entries()) {
      const [, , fingerprint] = key.split("/");
      const view = views.get(fingerprint ?? "") as ViewDefinition | undefined;
      if (view === undefined) continue;
      const { epochs } = readStreamRecord(bytes, view);
      yield { key, epochs: epochs.map(({ epoch }) => epoch) };
    }
  }
}

function passTime(run: SeedRun, byMs: number): Promise<void> {
  return during(run, () => run.scheduler.sleep(byMs));
}

/** What `body` comes to once nothing is on its way any more. */
async function during<T>(run: SeedRun, body: () => Promise<T>): Promise<T> {
  let outcome: { readonly value: T } | null = null;
  run.spawn(async () => {
    outcome = { value: await body() };
  });
  await run.scheduler.run();
  if (outcome === null) throw new Error("A step without faults never ends");
  return (outcome as { readonly value: T }).value;
}
