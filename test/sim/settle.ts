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
import { readOnce } from "./readers.ts";
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
  await compactClean(run);
  countEpochs(run);
  await passTime(run, 10 * minuteMs);
  await compactClean(run);
  await passTime(run, 10 * minuteMs);
  requireCollected(run);
  await readEverything(run);
}

/** Until every view has a run of its own, and not one that an earlier compaction had left. */
async function compactClean(run: SeedRun): Promise<void> {
  const views = run.views.map(({ name }) => name);
  for (let attempt = 0; ; attempt++) {
    const outcome = await during(run, () => run.compact(views));
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
  const must = inside.filter(
    ({ ackedMs, isOpen, healedMs, isCorrection }) =>
      healedMs === Infinity && !isOpen && (ackedMs < Infinity || isCorrection),
  );
  const tags = new Set((answer.value ?? []) as readonly string[]);
  if (!isExact && (must.length > 0 || answer.status !== "MISSING_DATA")) {
    run.fail(fail(read, feature, { kind: "unavailable", expected: must.map(({ tag }) => tag) }));
    return;
  }
  const lost = must.filter(({ tag }) => !tags.has(tag)).map(({ tag }) => tag);
  if (lost.length > 0) {
    run.fail(fail(read, feature, { kind: "hole", expected: lost, found: [...tags] }));
  }
  const healed = inside.filter(({ tag, healedMs }) => healedMs < Infinity && tags.has(tag));
  if (healed.length > 0) {
    run.fail(fail(read, feature, { kind: "unhealed", expected: [], found: [...tags] }));
  }
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
  if (feature.window.sizeMs !== null) return;
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
