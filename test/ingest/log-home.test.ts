import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import type { ApplyContext, RecordEvents, StreamHome } from "../../src/store/stream-home.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { OnlineParts, byBoth, byCard, byUser, entryOf } from "./online-parts.ts";
import { hourMs, minuteMs, payment, streamViews, visit } from "./online-parts.ts";
import type { TestEvent } from "./online-parts.ts";

const nowMs = Date.UTC(2026, 2, 1, 12, 2);

/** Events of few entities over the last seven hours, about one key in eight null. */
function randomEvents(random: Random, count: number, prefix = "e"): TestEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const id = `${prefix}${i}`;
    const timestampMs = nowMs - random.integer(1, 7 * 60) * minuteMs - random.integer(0, 3);
    const userId = random.next() < 1 / 8 ? null : random.pick(["u1", "u2", "ü|3", "u4", "u5"]);
    if (random.next() < 1 / 4) return visit(id, timestampMs, userId);
    const card = random.next() < 1 / 8 ? null : random.pick([1, 2, -9007199254740993n]);
    return payment(id, timestampMs, { user: userId, card, amt: random.integer(-8, 9) / 4 });
  });
}

const viewNames = streamViews.map(({ name }) => name);

interface AppliedCall {
  readonly records: readonly RecordEvents[];
  readonly context: ApplyContext;
}

/** A tap on real homes: it records what they applied, and can fail or hold back a call. */
class HomeTap {
  readonly applied: AppliedCall[] = [];
  callCount = 0;
  failAt = -1;
  failWhen: "before" | "after" = "before";
  gate: Promise<void> = Promise.resolve();
  /** How many calls a home had to serve at the same time, at most. */
  atOnceMax = 0;

  wrap(home: StreamHome): StreamHome {
    let atOnce = 0;
    return {
      capabilities: home.capabilities,
      readMany: (keys, options) => home.readMany(keys, options),
      collect: (request) => home.collect(request),
      bury: (tombstones) => home.bury(tombstones),
      erase: (request) => home.erase(request),
      apply: async (records, context) => {
        await this.gate;
        const fails = this.callCount++ === this.failAt;
        if (fails && this.failWhen === "before") throw new Error("the call failed");
        atOnce += 1;
        this.atOnceMax = Math.max(this.atOnceMax, atOnce);
        await home.apply(records, context);
        atOnce -= 1;
        this.applied.push({ records, context });
        if (fails) throw new Error("the answer was lost");
      },
    };
  }
}

function build(): { parts: OnlineParts; tap: HomeTap } {
  const tap = new HomeTap();
  return { tap, parts: new OnlineParts({ nowMs, wrapHome: (home) => tap.wrap(home) }) };
}

/** Lets everything that waits for nothing but promises happen. */
async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}

for (const action of ["append", "seal"] as const) {
  test(`LogHome.${action}() resolves only after the stream records hold the events`, async () => {
    const { parts, tap } = build();
    const { log, home } = parts.logs[0] as (typeof parts.logs)[number];
    const events = randomEvents(randomFrom(1), 20);
    let open = () => {};
    tap.gate = new Promise((resolve) => (open = resolve));
    let isDone = false;
    const options = { nowMs, redeliveryHorizonMs: new Map<string, number>() };
    if (action === "seal") {
      // As a shard does before its first row.
      await log.viewFloors(streamViews.map(({ fingerprint }) => fingerprint));
      await log.append(events.map(entryOf), options);
    }
    const call =
      action === "seal" ? home.seal({ epoch: 0, nowMs, cutOf: viewNames }) : parts.append(events);
    const done = call.then(() => (isDone = true));
    await settle();
    expect(isDone).toBe(false);
    expect(await parts.dump(events)).toEqual({});
    expect(await log.appliedSeq()).toBe(0);
    open();
    await done;
    await parts.expectAnswers(events, "after the call");
    expect(await log.appliedSeq()).toBe(20);
  });
}

test("LogHome applies rows once and in order after a home failed at any call", async () => {
  const random = randomFrom(2);
  const appends = [0, 1, 2].map((i) => randomEvents(random, 12, `a${i}-`));
  const all = appends.flat();
  const undisturbed = build();
  for (const events of appends) await undisturbed.parts.append(events);
  const expected = await undisturbed.parts.dump(all);
  expect(undisturbed.tap.callCount).toBeGreaterThan(4);
  for (let failAt = 0; failAt < undisturbed.tap.callCount; failAt++) {
    for (const failWhen of ["before", "after"] as const) {
      const { parts, tap } = build();
      Object.assign(tap, { failAt, failWhen });
      let failures = 0;
      for (const events of appends) {
        await parts.append(events).catch((error: unknown) => {
          expect(String(error)).toMatch(/the call failed|the answer was lost/);
          failures += 1;
          return parts.logs[0]?.home.repair(nowMs);
        });
      }
      const where = `call ${failAt} failed ${failWhen} it was applied`;
      expect(failures, where).toBe(1);
      await parts.expectAnswers(all, where);
      expect(await parts.dump(all), where).toEqual(expected);
      expectOnceAndInOrder(tap.applied, where);
    }
  }
});

test("LogHome.append() first applies what an append before it left in the log", async () => {
  for (let failAt = 0; failAt < 4; failAt++) {
    for (const failWhen of ["before", "after"] as const) {
      const { parts, tap } = build();
      Object.assign(tap, { failAt, failWhen });
      const random = randomFrom(3);
      const first = randomEvents(random, 30, "a");
      const second = randomEvents(random, 5, "b");
      const results = [await outcome(parts.append(first)), await outcome(parts.append(second))];
      const where = `call ${failAt} failed ${failWhen} it was applied`;
      expect(
        results.filter((result) => result === "rejected"),
        where,
      ).toHaveLength(1);
      // Who was not answered asks again, and nothing counts twice.
      const again = [await parts.append(first), await parts.append(second)].flat();
      expect(new Set(again), where).toEqual(new Set(["repeat"]));
      await parts.expectAnswers([...first, ...second], where);
      expectOnceAndInOrder(tap.applied, where);
    }
  }
});

test("LogHome.seal() that fails rejects, and the next one applies what it left", async () => {
  const { parts, tap } = build();
  const events = randomEvents(randomFrom(4), 20);
  tap.failAt = 0;
  expect(await outcome(parts.append(events))).toBe("rejected");
  tap.failAt = 2;
  const home = parts.logs[0]?.home;
  await expect(home?.seal({ epoch: 0, nowMs, cutOf: viewNames })).rejects.toThrow(
    "the call failed",
  );
  await home?.seal({ epoch: 0, nowMs: nowMs + 1, cutOf: viewNames });
  await parts.expectAnswers(events, "after the second seal");
  // The first one had ended the epoch.
  const open = { epoch: 1, startedAtMs: nowMs, cutOf: null };
  expect(await parts.logs[0]?.log.currentEpoch()).toEqual(open);
});

test("StoreStreamHome.apply() changes no byte when it is repeated, also later", async () => {
  const { parts, tap } = build();
  const random = randomFrom(5);
  const events = [0, 1, 2].flatMap((i) => [randomEvents(random, 15, `e${i}-`)]);
  for (const each of events) await parts.append(each);
  const before = await parts.dump(events.flat(), "versions");
  expect(Object.keys(before).length).toBeGreaterThan(10);
  for (const { records, context } of tap.applied.slice()) {
    for (const laterMs of [0, hourMs]) {
      const repeated = { ...context, nowMs: context.nowMs + laterMs };
      await parts.streams.apply(records, repeated);
    }
  }
  expect(await parts.dump(events.flat(), "versions")).toEqual(before);
  // A crash before the place was remembered repeats the whole log.
  await parts.logs[0]?.log.setAppliedSeq(0);
  await parts.logs[0]?.home.repair(nowMs + hourMs);
  expect(await parts.dump(events.flat(), "versions")).toEqual(before);
  expect(await parts.logs[0]?.log.appliedSeq()).toBe(45);
});

test("LogHome.append() takes many at once, with ids that repeat among them", async () => {
  const { parts, tap } = build();
  const random = randomFrom(6);
  const events = randomEvents(random, 60);
  const appends = Array.from({ length: 24 }, () =>
    random.shuffled(events).slice(0, random.integer(1, 30)),
  );
  const outcomes = await Promise.all(appends.map((each) => parts.append(each)));
  const appended = appends.flatMap((each, i) =>
    each.filter((_, j) => outcomes[i]?.[j] === "appended"),
  );
  expect(new Set(appended).size).toBe(appended.length);
  expect(new Set(appended)).toEqual(new Set(appends.flat()));
  await parts.expectAnswers(appended, "after all appends");
  expectOnceAndInOrder(tap.applied, "concurrent appends");
  expect(tap.atOnceMax).toBe(1);
  expect(await parts.logs[0]?.log.appliedSeq()).toBe(appended.length);
});

test("LogHome applies more rows than it takes at a time", async () => {
  const { parts } = build();
  const events = randomEvents(randomFrom(7), limits.applyRowsMax * 2 + 1).map((event, i) => ({
    ...event,
    values: event.source.columns.map(({ name }, column) =>
      name === "user_id" ? `u${i % 900}` : (event.values[column] ?? null),
    ),
    source: event.source,
  }));
  await parts.append(events);
  expect(await parts.logs[0]?.log.appliedSeq()).toBe(limits.applyRowsMax * 2 + 1);
  // The lists of the busiest entities end at a thousand ids.
  await parts.expectAnswers(
    events.filter(({ source }) => source.name === "visits"),
    "after one append",
  );
});

test("an event with a null join key belongs to no entity of that view, and to the other views", async () => {
  const { parts } = build();
  const atMs = nowMs - 20 * minuteMs;
  const events = [
    payment("no-user", atMs, { user: null, card: 1 }),
    payment("no-card", atMs, { user: "u", card: null }),
    payment("neither", atMs, { user: null, card: null }),
    visit("nobody", atMs, null),
  ];
  expect(await parts.append(events)).toEqual(events.map(() => "appended"));
  await parts.expectAnswers(events, "after the append");
  for (const [view, entity, ids] of [
    [byCard, "1", ["no-user"]],
    [byUser, "u", ["no-card"]],
  ] as const) {
    const record = await parts.streamRecord(view, entity);
    const idColumn = view.valueColumns.findIndex(({ name }) => name === "id");
    const found = record?.epochs.flatMap(({ partial }) =>
      partial.events.map(({ values }) => values),
    );
    expect(found?.map((values) => values[idColumn])).toEqual(ids);
  }
  for (const view of streamViews) {
    for (const entity of ["", "null", "null|1", "u|null", "null|null", "u|", "|1"]) {
      expect(await parts.streamRecord(view, entity)).toBe(null);
    }
  }
  expect(await parts.streamRecord(byBoth, "u|1")).toBe(null);
  expect(await parts.logs[0]?.log.appliedSeq()).toBe(4);
});

test("StoreStreamHome.collect() keeps the header, and what comes later still counts once", async () => {
  const { parts } = build();
  const events = [1, 2].map((i) => payment(`e${i}`, nowMs - i * minuteMs, { user: "u", card: 1 }));
  await parts.append(events);
  await parts.logs[0]?.home.seal({ epoch: 0, nowMs, cutOf: viewNames });
  const later = payment("later", nowMs - 6 * minuteMs, { user: "u", card: 1 });
  await parts.append([later]);
  const collect = (cut: number) =>
    parts.streams.collect({ view: "by_card", entities: ["1", "unknown"], cut, watermarkMs: 0 });
  await collect(0);
  const collected = await parts.streamRecord(byCard, "1");
  expect(collected).toMatchObject({ collectedEpoch: 0, positions: new Map([["main-0", 3]]) });
  expect(collected?.epochs.map(({ epoch }) => epoch)).toEqual([1]);
  expect(await parts.streamRecord(byCard, "unknown")).toBe(null);
  const bytes = await parts.dump(events, "versions");
  for (const cut of [0, -1]) await collect(cut);
  // Nor does the whole log over again bring back what is gone.
  await parts.logs[0]?.log.setAppliedSeq(0);
  await parts.logs[0]?.home.repair(nowMs);
  expect(await parts.dump(events, "versions")).toEqual(bytes);

  await collect(1);
  const empty = await parts.streamRecord(byCard, "1");
  expect(empty).toEqual({
    collectedEpoch: 1,
    collectedWatermarkMs: -Infinity,
    positions: new Map([["main-0", 3]]),
    epochs: [],
  });
  await parts.logs[0]?.home.seal({ epoch: 1, nowMs, cutOf: viewNames });
  await parts.append([payment("last", nowMs - 1, { user: "u", card: 1 })]);
  const record = await parts.streamRecord(byCard, "1");
  expect(record?.collectedEpoch).toBe(1);
  expect(record?.epochs.map(({ epoch, partial }) => [epoch, partial.events.length])).toEqual([
    [2, 1],
  ]);
  // The other view of the same events was not collected.
  const other = await parts.streamRecord(byUser, "u");
  expect(other?.collectedEpoch).toBe(-1);
  expect(other?.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
});

test("two log shards that write the same stream records at once lose nothing", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { parts } = build();
    const random = randomFrom(seed);
    const events = randomEvents(random, 80);
    const pending: Promise<unknown>[] = [];
    for (let i = 0; i < events.length; i += 8) {
      pending.push(parts.append(events.slice(i, i + 8), (i / 8) % 2));
      if (random.next() < 0.3) await settle();
    }
    await Promise.all(pending);
    await parts.expectAnswers(events, `seed ${seed}`);
    for (const entity of ["u1", "u2"]) {
      const positions = (await parts.streamRecord(byUser, entity))?.positions;
      expect([...(positions?.keys() ?? [])].sort()).toEqual(["main-0", "main-1"]);
    }
  }
});

async function outcome(call: Promise<unknown>): Promise<"resolved" | "rejected"> {
  const [settled] = await Promise.allSettled([call]);
  return settled.status === "fulfilled" ? "resolved" : "rejected";
}

/** Of each record, in the calls that were applied: no row for the first time after a later one. */
function expectOnceAndInOrder(applied: readonly AppliedCall[], where: string): void {
  const lastSeqs = new Map<string, number>();
  for (const { records } of applied) {
    for (const { view, entity, events } of records) {
      const key = `${view} ${entity}`;
      const seqs = events.map(({ seq }) => seq);
      expect(seqs, where).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      const lastSeq = lastSeqs.get(key) ?? 0;
      const news = seqs.filter((seq) => seq > lastSeq);
      // A call may repeat rows that were applied, and never skips back among those that were not.
      expect(news, where).toEqual(seqs.slice(seqs.length - news.length));
      lastSeqs.set(key, Math.max(lastSeq, seqs.at(-1) ?? 0));
    }
  }
}
