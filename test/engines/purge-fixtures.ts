/** A directory of a store that holds a canary everywhere, and what must be left of it. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { collect, requestOf } from "./offline-fixtures.ts";
import { openDuckdb } from "./open-stores.ts";
import {
  archive,
  archiveByUser,
  byBoth,
  byCard,
  byUser,
  byUserSince,
  deletionOf,
  idsIn,
  paymentOf,
  payments,
  paymentsOf,
  putPayments,
  user,
} from "./payment-fixtures.ts";

/** As long as no compression takes it for a repeat of something else. */
export const canary = "canary-3f81-d7";

export const purgedViews = [byUser, byCard, byBoth, archiveByUser, byUserSince];

const dayMs = 86_400_000;

/** Rows of the canary and of others in segments, loads and corrections, all of them published. */
export async function fillDirectory(
  directory: string,
  views: readonly ViewDefinition[] = purgedViews,
): Promise<void> {
  const under = await openDuckdb(directory);
  const { store } = under;
  for (const epoch of [0, 1, 2]) {
    await putPayments(
      store,
      epoch,
      { id: `${epoch}a`, user: canary, card: 1, atMs: epoch },
      { id: `${epoch}b`, user: "left", card: 1, atMs: epoch },
      { id: `${epoch}c`, user: canary, card: 2, atMs: epoch + dayMs },
      { id: `${epoch}d`, user: "left", card: 3, atMs: epoch + 2 * dayMs },
    );
  }
  const rows = [
    { id: "h1", user: canary, card: 4, atMs: 0 },
    { id: "h2", user: "left", card: 4, atMs: dayMs },
  ];
  if (views.includes(archiveByUser)) await under.load(archive, paymentsOf(archive, ...rows));
  const name = await under.load(payments, paymentsOf(payments, ...rows));
  await store.registerLoad({ name, source: payments }, 0);
  const corrected = (id: string, to: string, card: number) => ({
    id,
    event: paymentOf(payments, { id, user: to, card }),
  });
  await store.putCorrections(payments, [corrected("0d", canary, 5), corrected("1d", "left", 6)]);
  await store.putCorrections(payments, [corrected("2d", canary, 7)]);
  for (const view of views) await store.putPublished(requestOf(view, { cut: 1 }));
  await (store as DuckdbOfflineStore).close();
}

/** What scans bring once the canary is deleted. */
export const leftIds: Readonly<Record<string, readonly string[]>> = {
  by_user: ["left 0b", "left 1b", "left 1d", "left 2b", "left h2"],
  by_card: ["1 0b", "1 1b", "1 2b", "4 h2", "6 1d"],
  by_both: ["1|left 0b", "1|left 1b", "1|left 2b", "4|left h2", "6|left 1d"],
  archive_by_user: ["left h2"],
  by_user_since: ["left h2"],
};

/** The records of the canary, by view. */
export const canaryRecords: Readonly<Record<string, readonly string[]>> = {
  by_user: [canary],
  by_card: [],
  by_both: [1, 2, 4, 5, 7].map((number) => `${number}|${canary}`),
  archive_by_user: [canary],
  by_user_since: [canary],
};

/** Deletes the canary; each record is handed to `erase` before it is forgotten. */
export async function deleteCanary(
  store: DuckdbOfflineStore,
  erase: (view: ViewDefinition, entities: readonly string[]) => void,
  views: readonly ViewDefinition[] = purgedViews,
): Promise<void> {
  await store.putDeletions([deletionOf(user, canary)]);
  await store.purge(views);
  for (const view of views) {
    for await (const entities of store.deletedEntities(view)) {
      erase(view, entities);
      await store.forgetPublished(view, entities);
    }
  }
}

/** What a store that is opened anew brings, with the files there are after it was closed. */
export async function surveyDirectory(
  directory: string,
  views: readonly ViewDefinition[] = purgedViews,
): Promise<{
  readonly ids: Readonly<Record<string, readonly string[]>>;
  readonly deleted: readonly string[];
  readonly files: readonly string[];
}> {
  const store = await openOfflineStore({ directory, memoryBytesMax: 128_000_000, threads: 1 });
  const ids: Record<string, readonly string[]> = {};
  const deleted: string[] = [];
  for (const view of views) {
    ids[view.name] = await idsIn(store, view);
    deleted.push(...(await collect(store.deletedEntities(view))));
  }
  await store.close();
  return { ids, deleted, files: await listFiles(directory) };
}

export async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The files whose names, bytes or Parquet columns and statistics hold the canary. */
export async function findCanary(directory: string): Promise<string[]> {
  const found = new Set<string>();
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const holds = async (sql: string) =>
    (await connection.runAndReadAll(sql)).getRows().flat().join().includes(canary);
  for (const file of await listFiles(directory)) {
    if (file.includes(canary)) found.add(file);
    if ((await readFile(file)).includes(canary)) found.add(file);
    if (!file.endsWith(".parquet")) continue;
    const path = `'${file}'`;
    const rows = `SELECT CAST(t AS VARCHAR) FROM read_parquet(${path}) AS t`;
    const statistics = `SELECT CAST(t AS VARCHAR) FROM parquet_metadata(${path}) AS t`;
    if ((await holds(rows)) || (await holds(statistics))) found.add(file);
  }
  connection.closeSync();
  instance.closeSync();
  return [...found];
}
