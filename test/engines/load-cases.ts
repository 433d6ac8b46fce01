/** Cases of loads, and of when scans see them. */

import { expect } from "vitest";
import { int64Max, int64Min } from "../../src/core/value.ts";
import { batchSource, streamSource } from "../../src/index.ts";
import { writeSourceEvent } from "../../src/ingest/source-event-codec.ts";
import type { LoadedRow, NewLoad } from "../../src/offline/offline-store.ts";
import type { OfflineCase, OfflineUnderTest } from "./offline-contract.ts";
import {
  archive,
  archiveByUser,
  byUser,
  byUserSince,
  deletionOf,
  idsIn,
  payments,
  paymentsOf,
  putPayments,
  shapeEvent,
  user,
} from "./payment-fixtures.ts";

async function recentRows(
  { store }: OfflineUnderTest,
  load: NewLoad,
  fromMs: number,
): Promise<LoadedRow[]> {
  const found: LoadedRow[] = [];
  for await (const page of store.recentRows(load, fromMs)) {
    expect(page.length).toBeLessThanOrEqual(10_000);
    found.push(...page);
  }
  return found.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const typed = streamSource("typed", {
  timestamp: "at",
  id: "id",
  columns: {
    at: "timestamp",
    id: "string",
    day: "string",
    whole: "int64",
    real: "float64",
    flag: "boolean",
    moment: "timestamp",
  },
});

export const loadCases: readonly OfflineCase[] = [
  {
    name: "a load of a batch source is seen at once",
    run: async ({ store, load }) => {
      await load(archive, paymentsOf(archive, { id: "a", user: "u" }));
      expect(await idsIn(store, archiveByUser, { cut: -1 })).toEqual(["u a"]);
      expect(await idsIn(store, byUserSince, { cut: -1 })).toEqual(["u a"]);
      expect(await store.newLoads(archive)).toEqual([]);
    },
  },
  {
    name: "a load of a stream source is seen by scans of its epoch or later",
    run: async ({ store, load }) => {
      const name = await load(payments, paymentsOf(payments, { id: "a", user: "u" }));
      expect(await idsIn(store, byUser)).toEqual([]);
      await store.registerLoad({ name, source: payments }, 5);
      await store.registerLoad({ name, source: payments }, 3);
      await store.registerLoad({ name, source: payments }, 9);
      expect(await idsIn(store, byUser, { cut: 4 })).toEqual([]);
      expect(await idsIn(store, byUser, { cut: 5 })).toEqual(["u a"]);
      expect(await idsIn(store, byUser)).toEqual(["u a"]);
    },
  },
  {
    name: "newLoads() lists those that are not registered, by name",
    run: async ({ store, load }) => {
      expect(await store.newLoads(payments)).toEqual([]);
      const names: string[] = [];
      for (const id of ["a", "b", "c", "d", "e"]) {
        names.push(await load(payments, paymentsOf(payments, { id, user: "u" })));
      }
      const listed = (left: readonly string[]) =>
        [...left].sort().map((name) => ({ name, source: payments }));
      expect(await store.newLoads(payments)).toEqual(listed(names));
      await store.registerLoad({ name: names[1] as string, source: payments }, 0);
      expect(await store.newLoads(payments)).toEqual(listed(names.filter((_, i) => i !== 1)));
    },
  },
  {
    name: "a load that is not there can be neither registered nor read",
    run: async (under) => {
      const unknown = { name: "0".repeat(64), source: payments };
      await expect(under.store.registerLoad(unknown, 0)).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      await expect(recentRows(under, unknown, 0)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await under.store.newLoads(payments)).toEqual([]);
    },
  },
  {
    name: "a row of a load yields to the log of the scan's epochs alone",
    run: async ({ store, load }) => {
      const name = await load(payments, paymentsOf(payments, { id: "a", user: "loaded" }));
      await store.registerLoad({ name, source: payments }, 0);
      await putPayments(store, 1, { id: "a", user: "logged" });
      expect(await idsIn(store, byUser, { cut: 0 })).toEqual(["loaded a"]);
      expect(await idsIn(store, byUser, { cut: 1 })).toEqual(["logged a"]);
    },
  },
  {
    name: "recentRows() brings the rows from an instant on, as the log would keep them",
    run: async (under) => {
      const wholes = [int64Min, int64Max, 0, 2 ** 53 - 1, 2n ** 53n, null];
      const events = wholes.map((whole, i) =>
        shapeEvent(typed, {
          at: 1_000 + i,
          id: `id-${i}`,
          day: i % 2 === 0 ? null : i === 1 ? "é🚴" : "x".repeat(100),
          whole,
          real: i % 3 === 0 ? null : 0.1 * i,
          flag: i % 2 === 0,
          moment: i % 2 === 0 ? -1 : null,
        }),
      );
      const load = { name: await under.load(typed, events), source: typed };
      const expected = events.map((event) => ({
        id: event.id,
        timestampMs: event.timestampMs,
        body: writeSourceEvent(typed, event),
      }));
      expect(await recentRows(under, load, -Infinity)).toEqual(expected);
      expect(await recentRows(under, load, 1_003)).toEqual(expected.slice(3));
      expect(await recentRows(under, load, 1_002.5)).toEqual(expected.slice(3));
      expect(await recentRows(under, load, Infinity)).toEqual([]);
    },
  },
  {
    name: "recentRows() brings an id once, as its first row has it, and none of deleted entities",
    run: async (under) => {
      const events = paymentsOf(
        payments,
        { id: "a", user: "u", amt: 1, atMs: 5 },
        { id: "b", user: "gone", atMs: 5 },
        { id: "a", user: "u", amt: 2, atMs: 90_000_000 },
      );
      const load = { name: await under.load(payments, events), source: payments };
      await under.store.putDeletions([deletionOf(user, "gone")]);
      const [first] = events;
      expect(await recentRows(under, load, 0)).toEqual([
        { id: "a", timestampMs: 5, body: writeSourceEvent(payments, first!) },
      ]);
      expect((await recentRows(under, load, 6)).map(({ timestampMs }) => timestampMs)).toEqual([
        90_000_000,
      ]);
    },
  },
  {
    name: "recentRows() brings nothing of a source without ids",
    run: async (under) => {
      const plain = batchSource("plain", { timestamp: "ts", columns: { user_id: "string" } });
      const name = await under.load(plain, [shapeEvent(plain, { ts: 1, user_id: "u" })]);
      expect(await recentRows(under, { name, source: plain }, -Infinity)).toEqual([]);
    },
  },
];
