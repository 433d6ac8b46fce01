import { expect, test } from "vitest";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import type { NodeSqliteHandle } from "../../adapters/stores/node-sqlite-handle.ts";
import type { EventLogShard } from "../../src/store/event-log.ts";
import { bodyHash } from "../../src/store/body-hash.ts";
import { MemoryEventLog } from "../../src/store/memory-event-log.ts";
import { startDurableParts } from "../stores/durable-parts.ts";
import { describeEventLog } from "./event-log-contract.ts";
import { append, entry as entryOf, horizons, readAll, t0 } from "./log-case.ts";

describeEventLog("MemoryEventLog", () =>
  Promise.resolve({
    open: (_name: string, idsMax: number) => new MemoryEventLog({ idsMax }),
    close: () => Promise.resolve(),
  }),
);

describeEventLog("SqliteEventLog over node:sqlite", () => {
  const handles: NodeSqliteHandle[] = [];
  return Promise.resolve({
    open: (_name: string, idsMax: number) => {
      const sql = openNodeSqlite(":memory:");
      handles.push(sql);
      return reopening(() => new SqliteEventLog(sql, { idsMax }));
    },
    close: () => {
      for (const handle of handles) handle.close();
      return Promise.resolve();
    },
  });
});

describeEventLog("SqliteEventLog in a Durable Object", async () => {
  const parts = await startDurableParts();
  return {
    open: (name: string, idsMax: number) => parts.openLog(name, idsMax),
    close: () => parts.close(),
  };
});

test("SqliteEventLog rejects with a code and without SQLite's text when its database fails", async () => {
  const sql = openNodeSqlite(":memory:");
  const log = new SqliteEventLog(sql);
  sql.run("DROP TABLE log");
  const entry = entryOf("secret", { timestampMs: 0 });
  const calls = [
    log.append([entry], { nowMs: 0, redeliveryHorizonMs: new Map() }),
    log.read({ afterSeq: 0, epochMax: 0, rowsMax: 1 }),
    log.trim(0),
  ];
  for (const settled of await Promise.allSettled(calls)) {
    expect(settled).toMatchObject({
      status: "rejected",
      reason: { code: "STORE_UNAVAILABLE", retryable: true },
    });
    expect(String((settled as PromiseRejectedResult).reason)).not.toMatch(/secret|table/);
  }
  // The id was in the same transaction as the row.
  expect(sql.run("SELECT * FROM ids")).toEqual([]);
});

test("SqliteEventLog goes on with a database of the version before", async () => {
  const sql = openNodeSqlite(":memory:");
  // The tables of 0.1.0 as they were, with what a shard had in them.
  for (const statement of [
    `CREATE TABLE log (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, epoch INTEGER NOT NULL, arrived_at INTEGER NOT NULL,
      source TEXT NOT NULL, id TEXT NOT NULL, ts INTEGER NOT NULL, body BLOB NOT NULL)`,
    `CREATE TABLE ids (
      source TEXT NOT NULL, id TEXT NOT NULL, ts INTEGER NOT NULL, hash TEXT NOT NULL,
      PRIMARY KEY (source, id)) WITHOUT ROWID`,
    "CREATE INDEX ids_by_time ON ids (source, ts)",
    "CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, started_at INTEGER NOT NULL)",
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    `INSERT INTO epochs VALUES (0, ${t0}), (1, ${t0 + 5})`,
    `INSERT INTO log VALUES (1, 0, ${t0}, 'a', 'x', ${t0}, X'07')`,
    `INSERT INTO ids VALUES ('a', 'x', ${t0}, '${bodyHash(Uint8Array.of(7))}')`,
    "INSERT INTO counters VALUES ('ids', 1), ('applied', 1)",
  ]) {
    sql.run(statement);
  }
  const log = reopening(() => new SqliteEventLog(sql, { idsMax: 3 }));
  const before = [
    { epoch: 0, startedAtMs: t0, cutOf: null },
    { epoch: 1, startedAtMs: t0 + 5, cutOf: null },
  ];
  expect(await log.epochs(0)).toEqual(before);
  const request = { key: "k", contentHash: "h", keepUntilMs: t0 };
  const partitions = [{ source: "c", partition: "0", fromOffset: 4, nextOffset: 5 }];
  const entries = [entryOf("x"), entryOf("y"), entryOf("", { source: "c", offset: 4 })];
  const options = { nowMs: t0, redeliveryHorizonMs: horizons, request, partitions };
  expect((await log.append(entries, options)).outcomes).toEqual(["repeat", "appended", "appended"]);
  await expect(append(log, [entryOf("z")], t0)).rejects.toMatchObject({
    code: "RESOURCE_EXHAUSTED",
  });
  await log.seal({ epoch: 0, nowMs: t0 + 9, cutOf: ["v"] });
  await log.seal({ epoch: 1, nowMs: t0 + 9, cutOf: [] });
  expect(await log.epochs(0)).toEqual([
    { ...before[0], cutOf: ["v"] },
    { ...before[1], cutOf: [] },
    { epoch: 2, startedAtMs: t0 + 9, cutOf: null },
  ]);
  expect((await readAll(log)).map(({ seq, id, epoch }) => [seq, id, epoch])).toEqual([
    [1, "x", 0],
    [2, "y", 1],
    [3, "", 1],
  ]);
  expect([...(await log.viewFloors(["view"]))]).toEqual([["view", 2]]);
});

/** A log that is opened anew for every operation: nothing is kept but in its database. */
function reopening(open: () => EventLogShard): EventLogShard {
  return {
    append: (entries, options) => open().append(entries, options),
    read: (range) => open().read(range),
    seal: (seal) => open().seal(seal),
    currentEpoch: () => open().currentEpoch(),
    epochs: (epochMin) => open().epochs(epochMin),
    appliedSeq: () => open().appliedSeq(),
    setAppliedSeq: (seq) => open().setAppliedSeq(seq),
    trim: (epoch, options) => open().trim(epoch, options),
    follow: (range) => open().follow(range),
    closeBefore: (source, beforeMs) => open().closeBefore(source, beforeMs),
    viewFloors: (fingerprints) => open().viewFloors(fingerprints),
  };
}
