/** Several stores on one directory at once: deletions, purges, puts and scans. */

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commitFile, commitNewFile, replaceFile } from "../../adapters/engines/duckdb/commit.ts";
import type { OfflineStore } from "../../src/offline/offline-store.ts";
import { collect, openStore, requestOf, temporaryDirectory } from "./offline-fixtures.ts";
import {
  byCard,
  byUser,
  deletionOf,
  idsIn,
  paymentOf,
  payments,
  putPayments,
  user,
} from "./payment-fixtures.ts";
import type { Payment } from "./payment-fixtures.ts";
import { canary, findCanary, listFiles } from "./purge-fixtures.ts";

const rounds = 8;
const dayMs = 86_400_000;

/** In every segment each round of each deleter has somebody, and there is one who stays. */
function rowsOf(epoch: number): Payment[] {
  const deleted = ["a", "b"].flatMap((deleter) =>
    Array.from({ length: rounds }, (_, round) => `${canary}-${deleter}${round}`),
  );
  return [...deleted, "left"].map((name, i) => ({
    id: `${epoch}-${name === "left" ? name : i}`,
    user: name,
    card: i % 3,
    atMs: (i % 2) * dayMs,
  }));
}

async function deleteAll(store: OfflineStore, deleter: string): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await store.putDeletions([deletionOf(user, `${canary}-${deleter}${round}`)]);
    await store.purge([byUser, byCard]);
    await store.forgetPublished(byUser, await collect(store.deletedEntities(byUser)));
  }
}

async function putAll(store: OfflineStore): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await putPayments(store, 10 + round, ...rowsOf(10 + round));
    const corrected = (id: string, to: string) => ({
      id,
      event: paymentOf(payments, { id, user: to, card: 7 }),
    });
    await store.putCorrections(payments, [
      corrected(`${round}-left`, "left"),
      corrected(`${round}-0`, `${canary}-b${round}`),
    ]);
    await store.putPublished(requestOf(byUser, { cut: round }));
  }
}

/** Who stays is whole in every scan. */
async function scanUntil(store: OfflineStore, isOver: () => boolean): Promise<number> {
  let scans = 0;
  while (!isOver()) {
    const found = await idsIn(store, byUser);
    const left = found.filter((row) => row.startsWith("left "));
    expect(left.length).toBeGreaterThanOrEqual(10);
    expect(new Set(left).size).toBe(left.length);
    await store.estimateRows(requestOf(byUser));
    await collect(store.vanishedEntities(requestOf(byUser)));
    await collect(store.entitiesOf(byUser, { afterEpoch: -1, throughEpoch: 100 }));
    scans++;
  }
  return scans;
}

test("deletions, purges, puts and scans of several stores at once lose nothing", async () => {
  const directory = await temporaryDirectory();
  const open = () => openStore({ directory, memoryBytesMax: 128_000_000 });
  const [a, b, c, d] = [await open(), await open(), await open(), await open()];
  for (let epoch = 0; epoch < 10; epoch++) await putPayments(a, epoch, ...rowsOf(epoch));
  let isOver = false;
  const changes = Promise.all([deleteAll(a, "a"), deleteAll(b, "b"), putAll(d)]).finally(() => {
    isOver = true;
  });
  const [scans] = await Promise.all([scanUntil(c, () => isOver), changes]);
  expect(scans).toBeGreaterThan(3);
  const epochs = Array.from({ length: 10 + rounds }, (_, epoch) => epoch);
  const expected = epochs.map((epoch) => `left ${epoch}-left`).sort();
  expect((await idsIn(c, byUser)).sort()).toEqual(expected);
  await c.purge([byUser, byCard]);
  await c.forgetPublished(byUser, await collect(c.deletedEntities(byUser)));
  expect((await idsIn(c, byUser)).sort()).toEqual(expected);
  const corrected = (await idsIn(c, byCard)).filter((row) => row.startsWith("7 "));
  expect(corrected).toHaveLength(rounds);
  expect(await findCanary(directory)).toEqual([]);
  const names = (await listFiles(directory)).map((file) =>
    file.replace(/(~\d+)?\.parquet$/, ".parquet"),
  );
  expect(new Set(names).size).toBe(names.length);
}, 120_000);

test("replaceFile() by somebody slow neither brings back nor hides a later version", async () => {
  const directory = join(await temporaryDirectory(), "versions");
  await mkdir(directory);
  const path = (name: string) => join(directory, name);
  const write = (text: string) => (file: string) => writeFile(file, text);
  const files = async () => (await readdir(directory)).sort();
  expect(await commitNewFile(path("x.parquet"), write("0"))).toBe(true);
  expect(await commitNewFile(path("x.parquet"), write("again"))).toBe(false);
  expect(await replaceFile(path("x.parquet"), write("1"))).toBe(path("x~1.parquet"));
  expect(await replaceFile(path("x.parquet"), write("slow"))).toBe(null);
  expect(await files()).toEqual(["x~1.parquet"]);
  expect(await replaceFile(path("x~1.parquet"), write("2"))).toBe(path("x~2.parquet"));
  // Its name is free again by now.
  expect(await replaceFile(path("x.parquet"), write("slower"))).toBe(null);
  expect(await commitNewFile(path("x.parquet"), write("slowest"))).toBe(false);
  expect(await files()).toEqual(["x~2.parquet"]);
  for (let version = 3; version <= 11; version++) {
    await replaceFile(path(`x~${version - 1}.parquet`), write(String(version)));
  }
  expect(await files()).toEqual(["x~11.parquet"]);
  await commitFile(
    (attempt) => path(attempt === 0 ? "x.parquet" : `x.${attempt}.parquet`),
    write("y"),
  );
  expect(await files()).toEqual(["x.1.parquet", "x~11.parquet"]);
});
