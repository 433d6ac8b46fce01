/** What a purge leaves in the directory, and what it does not look at. */

import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { batchSource, batchView, count, entity } from "../../src/index.ts";
import { batches, eventOf, openStore, requestOf, scanAll } from "./offline-fixtures.ts";
import { collect, temporaryDirectory } from "./offline-fixtures.ts";
import { openDuckdb } from "./open-stores.ts";
import {
  archive,
  byCard,
  byUser,
  deletionOf,
  idsIn,
  paymentOf,
  payments,
  paymentsOf,
  putPayments,
  user,
} from "./payment-fixtures.ts";
import {
  canary,
  canaryRecords,
  deleteCanary,
  fillDirectory,
  findCanary,
  leftIds,
  listFiles,
  purgedViews,
  surveyDirectory,
} from "./purge-fixtures.ts";

test("purge() and forgetPublished() leave no byte of a deleted entity's key", async () => {
  const directory = await temporaryDirectory();
  await fillDirectory(directory);
  const held = (await findCanary(directory)).join("\n");
  for (const part of ["/segments/", "/loads/", "/corrections/", "/published/"]) {
    expect(held).toContain(part);
  }
  const store = await openStore({ directory });
  const erased: Record<string, string[]> = {};
  await deleteCanary(store, ({ name }, entities) => {
    erased[name] = [...(erased[name] ?? []), ...entities].sort();
  });
  await store.close();
  expect(await findCanary(directory)).toEqual([]);
  expect({ by_card: [], ...erased }).toEqual(canaryRecords);
  const { ids, deleted } = await surveyDirectory(directory);
  expect(ids).toEqual(leftIds);
  expect(deleted).toEqual([]);
});

test("forgetPublished() removes what one that was cut off has left", async () => {
  const directory = await temporaryDirectory();
  await fillDirectory(directory);
  const published = join(directory, "published", `by_user@${byUser.fingerprint}`);
  const bytes = await readFile(join(published, "1.parquet"));
  const store = await openStore({ directory });
  await deleteCanary(store, () => undefined);
  expect(await findCanary(directory)).toEqual([]);
  await writeFile(join(published, "1.parquet"), bytes);
  expect(await findCanary(directory)).toHaveLength(1);
  expect(await collect(store.deletedEntities(byUser))).toEqual([]);
  await store.forgetPublished(byUser, [canary]);
  expect(await findCanary(directory)).toEqual([]);
});

test("purge() leaves files alone that hold no deleted row, and knows them again", async () => {
  const directory = await temporaryDirectory();
  const { store, load } = await openDuckdb(directory);
  await putPayments(store, 0, { id: "a", user: "left" }, { id: "b", user: "other" });
  await load(archive, paymentsOf(archive, { id: "c", user: "left" }));
  await store.putDeletions([deletionOf(user, "gone")]);
  const before = await listFiles(directory);
  await store.purge(purgedViews);
  const clean = ["archive", "payments"].map((name) => join(directory, name, "clean.json"));
  expect(await listFiles(directory)).toEqual([...before, ...clean].sort());
  // Nobody reads what nobody can read.
  const [segment] = before.filter((file) => file.includes("/segments/"));
  const bytes = await readFile(segment as string);
  await writeFile(segment as string, "not Parquet");
  await store.purge(purgedViews);
  await putPayments(store, 1, { id: "d", user: "gone" }, { id: "e", user: "left" });
  await store.purge(purgedViews);
  const event = paymentOf(payments, { id: "e", user: "gone" });
  await store.putCorrections(payments, [{ id: "e", event }]);
  await store.purge(purgedViews);
  const { putAtMs } = JSON.parse(await readFile(clean[1] as string, "utf8")) as {
    readonly putAtMs: object;
  };
  expect(Object.keys(putAtMs).sort()).toEqual([
    "corrections/0~1.parquet",
    "segments/main-0-0",
    "segments/main-0-1",
  ]);
  await store.putDeletions([deletionOf(user, "other")]);
  await expect(store.purge(purgedViews)).rejects.toThrow(
    "not Parquet".length > 0 ? /parquet/i : "",
  );
  await writeFile(segment as string, bytes);
  await store.purge(purgedViews);
  expect(await idsIn(store, byUser)).toEqual(["left a"]);
});

test("purge() looks again at a load that was taken out and put again", async () => {
  const directory = await temporaryDirectory();
  const { store, load } = await openDuckdb(directory);
  const events = paymentsOf(payments, { id: "a", user: "gone" }, { id: "b", user: "left" });
  const name = await load(payments, events);
  await store.registerLoad({ name, source: payments }, 0);
  await store.putDeletions([deletionOf(user, "gone")]);
  await store.purge(purgedViews);
  const [dayBefore] = await listLoads(directory);
  await rm(join(directory, "payments", "loads", name), { recursive: true });
  const again = await openDuckdb(directory);
  expect(await again.load(payments, events)).toBe(name);
  expect(await idsIn(store, byCard)).toEqual(["1 b"]);
  await store.purge(purgedViews);
  expect(await idsIn(store, byCard)).toEqual(["1 b"]);
  const [dayAfter] = await listLoads(directory);
  expect([dayBefore, dayAfter].map((file) => file?.endsWith("~1.parquet"))).toEqual([true, true]);
});

async function listLoads(directory: string): Promise<string[]> {
  return (await listFiles(join(directory, "payments", "loads"))).filter((file) =>
    file.endsWith(".parquet"),
  );
}

test("purge() keeps the other columns, rows and days of a file as they were", async () => {
  const directory = join(await temporaryDirectory(), "it's [a] *b* ?c");
  const wide = batchSource("wide", {
    timestamp: "ts",
    id: "id",
    columns: {
      ts: "timestamp",
      id: "string",
      day: "string",
      whole: "int64",
      real: "float64",
      flag: "boolean",
      note: "string",
    },
  });
  const view = batchView("wide_view", {
    entities: [entity("day", { day: "string" })],
    source: wide,
    windowing: "sliding",
    interval: "1d",
    features: {
      whole: [count("7d")],
      real: [count("7d")],
      flag: [count("7d")],
      note: [count("7d")],
    },
    compaction: { every: "1d" },
  });
  const store = await openStore({ directory });
  const rows = Array.from({ length: 5_000 }, (_, i) =>
    eventOf(wide, [
      (i % 3) * 86_400_000 + i,
      `id${i}`,
      `d${i % 7}`,
      i % 5 === 0 ? null : 2n ** 60n + BigInt(i),
      i % 4 === 0 ? null : i / 3,
      i % 2 === 0,
      i % 6 === 0 ? null : "é".repeat(i % 20),
    ]),
  );
  await store.putSegment({ source: wide, shard: "s", epoch: 3 }, batches(rows));
  const before = await scanAll(store, requestOf(view));
  await store.putDeletions([deletionOf(view.entities[0]!, "d3")]);
  await store.purge([view]);
  const after = await scanAll(store, requestOf(view));
  expect(after).toEqual(before.filter(([day]) => day !== "d3"));
  expect(after.length).toBeLessThan(before.length);
  expect(await store.estimateRows(requestOf(view))).toBe(after.length);
  const segment = join(directory, "wide", "segments", "s-3");
  for (const day of await readdir(segment)) {
    expect(await readdir(join(segment, day))).toEqual(["data_0~1.parquet"]);
  }
});

test("purge() finds no row in a file from before the source had the column", async () => {
  const store = await openStore();
  const shape = (columns: Record<string, "string" | "int64">) =>
    batchSource("shape", { timestamp: "ts", columns: { ts: "timestamp", n: "int64", ...columns } });
  const [older, other, newer] = [
    shape({}),
    shape({ user_id: "int64" }),
    shape({ user_id: "string" }),
  ] as const;
  const view = (source: typeof older, key: ReturnType<typeof entity>) =>
    batchView(key.name, {
      entities: [key] as never,
      source,
      windowing: "sliding",
      interval: "1d",
      features: { n: [count("7d")] },
      compaction: { every: "1d" },
    });
  const whole = entity("whole", { n: "int64" });
  await store.putSegment(
    { source: older, shard: "s", epoch: 0 },
    batches([eventOf(older, [1, 1]), eventOf(older, [1, 2])]),
  );
  await store.putSegment(
    { source: other, shard: "s", epoch: 1 },
    batches([eventOf(other, [1, 3, 7]), eventOf(other, [1, 4, 8])]),
  );
  await store.putSegment(
    { source: newer, shard: "s", epoch: 2 },
    batches([eventOf(newer, [1, 5, "text"]), eventOf(newer, [1, 6, "7"])]),
  );
  await store.putDeletions([
    { entity: entity("user", { user_id: "string" }), joinKeys: ["7"] },
    { entity: entity("number", { user_id: "int64" }), joinKeys: [8] },
    { entity: whole, joinKeys: [1] },
  ]);
  const scanned = view(newer, whole);
  for (let round = 0; round < 2; round++) {
    const rows = await scanAll(store, requestOf(scanned));
    expect(rows.map(([n]) => n)).toEqual([2, 4, 5]);
    await store.purge([scanned]);
  }
  // A text that is no number names no user of the definition before.
  for (let round = 0; round < 2; round++) {
    const rows = await scanAll(store, requestOf(view(other, whole)));
    expect(rows.map(([n]) => n)).toEqual([2, 5]);
    await store.purge([view(other, whole)]);
  }
});

test("a load's report tells no file name, and stays when its rows go", async () => {
  const directory = await temporaryDirectory();
  const { store, load } = await openDuckdb(directory);
  const name = await load(archive, paymentsOf(archive, { id: "a", user: "gone" }));
  await store.putDeletions([deletionOf(user, "gone")]);
  await store.purge(purgedViews);
  const report = join(directory, "archive", "loads", name, "load.json");
  expect(JSON.parse(await readFile(report, "utf8"))).toEqual({
    read: 1,
    loaded: 1,
    skipped: [],
    distinct: true,
  });
});

test("putDeletions() keeps hashes alone, in one file", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory });
  const names = Array.from({ length: 300 }, (_, i) => `canary-3f81-d7-${i}`);
  await Promise.all(
    [0, 1, 2].map((part) =>
      store.putDeletions(
        names.filter((_, i) => i % 3 === part).map((name) => deletionOf(user, name)),
      ),
    ),
  );
  const folder = join(directory, "_deletions");
  expect(await readdir(folder)).toEqual(["entities~2.parquet"]);
  expect(await findCanary(folder)).toEqual([]);
  await putPayments(store, 0, ...names.map((name) => ({ id: name, user: name })));
  expect(await idsIn(store, byUser)).toEqual([]);
  const { mtimeMs } = await stat(join(folder, "entities~2.parquet"));
  await store.putDeletions(names.map((name) => deletionOf(user, name)));
  expect(await readdir(folder)).toEqual(["entities~2.parquet"]);
  expect((await stat(join(folder, "entities~2.parquet"))).mtimeMs).toBe(mtimeMs);
});
