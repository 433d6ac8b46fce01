/** One crash run: a bracket of the workload cut short, then its promises checked at every step. */

import { FeatureError } from "../../src/core/errors.ts";
import { checkAnswers } from "./check-answers.ts";
import type { Covered } from "./check-answers.ts";
import { viewNames } from "./compact-once.ts";
import type { Deployment } from "./deployment.ts";
import type { WorkloadEvent } from "./expected-answers.ts";
import type { Fault } from "./faults.ts";
import { compareRecords } from "./stored-records.ts";
import type { StoredRecords } from "./stored-records.ts";
import { events, ingestClients, instants, moreClients } from "./workload.ts";

export type BracketName = "ingest" | "compaction";

/** The records of a server that nobody killed: before the compaction, after it, and at the end. */
export type UndisturbedRecords = Readonly<Record<"before" | "after" | "atEnd", StoredRecords>>;

export interface CrashRequest {
  /** The number of the store operation, from 1 on, after which the server is killed. */
  readonly operation: number;
  readonly undisturbed: UndisturbedRecords;
  /** Takes what is found wrong. */
  readonly faults: Fault[];
}

/**
 * The deployment stands before the bracket, its server not running. Resolves with what the worker
 * said when it stopped; null where the bracket was over before.
 */
type Bracket = (deployment: Deployment, request: CrashRequest) => Promise<string | null>;

export const brackets: Readonly<Record<BracketName, Bracket>> = {
  ingest: crashIngest,
  compaction: crashCompaction,
};

/** The history was compacted with the first cut, 0. */
const underTestCut = 1;

const ingested = [...events.history, ...events.ingest];
const everything = [...ingested, ...events.more];

const firstCovered: Covered = { events: events.history, atMs: instants.firstCompaction };
const covered: Covered = { events: ingested, atMs: instants.compaction };
const lastCovered: Covered = { events: everything, atMs: instants.lastCompaction };

async function crashIngest(
  deployment: Deployment,
  { operation, undisturbed, faults }: CrashRequest,
): Promise<string | null> {
  const nowMs = instants.ingest;
  const { stopped, result: sent } = await crash(deployment, { operation, nowMs }, () =>
    deployment.ingestUntilKilled(ingestClients, nowMs),
  );
  await deployment.start(nowMs);
  const { url } = deployment.server;

  const logged = await deployment.loggedIds(nowMs);
  const kept = events.ingest.filter(({ id }) => logged.flat().includes(id));
  faults.push(...findLost(sent.acknowledged.flat(), [...events.history, ...kept]));
  const known = { events: [...events.history, ...kept], covered: [firstCovered] };
  faults.push(...(await checkAnswers(url, { nowMs, ...known })));

  await deployment.ingest(ingestClients, nowMs);
  faults.push(...findTorn(sent.failed, logged, await deployment.loggedIds(nowMs)));
  const retried = { events: ingested, covered: [firstCovered] };
  faults.push(...(await checkAnswers(url, { nowMs, ...retried })));

  // The log has the events in another order now, which stream records remember; compactions do not.
  await deployment.compact(instants.compaction);
  const after = await deployment.server.records();
  faults.push(...compareRecords([undisturbed.after.batch], after.batch));
  faults.push(...(await playRest(deployment)));
  const atEnd = await deployment.server.records();
  faults.push(...compareRecords([undisturbed.atEnd.batch], atEnd.batch));
  return stopped;
}

async function crashCompaction(
  deployment: Deployment,
  { operation, undisturbed, faults }: CrashRequest,
): Promise<string | null> {
  const nowMs = instants.compaction;
  const { before, after, atEnd } = undisturbed;
  const { stopped } = await crash(deployment, { operation, nowMs }, () =>
    compactUntilKilled(deployment, nowMs),
  );
  await deployment.start(nowMs);
  const { server } = deployment;

  const halfway = await server.records();
  faults.push(...compareRecords([before.batch, after.batch], halfway.batch));
  faults.push(...compareRecords([before.stream, after.stream], halfway.stream));
  const known = { events: ingested, covered: [firstCovered, covered] };
  faults.push(...(await checkAnswers(server.url, { nowMs, ...known })));
  await deployment.ingest(ingestClients, nowMs);

  // A view that had finished would begin another compaction, of a cut of its own.
  const cuts = await server.finishedCuts();
  const unfinished = viewNames.filter((name) => cuts[name] !== underTestCut);
  if (unfinished.length > 0) await deployment.compact(nowMs, unfinished);
  const finished = await server.records();
  faults.push(...compareRecords([after.batch], finished.batch));
  faults.push(...compareRecords([after.stream], finished.stream));
  faults.push(...(await playRest(deployment)));
  const last = await server.records();
  faults.push(...compareRecords([atEnd.batch], last.batch));
  faults.push(...compareRecords([atEnd.stream], last.stream));
  return stopped;
}

/** What follows the compaction: the faults of all answers from then on. */
export async function playRest(deployment: Deployment): Promise<Fault[]> {
  const { url } = deployment.server;
  const before = { nowMs: instants.compaction, events: ingested, covered: [covered] };
  const faults = await checkAnswers(url, before);
  await deployment.ingest(moreClients, instants.more);
  await deployment.compact(instants.lastCompaction);
  const after = { nowMs: instants.end, events: everything, covered: [lastCovered] };
  faults.push(...(await checkAnswers(url, after)));
  return faults;
}

/** Plays a bracket until the server stops in it or the bracket is over, and kills the server. */
async function crash<T>(
  deployment: Deployment,
  { operation, nowMs }: { readonly operation: number; readonly nowMs: number },
  body: () => Promise<T>,
): Promise<{ readonly stopped: string | null; readonly result: T }> {
  await deployment.start(nowMs);
  const { server } = deployment;
  await server.countOperations(operation);
  const playing = body();
  const stopped = await Promise.race([server.stopped, playing.then(() => null)]);
  await deployment.kill();
  return { stopped, result: await playing };
}

/** @throws what says anything else than that the server is gone. */
async function compactUntilKilled(deployment: Deployment, nowMs: number): Promise<void> {
  try {
    await deployment.compact(nowMs);
  } catch (error) {
    if (!(error instanceof FeatureError) || error.code !== "STORE_UNAVAILABLE") throw error;
  }
}

function findLost(acknowledged: readonly WorkloadEvent[], kept: readonly WorkloadEvent[]): Fault[] {
  const lost = acknowledged.filter((event) => !kept.includes(event));
  return lost.map(({ id }) => ({ kind: "lost", text: `${id} was acknowledged and is in no log` }));
}

/** Requests of which a shard kept a part; where an event belongs is known once all were sent again. */
function findTorn(
  failed: readonly (readonly WorkloadEvent[])[],
  before: readonly (readonly string[])[],
  after: readonly (readonly string[])[],
): Fault[] {
  return failed.flatMap((request) =>
    after.flatMap((ids, shard): Fault[] => {
      const wanted = request.filter(({ id }) => ids.includes(id));
      const kept = wanted.filter(({ id }) => before[shard]?.includes(id));
      if (kept.length === 0 || kept.length === wanted.length) return [];
      const text = `log shard ${shard} kept ${kept.length} of a request's ${wanted.length} events`;
      return [{ kind: "failures", text }];
    }),
  );
}
