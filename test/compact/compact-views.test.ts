import { expect, test } from "vitest";
import { compactViews } from "../../src/compact/compact-views.ts";
import type { CompactionSummary } from "../../src/compact/compact-views.ts";
import type { SourceEvent, ViewDefinition } from "../../src/define/definition.ts";
import { FeatureError } from "../../src/core/errors.ts";
import { lastDistinct, loadRepository, streamView } from "../../src/index.ts";
import { readViews } from "../../src/serve/read-views.ts";
import { readBatchRecord } from "../../src/tile/batch-record.ts";
import { batchKey } from "../../src/tile/keys.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { bruteForce, byUser, hourMs, minuteMs, payment } from "../ingest/online-parts.ts";
import { payments, user, visit } from "../ingest/online-parts.ts";
import type { TestEvent } from "../ingest/online-parts.ts";
import { CompactionParts, KilledError, archive, archiveByUser } from "./compaction-parts.ts";
import { dailyByUser, hookCalls, killAt, viewNames } from "./compaction-parts.ts";
import type { CallHooks } from "./compaction-parts.ts";

const t0 = Date.UTC(2026, 2, 1, 12, 2);
const users = ["u1", "u2", "ü|3", "u4"];

/** Events of the last seven hours before an instant, some of them late by hours. */
function randomEvents(random: Random, count: number, batch: { prefix: string; nowMs: number }) {
  return Array.from({ length: count }, (_, i): TestEvent => {
    const id = `${batch.prefix}${i}`;
    const timestampMs = batch.nowMs - random.integer(1, 7 * 60) * minuteMs - random.integer(0, 3);
    const userId = random.next() < 1 / 8 ? null : random.pick(users);
    if (random.next() < 1 / 4) return visit(id, timestampMs, userId);
    const card = random.next() < 1 / 8 ? null : random.pick([1, 2]);
    return payment(id, timestampMs, { user: userId, card, amt: random.integer(-8, 9) / 4 });
  });
}

/** Appends events to both log shards. */
async function ingest(parts: CompactionParts, events: readonly TestEvent[]): Promise<void> {
  const half = Math.ceil(events.length / 2);
  await parts.append(events.slice(0, half), 0);
  await parts.append(events.slice(half), 1);
}

function archived(id: string, timestampMs: number, userId: string): SourceEvent {
  const columns: Record<string, string | number> = { id, ts: timestampMs, user_id: userId };
  return { id, timestampMs, values: archive.columns.map(({ name }) => columns[name] ?? null) };
}

const history = Array.from({ length: 20 }, (_, i) =>
  archived(`h${i}`, t0 - i * 17 * minuteMs, users[i % 3] as string),
);

/** What three rounds of ingest bring; the second is compacted while the first is collectible. */
function plannedEvents() {
  const random = randomFrom(11);
  return {
    first: randomEvents(random, 30, { prefix: "a", nowMs: t0 }),
    second: randomEvents(random, 24, { prefix: "b", nowMs: t0 + 3 * hourMs }),
    third: randomEvents(random, 12, { prefix: "c", nowMs: t0 + 4 * hourMs }),
  };
}

/** A compacted first round, a second one ingested, and its compaction due. */
async function buildDue(): Promise<CompactionParts> {
  const { first, second } = plannedEvents();
  const parts = new CompactionParts({ nowMs: t0 });
  parts.offline.putLoad(archive, "history", history);
  await ingest(parts, first);
  await parts.compact();
  parts.clock.nowMs = t0 + 3 * hourMs;
  await ingest(parts, second);
  return parts;
}

function compactHooked(parts: CompactionParts, hooks: CallHooks, views?: readonly string[]) {
  const hooked = hookCalls({ api: parts.api(), offline: parts.offline }, hooks);
  const options = views === undefined ? {} : { views };
  return compactViews({ ...hooked, repository: parts.repository }, options);
}

/** All that a compaction leaves behind, but for how often its runs were taken up. */
async function endState(parts: CompactionParts, events: readonly TestEvent[]): Promise<unknown> {
  const pages = parts.logs.map(({ log }) =>
    log.read({ afterSeq: 0, epochMax: Infinity, rowsMax: 1_000 }),
  );
  return {
    records: await parts.dump(events),
    offline: parts.offline.dump(),
    log: await Promise.all(pages),
  };
}

async function expectBatchAnswers(
  parts: CompactionParts,
  view: ViewDefinition,
  known: { readonly events: readonly SourceEvent[]; readonly watermarkMs: number },
): Promise<void> {
  const column = view.source.columns.findIndex(({ name }) => name === "user_id");
  const atMs = Math.min(parts.clock.nowMs, known.watermarkMs);
  const before = known.events.filter(({ timestampMs }) => timestampMs < known.watermarkMs);
  for (const entity of ["u1", "u2", "u4"]) {
    const { answers } = await readViews(
      { batch: parts.batchStore, streams: parts.homes },
      [{ view, entity }],
      parts.clock,
    );
    const own = before.filter(({ values }) => values[column] === entity);
    const expected = bruteForce(view, own, atMs);
    expect(answers[0]?.features.map(({ value }) => value)).toEqual(
      own.length === 0 ? view.features.map(({ bound }) => bound.emptyValue) : expected,
    );
  }
}

test("compactViews() changes no answer, before or after any of its calls", async () => {
  const { first, second, third } = plannedEvents();
  const parts = await buildDue();
  const acknowledged = [...first, ...second];
  await parts.expectAnswers(acknowledged, "before the compaction");
  const names: string[] = [];
  const summaries = await compactHooked(parts, {
    before: (_, name) => parts.expectAnswers(acknowledged, `before ${name}`),
    after: (_, name) => {
      names.push(name);
      return parts.expectAnswers(acknowledged, `after ${name}`);
    },
  });
  const used = ["start", "readLog", "putSegment", "trimLog", "collect", "finishCollect", "finish"];
  expect(names).toEqual(expect.arrayContaining([...used, "putPublished", "publish", "vanished"]));
  expect(summaries.map(({ view }) => view)).toEqual(viewNames);
  parts.clock.nowMs += hourMs;
  await ingest(parts, third);
  await parts.expectAnswers([...acknowledged, ...third], "an hour later");
  const watermarkMs = t0 + 3 * hourMs;
  const paid = acknowledged.filter(({ source }) => source === payments);
  await expectBatchAnswers(parts, dailyByUser, { events: paid, watermarkMs });
  await expectBatchAnswers(parts, archiveByUser, { events: history, watermarkMs });
});

test("compactViews() says of each view what it came to", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  const events = ["a", "b", "c"].map((id, i) =>
    payment(id, t0 - minuteMs, { user: users[i % 2] as string, card: null }),
  );
  await ingest(parts, events);
  const [card, byUserSummary] = await parts.compact(["by_card", "by_user"], t0 - 1);
  expect(card).toMatchObject({ rows: 0, keys: 0, vanishedKeys: 0, bytes: 0 });
  expect(byUserSummary).toMatchObject({
    view: "by_user",
    fence: 1,
    cut: 0,
    watermarkMs: t0 - 1,
    rows: 3,
    keys: 2,
    vanishedKeys: 0,
  });
  const stored = await parts.batchStore.readMany(["u1", "u2"].map((u) => batchKey(byUser, u)));
  const bytes = stored.reduce((sum, value) => sum + (value?.bytes.length ?? 0), 0);
  expect(byUserSummary?.bytes).toBe(bytes);
  await expect(parts.compact(["unknown"])).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("compactViews() of nothing publishes nothing, and the next one covers what came", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  for (const { rows, keys } of await parts.compact()) expect([rows, keys]).toEqual([0, 0]);
  const { first } = plannedEvents();
  await ingest(parts, first);
  await parts.expectAnswers(first, "between");
  parts.clock.nowMs += minuteMs;
  await parts.compact();
  await parts.expectAnswers(first, "after the second");
});

async function countCalls(): Promise<{
  readonly calls: number;
  readonly startCall: number;
  readonly state: unknown;
}> {
  const { first, second, third } = plannedEvents();
  const parts = await buildDue();
  let calls = 0;
  let startCall = -1;
  const before = (callIndex: number, name: string) => {
    calls += 1;
    if (name === "start") startCall = callIndex;
  };
  await compactHooked(parts, { before });
  await ingest(parts, third);
  return { calls, startCall, state: await endState(parts, [...first, ...second, ...third]) };
}

const kills = [
  ["before", "killed before any call"],
  ["after", "killed after any call"],
  ["once", "whose any one call fails"],
] as const;

for (const [when, title] of kills) {
  test(
    `compactViews() ${title} and run again ends as if it had not been`,
    { timeout: 120_000 },
    async () => {
      const { first, second, third } = plannedEvents();
      const compacted = [...first, ...second];
      const all = [...compacted, ...third];
      const undisturbed = await countCalls();
      expect(undisturbed.calls).toBeGreaterThan(60);
      for (let call = 0; call < undisturbed.calls; call++) {
        const where = `${title}: call ${call}`;
        const parts = await buildDue();
        await expect(compactHooked(parts, killAt(call, when)), where).rejects.toThrow(KilledError);
        await parts.expectAnswers(compacted, where);
        const running = await parts.runningViews();
        const { startCall } = undisturbed;
        const isSealed = when === "after" ? call >= startCall : call > startCall;
        // What comes after the seal stands in the next epoch, whether the run was finished or not.
        if (isSealed) await ingest(parts, third);
        if (isSealed) await parts.expectAnswers(all, `${where}, then ingested`);
        const dueAtMs = parts.clock.nowMs;
        parts.clock.nowMs += 5 * minuteMs;
        if (!isSealed) parts.clock.nowMs = dueAtMs;
        const summaries = await parts.compact(isSealed ? running : viewNames);
        expect(summaries.every(({ resumed }) => resumed === isSealed)).toBe(true);
        if (!isSealed) await ingest(parts, third);
        await parts.expectAnswers(all, `${where}, then run again`);
        expect(await endState(parts, all), where).toEqual(undisturbed.state);
      }
    },
  );
}

test("compactViews() run again for all views after a kill answers the same", async () => {
  const { first, second } = plannedEvents();
  const events = [...first, ...second];
  const { calls } = await countCalls();
  const random = randomFrom(12);
  for (let round = 0; round < 25; round++) {
    const parts = await buildDue();
    const kills = Array.from({ length: random.integer(1, 4) }, () => random.integer(0, calls));
    for (const call of kills) {
      parts.clock.nowMs += random.integer(0, 2) * minuteMs;
      const run = compactHooked(parts, killAt(call, random.pick(["before", "after"])));
      const [settled] = await Promise.allSettled([run]);
      if (settled.status === "rejected") expect(settled.reason).toBeInstanceOf(KilledError);
      await parts.expectAnswers(events, `round ${round}, killed at ${kills.join()}`);
    }
    await parts.compact();
    await parts.expectAnswers(events, `round ${round}, killed at ${kills.join()}, then run`);
    expect(await parts.runningViews()).toEqual([]);
    const left = parts.logs.map(({ log }) =>
      log.read({ afterSeq: 0, epochMax: Infinity, rowsMax: 9 }),
    );
    expect((await Promise.all(left)).flat()).toEqual([]);
  }
});

/** Lets the other compactors go on for a while. */
async function pause(random: Random): Promise<void> {
  for (let turns = random.integer(0, 30); turns > 0; turns--) await Promise.resolve();
}

async function compactAtOnce(
  parts: CompactionParts,
  random: Random,
  options: { readonly count: number; readonly together: boolean },
): Promise<readonly PromiseSettledResult<readonly CompactionSummary[]>[]> {
  const runs = Array.from({ length: options.count }, async () => {
    if (!options.together) for (let i = random.integer(0, 12); i > 0; i--) await pause(random);
    return compactHooked(parts, { before: () => pause(random), after: () => pause(random) });
  });
  const settled = await Promise.allSettled(runs);
  for (const each of settled) {
    if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "FENCED" });
  }
  return settled;
}

test("compactViews() twice at once ends as if it had run once", { timeout: 60_000 }, async () => {
  const { first, second, third } = plannedEvents();
  const undisturbed = await countCalls();
  for (let seed = 1; seed <= 20; seed++) {
    const parts = await buildDue();
    const settled = await compactAtOnce(parts, randomFrom(seed), { count: 2, together: true });
    const statuses = settled.map(({ status }) => status).sort();
    expect(statuses, `seed ${seed}`).toEqual(["fulfilled", "rejected"]);
    await ingest(parts, third);
    const events = [...first, ...second, ...third];
    await parts.expectAnswers(events, `seed ${seed}`);
    expect(await endState(parts, events), `seed ${seed}`).toEqual(undisturbed.state);
  }
});

test("compactViews() several at a time, with ingest between, counts every event once", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomFrom(seed);
    const parts = new CompactionParts({ nowMs: t0 });
    const acknowledged: TestEvent[] = [];
    for (let round = 0; round < 3; round++) {
      const { nowMs } = parts.clock;
      const events = randomEvents(random, 24, { prefix: `r${round}-`, nowMs });
      const compactions = compactAtOnce(parts, random, { count: 3, together: false });
      for (let i = 0; i < events.length; i += 6) {
        await pause(random);
        const some = events.slice(i, i + 6);
        await ingest(parts, some);
        acknowledged.push(...some);
        await parts.expectAnswers(acknowledged, `seed ${seed} round ${round} during`);
      }
      await compactions;
      await parts.expectAnswers(acknowledged, `seed ${seed} round ${round}`);
      parts.clock.nowMs += hourMs;
    }
    await parts.compact();
    await parts.expectAnswers(acknowledged, `seed ${seed} at the end`);
  }
});

test("compactViews() collects all the epochs that have become due, of each one's entities", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  const events = [0, 1, 2, 3].map((i) =>
    payment(`e${i}`, t0 - minuteMs, { user: `u${i}`, card: i }),
  );
  for (const event of events.slice(0, 3)) {
    await parts.append([event]);
    await parts.compact(["by_user"]);
    parts.clock.nowMs += 1;
  }
  expect((await parts.streamRecord(byUser, "u0"))?.collectedEpoch).toBe(-1);
  parts.clock.nowMs += parts.publisher.graceMs;
  await parts.append(events.slice(3));
  const [summary] = await parts.compact(["by_user"]);
  expect(summary).toMatchObject({ cut: 3, collectibleCut: 2, collectedCut: -1 });
  for (const entity of ["u0", "u1", "u2"]) {
    const record = await parts.streamRecord(byUser, entity);
    expect([record?.collectedEpoch, record?.epochs]).toEqual([2, []]);
  }
  const last = await parts.streamRecord(byUser, "u3");
  expect([last?.collectedEpoch, last?.epochs.length]).toEqual([-1, 1]);
  // The views that were not compacted have lost nothing.
  await parts.expectAnswers(events, "after collecting one view");
});

test("compactViews() that a newer run overtook while it published rejects and writes no more", async () => {
  const { first, second } = plannedEvents();
  const events = [...first, ...second];
  const parts = await buildDue();
  let overtakenState: unknown = null;
  const overtaken = compactHooked(parts, {
    before: async (_, name) => {
      if (name !== "publish" || overtakenState !== null) return;
      overtakenState = "running";
      parts.clock.nowMs += minuteMs;
      await parts.compact();
      overtakenState = await endState(parts, events);
    },
  });
  await expect(overtaken).rejects.toMatchObject({ code: "FENCED", retryable: false });
  expect(await endState(parts, events)).toEqual(overtakenState);
  await parts.expectAnswers(events, "after both");
});

test("compactViews() gives an entity that vanished an empty record, and keeps its key", async () => {
  const parts = new CompactionParts({ nowMs: t0 });
  const atMs = t0 - 20 * minuteMs;
  const gone = payment("gone", atMs, { user: "u1", card: 1 });
  const moved = payment("moved", atMs, { user: "u2", card: 2 });
  const stays = payment("stays", atMs, { user: "u4", card: 2 });
  await ingest(parts, [gone, moved, stays]);
  await parts.compact();
  const movedTo = payment("moved", atMs, { user: "u5", card: 2 });
  await parts.offline.putCorrections(payments, [
    { id: "gone", event: null },
    { id: "moved", event: movedTo },
  ]);
  await parts.expectAnswers([gone, moved, stays], "before the next compaction");
  for (let round = 0; round < 3; round++) {
    parts.clock.nowMs += minuteMs;
    const [summary] = await parts.compact(["by_user", "by_card", "by_both"]);
    expect(summary).toMatchObject({ rows: 2, keys: 2, vanishedKeys: 2 });
    await parts.expectAnswers([movedTo, stays], `round ${round}`);
    const [stored] = await parts.batchStore.readMany([batchKey(byUser, "u1")]);
    const { header, partial } = readBatchRecord(stored?.bytes as Uint8Array, byUser);
    expect(header).toMatchObject({ cut: round + 1, eventCount: 0 });
    expect([partial.tileStartsMs.length, partial.eventTimestampsMs.length]).toEqual([0, 0]);
    await expectEmpty(parts, byUser, "u1");
  }
  expect((await parts.streamRecord(byUser, "u1"))?.epochs).toEqual([]);
  // An event that comes back, under another id, is served at once.
  const back = payment("back", t0 - minuteMs, { user: "u1", card: 1 });
  await parts.append([back]);
  await parts.expectAnswers([movedTo, stays, back], "after it came back");
});

test("compactViews() publishes an entity whose every event is too old for its windows", async () => {
  const recent = streamView("recent", {
    entities: [user],
    source: payments,
    windowing: "sliding",
    interval: "5m",
    features: { id: [lastDistinct(10, "1h")] },
    compaction: { every: "3h" },
  });
  const repository = loadRepository({ recent });
  const parts = new CompactionParts({ nowMs: t0, repository });
  await parts.append([payment("old", t0 - 30 * hourMs, { user: "u1", card: 1 })]);
  for (let round = 0; round < 3; round++) {
    const [summary] = await parts.compact();
    expect(summary).toMatchObject({ rows: 0, keys: 0, vanishedKeys: 1 });
    // Collected or not: a known entity with an empty window, and no gap.
    await expectEmpty(parts, recent, "u1");
    parts.clock.nowMs += minuteMs;
  }
  expect((await parts.streamRecord(recent, "u1"))?.collectedEpoch).toBe(0);
});

async function expectEmpty(
  parts: CompactionParts,
  view: ViewDefinition,
  entity: string,
): Promise<void> {
  const homes = { batch: parts.batchStore, streams: parts.homes };
  const { answers } = await readViews(homes, [{ view, entity }], parts.clock);
  for (const [i, { value, status, fault }] of (answers[0]?.features ?? []).entries()) {
    expect([value, status, fault]).toEqual([view.features[i]?.bound.emptyValue, "PRESENT", null]);
  }
}

test("compactViews() whose offline store fails rejects with its error, and sends nothing after it", async () => {
  const parts = await buildDue();
  const names: string[] = [];
  const failure = new FeatureError("STORE_UNAVAILABLE", "Cannot scan: the disk is gone");
  const run = compactHooked(parts, {
    before: (_, name) => {
      names.push(name);
      if (name === "vanished") throw failure;
    },
  });
  await expect(run).rejects.toBe(failure);
  expect(names.at(-1)).toBe("vanished");
  expect(await parts.runningViews()).toEqual(viewNames);
});
