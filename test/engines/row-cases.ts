/** Cases of what a scan makes of segments and corrections. */

import { expect } from "vitest";
import type { OfflineCase } from "./offline-contract.ts";
import { collect, requestOf, scanAll } from "./offline-fixtures.ts";
import {
  archive,
  byBoth,
  byCard,
  byUser,
  byUserSince,
  idsIn,
  paymentOf,
  payments,
  paymentsOf,
  putPayments,
  putRows,
} from "./payment-fixtures.ts";

export const rowCases: readonly OfflineCase[] = [
  {
    name: "a segment is put once, also an empty one",
    run: async ({ store }) => {
      const name = (epoch: number) => ({ source: payments, shard: "main-0", epoch });
      expect(await store.hasSegment(name(0))).toBe(false);
      await putPayments(store, 0);
      await putPayments(store, 1, { id: "a", user: "u" });
      await putPayments(store, 0, { id: "b", user: "u" });
      await putPayments(store, 1, { id: "c", user: "u" });
      expect(await store.hasSegment(name(0))).toBe(true);
      expect(await store.hasSegment({ ...name(0), shard: "main-1" })).toBe(false);
      expect(await idsIn(store, byUser)).toEqual(["u a"]);
    },
  },
  {
    name: "a scan brings entities one after another, by time and id, in its epochs and its range",
    run: async ({ store }) => {
      await putPayments(
        store,
        0,
        { id: "c", user: "u2", atMs: 5 },
        { id: "b", user: "u1", atMs: 7 },
        { id: "a", user: "u1", atMs: 7 },
        { id: "d", user: "u1", atMs: 3 },
        { id: "e", user: null, atMs: 3 },
      );
      await putRows(store, { source: payments, shard: "main-1", epoch: 2 }, [
        { id: "f", user: "u1", atMs: 5 },
      ]);
      expect(await idsIn(store, byUser)).toEqual(["u1 d", "u1 f", "u1 a", "u1 b", "u2 c"]);
      expect(await idsIn(store, byUser, { cut: 1 })).toEqual(["u1 d", "u1 a", "u1 b", "u2 c"]);
      expect(await idsIn(store, byUser, { fromMs: 4, untilMs: 7 })).toEqual(["u1 f", "u2 c"]);
      expect(await store.estimateRows(requestOf(byCard, { cut: -1 }))).toBe(0);
    },
  },
  {
    name: "an event's newest correction replaces it, in the epochs that hold it",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "u" }, { id: "b", user: "u" });
      await putPayments(store, 1, { id: "c", user: "u" });
      await store.putCorrections(payments, [
        { id: "a", event: null },
        { id: "a", event: paymentOf(payments, { id: "a", user: "v", card: 9 }) },
        { id: "c", event: paymentOf(payments, { id: "c", user: "w" }) },
      ]);
      await store.putCorrections(payments, [
        { id: "b", event: null },
        { id: "unknown", event: paymentOf(payments, { id: "unknown", user: "u" }) },
      ]);
      expect(await idsIn(store, byBoth)).toEqual(["1|w c", "9|v a"]);
      expect(await idsIn(store, byBoth, { cut: 0 })).toEqual(["9|v a"]);
    },
  },
  {
    name: "a view with a history scans it, and publishes what streamed in too",
    run: async ({ store, load }) => {
      await load(archive, paymentsOf(archive, { id: "h", user: "old", atMs: 2, amt: 7 }));
      await putPayments(store, 0, { id: "s", user: "new", atMs: 3 });
      expect(await scanAll(store, requestOf(byUserSince))).toEqual([["old", 2, "h", 7]]);
      expect(await store.estimateRows(requestOf(byUserSince))).toBe(1);
      await store.putPublished(requestOf(byUserSince, { cut: 0 }));
      const none = requestOf(byUserSince, { fromMs: 3 });
      expect(await collect(store.vanishedEntities(none))).toEqual(["new", "old"]);
      const epochs = { afterEpoch: -1, throughEpoch: 0 };
      expect(await collect(store.entitiesOf(byUserSince, epochs))).toEqual(["new"]);
    },
  },
];
