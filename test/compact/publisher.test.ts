import { expect, test } from "vitest";
import type { CompactionRun } from "../../src/compact/compaction-api.ts";
import type { LogAccess } from "../../src/ingest/log-home.ts";
import { batchKey } from "../../src/tile/keys.ts";
import { byCard, byUser, hourMs, payment } from "../ingest/online-parts.ts";
import type { TestEvent } from "../ingest/online-parts.ts";
import { CompactionParts, viewNames } from "./compaction-parts.ts";

const t0 = Date.UTC(2026, 2, 1, 12, 2);
const bytes = Uint8Array.of(1, 2, 3);

function event(id: string): TestEvent {
  return payment(id, t0 - 60_000, { user: "u", card: 1 });
}

function build(wrapLog?: (log: LogAccess) => LogAccess): CompactionParts {
  return new CompactionParts({ nowMs: t0, ...(wrapLog === undefined ? {} : { wrapLog }) });
}

async function startOne(parts: CompactionParts, view: string, nowMs = t0): Promise<CompactionRun> {
  const [run] = await parts.publisher.start({ views: [view] }, nowMs);
  return run as CompactionRun;
}

async function currentEpochs(parts: CompactionParts): Promise<number[]> {
  const epochs = await Promise.all(parts.logs.map(({ log }) => log.currentEpoch()));
  return epochs.map(({ epoch }) => epoch);
}

test("Publisher.start() seals every shard of the log and names what it sealed", async () => {
  const parts = build();
  await parts.append([event("a")]);
  expect(await startOne(parts, "by_user")).toEqual({
    view: "by_user",
    fence: 1,
    cut: 0,
    sealedAtMs: t0,
    watermarkMs: t0,
    resumed: false,
    collectibleCut: -1,
    collectedCut: -1,
  });
  expect(await currentEpochs(parts)).toEqual([1, 1]);
});

test("Publisher refuses an older run with FENCED once a newer one has started, and writes nothing", async () => {
  const parts = build();
  const old = await startOne(parts, "by_user");
  const records = [{ entity: "u", bytes }];
  await parts.publisher.publish({ view: "by_user", fence: old.fence, records });
  const { fence } = await startOne(parts, "by_user", t0 + 1);
  expect(fence).toBe(old.fence + 1);
  const stale = { view: "by_user", fence: old.fence };
  const other = [{ entity: "u", bytes: Uint8Array.of(9) }];
  const calls = [
    () => parts.publisher.publish({ ...stale, records: other }),
    () => parts.publisher.finish(stale, t0),
    () => parts.publisher.collect({ ...stale, cut: -1, entities: ["u"] }, t0),
    () => parts.publisher.finishCollect({ ...stale, cut: -1 }, t0),
  ];
  const fenced = {
    code: "FENCED",
    retryable: false,
    message: 'Cannot go on compacting view "by_user": run 2 has started, this is run 1',
  };
  for (const call of calls) await expect(call()).rejects.toMatchObject(fenced);
  // A fence that no run has had yet is refused too.
  const future = parts.publisher.publish({ view: "by_user", fence: fence + 1, records });
  await expect(future).rejects.toMatchObject({ code: "FENCED" });
  const [stored] = await parts.batchStore.readMany([batchKey(byUser, "u")]);
  expect(stored).toEqual({ bytes, version: "1" });
  expect(await parts.runningViews()).toEqual(["by_user"]);
  // The fence of one view says nothing of another.
  await parts.publisher.start({ views: ["by_card"] }, t0);
  await parts.publisher.publish({ view: "by_user", fence, records });
});

test("Publisher.publish() that is under way when a newer run starts is done before it starts", async () => {
  const parts = build();
  const { fence } = await startOne(parts, "by_user");
  const order: string[] = [];
  const publish = parts.publisher
    .publish({ view: "by_user", fence, records: [{ entity: "u", bytes }] })
    .then(() => order.push("published"));
  const start = startOne(parts, "by_user").then(() => order.push("started"));
  await Promise.all([publish, start]);
  expect(order).toEqual(["published", "started"]);
});

test("Publisher goes on after a call that failed", async () => {
  const parts = build();
  const failed = parts.publisher.start({ views: ["by_user", "unknown"] }, t0);
  const next = startOne(parts, "by_user");
  await expect(failed).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await next).toMatchObject({ fence: 1, cut: 0 });
  await expect(parts.publisher.start({ views: ["x"] }, t0)).rejects.toThrow('view "x"');
});

test("Publisher.start() resumes a run that was not finished: same cut, seal and watermark", async () => {
  const parts = build();
  await parts.append([event("a")]);
  const watermarkMs = t0 - hourMs;
  const [first] = await parts.publisher.start({ views: ["by_user"], watermarkMs }, t0);
  await parts.append([event("b")]);
  parts.publisher = parts.openPublisher();
  for (let again = 1; again <= 3; again++) {
    const request = { views: ["by_user"], watermarkMs: t0 + again };
    const [run] = await parts.publisher.start(request, t0 + again * hourMs);
    expect(run).toEqual({ ...first, fence: 1 + again, resumed: true });
  }
  // Nothing was sealed again: what came in between is of the next epoch.
  expect(await currentEpochs(parts)).toEqual([1, 1]);
  await parts.publisher.finish({ view: "by_user", fence: 4 }, t0);
  // A finish whose answer was lost is repeated, and the grace does not begin again.
  await parts.publisher.finish({ view: "by_user", fence: 4 }, t0 + 5 * hourMs - 1);
  const next = await startOne(parts, "by_user", t0 + 5 * hourMs);
  expect(next).toMatchObject({ fence: 5, cut: 1, resumed: false, collectibleCut: 0 });
  expect(next.sealedAtMs).toBe(t0 + 5 * hourMs);
});

for (const when of ["before", "after"] as const) {
  test(`Publisher.start() finishes a seal that was remembered and failed ${when} it was done`, async () => {
    let failures = 1;
    const parts = build((log) => ({
      shard: log.shard,
      append: (entries, options) => log.append(entries, options),
      repair: (nowMs) => log.repair(nowMs),
      read: (range) => log.read(range),
      trim: (trim) => log.trim(trim),
      follow: (afterSeq) => log.follow(afterSeq),
      closeBefore: (source, beforeMs) => log.closeBefore(source, beforeMs),
      seal: async (seal) => {
        const fails = log.shard === "main-1" && failures-- > 0;
        if (fails && when === "before") throw new Error("the shard is gone");
        await log.seal(seal);
        if (fails) throw new Error("the shard is gone");
      },
    }));
    await parts.append([event("a")], 0);
    await parts.append([event("b")], 1);
    const failed = parts.publisher.start({ views: ["by_user"] }, t0);
    await expect(failed).rejects.toThrow("the shard is gone");
    // What a shard takes before it is sealed belongs to the epoch, however late it comes.
    parts.clock.nowMs = t0 + hourMs;
    await parts.append([event("c")], 1);
    parts.publisher = parts.openPublisher();
    const run = await startOne(parts, "by_user", t0 + 2 * hourMs);
    expect(run).toMatchObject({ fence: 2, cut: 0, sealedAtMs: t0, resumed: true });
    expect(await currentEpochs(parts)).toEqual([1, 1]);
    const range = { afterSeq: 0, epochMax: run.cut, rowsMax: 10 };
    const covered = await Promise.all(parts.logs.map(({ log }) => log.read(range)));
    const ids = covered.flat().map(({ id }) => id);
    expect(ids).toEqual(when === "before" ? ["a", "b", "c"] : ["a", "b"]);
  });
}

test("Publisher.start() seals a log once for all the views that read it", async () => {
  const parts = build();
  const runs = await parts.publisher.start({ views: viewNames }, t0);
  expect(runs.map(({ view }) => view)).toEqual(viewNames);
  expect(new Set(runs.map(({ cut }) => cut))).toEqual(new Set([0]));
  expect(await currentEpochs(parts)).toEqual([1, 1]);
});

test("Publisher.start() gives views of one log their own cuts, that never meet", async () => {
  const parts = build();
  await startOne(parts, "by_user");
  const card = await startOne(parts, "by_card", t0 + 1);
  expect(card).toMatchObject({ fence: 1, cut: 1, sealedAtMs: t0 + 1 });
  const views = ["by_card", "by_both", "by_user"];
  const runs = await parts.publisher.start({ views }, t0 + 2);
  expect(runs.map(({ cut, sealedAtMs, resumed }) => [cut, sealedAtMs - t0, resumed])).toEqual([
    [1, 1, true],
    [2, 2, false],
    [0, 0, true],
  ]);
  expect(await currentEpochs(parts)).toEqual([3, 3]);
});

test("Publisher.start() counts the cuts of a view over a batch source by themselves, and seals nothing", async () => {
  const parts = build();
  for (let cut = 0; cut < 3; cut++) {
    const { fence, ...run } = await startOne(parts, "archive_by_user", t0 + cut);
    expect(run).toMatchObject({ cut, sealedAtMs: t0 + cut, resumed: false });
    await parts.publisher.finish({ view: "archive_by_user", fence }, t0 + cut);
  }
  await startOne(parts, "archive_by_user", t0 + 9);
  const resumed = await startOne(parts, "archive_by_user", t0 + 10);
  expect(resumed).toMatchObject({ cut: 3, sealedAtMs: t0 + 9, resumed: true });
  expect(await currentEpochs(parts)).toEqual([0, 0]);
  expect(await startOne(parts, "by_user")).toMatchObject({ cut: 0 });
});

test("Publisher.collect() is refused before a publish, and until its grace is over", async () => {
  const parts = build();
  const { graceMs } = parts.publisher;
  await parts.append([event("a")]);
  const first = await startOne(parts, "by_card");
  const collect = (fence: number, cut: number, nowMs: number) =>
    parts.publisher.collect({ view: "by_card", fence, cut, entities: ["1"] }, nowMs);
  const finishCollect = (fence: number, cut: number, nowMs: number) =>
    parts.publisher.finishCollect({ view: "by_card", fence, cut }, nowMs);
  const refused = { code: "INVALID_REQUEST", retryable: true };
  for (const call of [collect, finishCollect]) {
    await expect(call(first.fence, 0, t0 + 9 * hourMs)).rejects.toMatchObject(refused);
  }
  const publishedAtMs = t0 + hourMs;
  await parts.publisher.finish({ view: "by_card", fence: first.fence }, publishedAtMs);
  const early = await startOne(parts, "by_card", publishedAtMs + graceMs - 1);
  expect(early).toMatchObject({ collectibleCut: -1, collectedCut: -1 });
  for (const call of [collect, finishCollect]) {
    const tooEarly = call(early.fence, 0, publishedAtMs + graceMs - 1);
    await expect(tooEarly).rejects.toMatchObject(refused);
  }
  expect((await parts.streamRecord(byCard, "1"))?.collectedEpoch).toBe(-1);

  const graceOverMs = publishedAtMs + graceMs;
  const run = await startOne(parts, "by_card", graceOverMs);
  expect(run).toMatchObject({ collectibleCut: 0, collectedCut: -1, cut: 1, resumed: true });
  // Its own cut is not published yet.
  await expect(collect(run.fence, 1, graceOverMs)).rejects.toMatchObject(refused);
  await collect(run.fence, 0, graceOverMs);
  expect((await parts.streamRecord(byCard, "1"))?.collectedEpoch).toBe(0);
  expect(await startOne(parts, "by_card", graceOverMs)).toMatchObject({ collectedCut: -1 });
  await finishCollect(run.fence + 1, 0, graceOverMs);
  const next = await startOne(parts, "by_card", graceOverMs);
  expect(next).toMatchObject({ collectibleCut: 0, collectedCut: 0 });
  // What was collected once may be named again at any time.
  await collect(next.fence, 0, t0);
  await finishCollect(next.fence, -1, t0);
  expect(await startOne(parts, "by_card", graceOverMs)).toMatchObject({ collectedCut: 0 });
});

test("Publisher.start() offers what was collected before while the grace of a newer cut lasts", async () => {
  const parts = build();
  let nowMs = t0;
  const collected: number[] = [];
  for (let round = 0; round < 4; round++) {
    const run = await startOne(parts, "by_user", nowMs);
    collected.push(run.collectibleCut);
    if (run.collectibleCut > run.collectedCut) {
      const request = { view: "by_user", fence: run.fence, cut: run.collectibleCut };
      await parts.publisher.finishCollect(request, nowMs);
    }
    await parts.publisher.finish({ view: "by_user", fence: run.fence }, nowMs);
    nowMs += round === 2 ? 1 : parts.publisher.graceMs;
  }
  expect(collected).toEqual([-1, 0, 1, 1]);
});
