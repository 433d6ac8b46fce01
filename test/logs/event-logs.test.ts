import { expect, test } from "vitest";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import type { NodeSqliteHandle } from "../../adapters/stores/node-sqlite-handle.ts";
import type { EventLogShard } from "../../src/store/event-log.ts";
import { startDurableParts } from "../stores/durable-parts.ts";
import { describeEventLog } from "./event-log-contract.ts";

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
  const entry = { source: "a", id: "secret", timestampMs: 0, body: Uint8Array.of(1) };
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

/** A log that is opened anew for every operation: nothing is kept but in its database. */
function reopening(open: () => EventLogShard): EventLogShard {
  return {
    append: (entries, options) => open().append(entries, options),
    read: (range) => open().read(range),
    seal: (epoch, nowMs) => open().seal(epoch, nowMs),
    currentEpoch: () => open().currentEpoch(),
    epochs: (epochMin) => open().epochs(epochMin),
    appliedSeq: () => open().appliedSeq(),
    setAppliedSeq: (seq) => open().setAppliedSeq(seq),
    trim: (epoch) => open().trim(epoch),
  };
}
