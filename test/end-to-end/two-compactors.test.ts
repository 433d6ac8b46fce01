import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { checkAnswers } from "../../scripts/crash/check-answers.ts";
import type { Expectation } from "../../scripts/crash/check-answers.ts";
import { bundleCrashWorker } from "../../scripts/crash/crash-server.ts";
import { Deployment } from "../../scripts/crash/deployment.ts";
import { events, instants, makeEvents } from "../../scripts/crash/workload.ts";
import { decodeBase64 } from "../../src/core/base64.ts";
import { openRecord } from "../../src/tile/record-frame.ts";
import { CompactorProcess } from "./compactor-process.ts";
import type { CompactorRequest } from "./compactor-process.ts";

const minuteMs = 60_000;
const first = { events: events.history, atMs: instants.firstCompaction };

let script: string;
let deployment: Deployment;
let compactors: CompactorProcess[];
/** The highest cut that each batch record was seen with. */
let cuts: Map<string, number>;

beforeAll(async () => {
  script = await bundleCrashWorker();
});

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-two-compactors-"));
  deployment = new Deployment(directory, script);
  compactors = [];
  cuts = new Map();
  await deployment.start(instants.history);
  await deployment.ingest([[events.history]], instants.history);
  await deployment.compact(instants.firstCompaction);
});

afterEach(async () => {
  for (const compactor of compactors) compactor.kill();
  await deployment.kill();
  await rm(deployment.directory, { recursive: true, force: true });
});

/** How much later than the first the second one of a round begins. */
const delaysMs = [0, 0, 50, 250];

test("two compactors started together on one offline store publish nothing wrong", async () => {
  let known = first;
  const codes: string[] = [];
  for (const [round, delayMs] of delaysMs.entries()) {
    // Past the grace of the round before, so that they collect too.
    const nowMs = instants.firstCompaction + (round + 1) * 10 * minuteMs;
    const news = makeEvents(`round-${round}`, { count: 12, untilMs: nowMs - minuteMs });
    await deployment.ingest([[news]], nowMs - minuteMs);
    const before = known;
    known = { events: [...before.events, ...news], atMs: nowMs };
    const pair = await Promise.all([startCompactor({ nowMs }), startCompactor({ nowMs })]);
    pair[0].proceed();
    await setTimeout(delayMs);
    pair[1].proceed();
    const expected = { nowMs, events: known.events, covered: [before, known] };
    const outcomes = await whileRight(expected, Promise.all(pair.map((each) => each.outcome())));
    codes.push(...outcomes.map(({ code }) => code));
    expect(outcomes.map(({ code }) => code)).toContain("FINISHED");
    await expectRight({ ...expected, covered: [known] });
  }
  expect(codes.filter((code) => code !== "FINISHED" && code !== "FENCED")).toEqual([]);
  expect(codes, "some of them met").toContain("FENCED");
}, 120_000);

test.each([1, 9])(
  "a compactor stopped in publish %i for longer than the grace is fenced and changes nothing",
  async (pauseInPublish) => {
    await deployment.ingest([[events.ingest]], instants.ingest);
    const ingested = [...events.history, ...events.ingest];
    const resumed = { events: ingested, atMs: instants.compaction };
    const stopped = await startCompactor({ nowMs: instants.compaction, pauseInPublish });
    stopped.proceed();
    await stopped.waiting();
    stopped.stop();
    await expectRight({ nowMs: instants.compaction, events: ingested, covered: [first, resumed] });

    // Another one takes up its cut; it begins a later one for views that the first had finished.
    const secondMs = instants.compaction + minuteMs;
    const second = { events: ingested, atMs: secondMs };
    await runCompactor(secondMs, { events: ingested, covered: [first, resumed, second] });
    await deployment.ingest([[events.more]], instants.more);
    const everything = [...ingested, ...events.more];
    const lastMs = instants.lastCompaction;
    const last = { events: everything, atMs: lastMs };
    await runCompactor(lastMs, { events: everything, covered: [resumed, second, last] });
    const records = await deployment.server.records();
    expect(Math.max(...collectedEpochs(records.stream)), "the grace was over").toBeGreaterThan(0);

    stopped.resume();
    stopped.proceed();
    const expected = { nowMs: instants.end, events: everything, covered: [last] };
    expect(await whileRight(expected, stopped.outcome())).toMatchObject({ code: "FENCED" });
    expect(await deployment.server.records()).toEqual(records);
    await deployment.compact(instants.end);
    await expectRight({ ...expected, covered: [{ events: everything, atMs: instants.end }] });
  },
  120_000,
);

async function startCompactor(
  request: Omit<CompactorRequest, "url" | "directory">,
): Promise<CompactorProcess> {
  const { server, offlineDirectory } = deployment;
  const place = { url: server.url, directory: offlineDirectory };
  const compactor = await CompactorProcess.start({ ...place, ...request });
  compactors.push(compactor);
  return compactor;
}

/** To its end; answers are right all the time. */
async function runCompactor(nowMs: number, expected: Omit<Expectation, "nowMs">): Promise<void> {
  const compactor = await startCompactor({ nowMs });
  compactor.proceed();
  const outcome = await whileRight({ nowMs, ...expected }, compactor.outcome());
  expect(outcome).toEqual({ code: "FINISHED" });
}

async function whileRight<T>(expected: Expectation, body: Promise<T>): Promise<T> {
  let isOver = false;
  const over = body.finally(() => (isOver = true));
  const watch = async () => {
    while (!isOver) {
      await expectRight(expected);
      await setTimeout(50);
    }
    await expectRight(expected);
  };
  const [result] = await Promise.all([over, watch()]);
  return result;
}

/** Every answer is exact, no batch record is gone, and none has an older cut than before. */
async function expectRight(expected: Expectation): Promise<void> {
  const { url } = deployment.server;
  expect(await checkAnswers(url, expected)).toEqual([]);
  const { batch } = await deployment.server.records();
  for (const [key, text] of Object.entries(batch)) {
    const cut = openRecord("batch", decodeBase64(text))[1] as number;
    expect(cut, `the cut of ${key}`).toBeGreaterThanOrEqual(cuts.get(key) ?? -1);
    cuts.set(key, cut);
  }
  expect(Object.keys(batch)).toEqual(expect.arrayContaining([...cuts.keys()]));
}

function collectedEpochs(stream: Readonly<Record<string, string>>): number[] {
  return Object.values(stream).map((text) => openRecord("stream", decodeBase64(text))[1] as number);
}
