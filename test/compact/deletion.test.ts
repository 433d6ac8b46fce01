import { expect, test } from "vitest";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { readViews } from "../../src/serve/read-views.ts";
import { tombstoneKeys } from "../../src/tile/keys.ts";
import { byBoth, byCard, byUser, entitiesOf, hourMs } from "../ingest/online-parts.ts";
import { minuteMs, payment, payments, visit, visitsByUser } from "../ingest/online-parts.ts";
import type { TestEvent } from "../ingest/online-parts.ts";
import { CompactionParts, KilledError, archive, archiveByUser } from "./compaction-parts.ts";
import { dailyByUser, hookCalls, killAt, repository } from "./compaction-parts.ts";
import { compactViews } from "../../src/compact/compact-views.ts";

const t0 = Date.UTC(2026, 2, 1, 12, 2);
const canary = "canary-e1f7";

const ofCanary: readonly TestEvent[] = [
  payment("p1", t0 - 3 * hourMs, { user: canary, card: 1 }),
  payment("p2", t0 - minuteMs, { user: canary, card: 2 }),
  visit("v1", t0 - 2 * minuteMs, canary),
];
const ofOthers: readonly TestEvent[] = [
  payment("p3", t0 - 2 * hourMs, { user: "u", card: 1 }),
  payment("p4", t0 - minuteMs, { user: null, card: 1 }),
  visit("v2", t0 - minuteMs, "u"),
];

async function build(): Promise<CompactionParts> {
  const parts = new CompactionParts({ nowMs: t0 });
  await parts.append([...ofCanary, ...ofOthers]);
  const archived = archive.columns.map(({ name }) =>
    name === "ts" ? t0 - hourMs : name === "id" ? "a1" : canary,
  );
  parts.offline.putLoad(archive, "archive", [
    { id: "a1", timestampMs: t0 - hourMs, values: archived },
  ]);
  return parts;
}

const deleteCanary = { entity: "user", joinKeys: [canary] } as const;

async function statusesOf(
  parts: CompactionParts,
  view: ViewDefinition,
  entity: string,
): Promise<unknown[]> {
  const homes = { batch: parts.batchStore, streams: parts.homes };
  const { answers } = await readViews(homes, [{ view, entity }], parts.clock);
  return [...new Set(answers[0]?.features.map(({ status }) => status))];
}

const ownReads = [
  [byUser, canary],
  [byBoth, `${canary}|1`],
  [byBoth, `${canary}|2`],
  [visitsByUser, canary],
  [archiveByUser, canary],
  [dailyByUser, canary],
] as const;

async function expectDeleted(parts: CompactionParts): Promise<void> {
  for (const [view, entity] of ownReads) {
    expect(await statusesOf(parts, view, entity), view.name).toEqual(["MISSING_DATA"]);
  }
}

/** Every byte and every key that the online side holds of the canary's views, and its logs. */
async function expectNoTrace(parts: CompactionParts): Promise<void> {
  const found = await parts.dump([...ofCanary, ...ofOthers]);
  expect(JSON.stringify(Object.keys(found))).not.toContain(canary);
  const hex = Buffer.from(canary).toString("hex");
  for (const [key, bytes] of Object.entries(found)) expect(bytes, key).not.toContain(hex);
  for (const { log } of parts.logs) {
    const rows = await log.read({ afterSeq: 0, epochMax: Infinity, rowsMax: 1_000 });
    for (const { body } of rows) expect(Buffer.from(body).toString("latin1")).not.toContain(canary);
  }
  expect(JSON.stringify(parts.offline.dump())).not.toContain(canary);
  expect(JSON.stringify([...(await parts.state.list(""))])).not.toContain(canary);
}

async function compactTwice(parts: CompactionParts): Promise<void> {
  for (let round = 0; round < 2; round++) {
    parts.clock.nowMs += hourMs;
    await parts.compact();
  }
}

test("Publisher.delete() hides an entity at once, in every view that has it, and others stay", async () => {
  for (const isCompacted of [false, true]) {
    const parts = await build();
    if (isCompacted) await parts.compact();
    await parts.publisher.delete(deleteCanary);
    await expectDeleted(parts);
    expect(await statusesOf(parts, byUser, "u")).toEqual(["PRESENT"]);
    // Other entities of the same events go on counting them until the next compaction.
    expect(await statusesOf(parts, byCard, "1")).toEqual(["PRESENT"]);
  }
});

test("a deleted entity is gone from every record and log after the next compaction", async () => {
  for (const isCompacted of [false, true]) {
    const parts = await build();
    if (isCompacted) await parts.compact();
    await parts.publisher.delete(deleteCanary);
    parts.clock.nowMs += hourMs;
    await parts.compact();
    await expectDeleted(parts);
    await expectNoTrace(parts);
    // What named it is gone from the views of other entities too.
    await parts.expectAnswers(ofOthers, "after the compaction");
  }
});

test("a deleted entity stays deleted: late events, loads and rollbacks do not bring it back", async () => {
  const parts = await build();
  await parts.compact();
  await parts.publisher.delete(deleteCanary);
  await parts.append([payment("later", t0 + 1, { user: canary, card: 2 })]);
  await expectDeleted(parts);
  await compactTwice(parts);
  await parts.append([payment("latest", parts.clock.nowMs - 1, { user: canary, card: 3 })]);
  const values = payments.columns.map(({ name }) => ({ user_id: canary, id: "l1" })[name] ?? null);
  parts.offline.putLoad(payments, "load", [{ id: "l1", timestampMs: t0 - 8 * hourMs, values }]);
  await compactTwice(parts);
  const options = { views: ["by_user"], rollbackCut: 3 };
  await compactViews({ api: parts.api(), offline: parts.offline, repository }, options);
  await expectDeleted(parts);
  await expectNoTrace(parts);
  await parts.expectAnswers(ofOthers, "after all");
  await parts.publisher.delete(deleteCanary);
  await expectDeleted(parts);
});

for (const when of ["before", "after"] as const) {
  test(
    `a compaction with a deletion, killed ${when} any call, leaves no trace once it is run again`,
    { timeout: 60_000 },
    async () => {
      for (let call = 0; ; call++) {
        const parts = await build();
        await parts.compact();
        await parts.publisher.delete(deleteCanary);
        parts.clock.nowMs += hourMs;
        const hooked = hookCalls({ api: parts.api(), offline: parts.offline }, killAt(call, when));
        const [run] = await Promise.allSettled([compactViews({ ...hooked, repository })]);
        await expectDeleted(parts);
        if (run.status === "fulfilled") {
          expect(call).toBeGreaterThan(60);
          break;
        }
        expect(run.reason).toBeInstanceOf(KilledError);
        await parts.compact();
        await parts.compact();
        await expectDeleted(parts);
        await expectNoTrace(parts);
      }
    },
  );
}

test("a delete that fails half-way is finished by the next compaction", async () => {
  const parts = await build();
  const write = parts.batchStore.write.bind(parts.batchStore);
  parts.batchStore.write = () => Promise.reject(new Error("the store is gone"));
  await expect(parts.publisher.delete(deleteCanary)).rejects.toThrow("the store is gone");
  parts.batchStore.write = write;
  parts.publisher = parts.openPublisher();
  await parts.compact();
  await expectDeleted(parts);
  const [tombstone] = tombstoneKeys(byUser, canary);
  for (const store of [parts.batchStore, ...parts.streamStores]) {
    expect((await store.readMany([tombstone as string]))[0]).not.toBe(null);
  }
});

test("Publisher.erase() refuses a live entity, and a run that was overtaken", async () => {
  const parts = await build();
  await parts.compact();
  const [run] = await parts.publisher.start({ views: ["by_user"] }, t0);
  const fence = run?.fence as number;
  const erase = (request: { fence: number; entities: string[] }) =>
    parts.publisher.erase({ view: "by_user", ...request });
  const live = erase({ fence, entities: ["u"] });
  await expect(live).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  await parts.publisher.delete(deleteCanary);
  const mixed = erase({ fence, entities: [canary, "u"] });
  await expect(mixed).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  const overtaken = erase({ fence: fence - 1, entities: [canary] });
  await expect(overtaken).rejects.toMatchObject({ code: "FENCED" });
  const keys = entitiesOf(byUser, [...ofCanary, ...ofOthers]);
  expect(Object.keys(await parts.dump([...ofCanary, ...ofOthers])).join()).toContain(keys[0]);
  await erase({ fence, entities: [canary] });
  expect(await statusesOf(parts, byUser, "u")).toEqual(["PRESENT"]);
});

test("Publisher.delete() refuses an entity that is not defined, or other join keys", async () => {
  const parts = await build();
  const unknown = parts.publisher.delete({ entity: "nobody", joinKeys: ["u"] });
  await expect(unknown).rejects.toMatchObject({ code: "NOT_FOUND" });
  const short = parts.publisher.delete({ entity: "user", joinKeys: [] });
  await expect(short).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  expect(await parts.publisher.deletions()).toEqual([]);
});
