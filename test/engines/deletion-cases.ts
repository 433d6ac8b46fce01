/** Cases of which rows a deletion covers. Each looks before a purge and after it. */

import { expect } from "vitest";
import { int64Max, int64Min } from "../../src/core/value.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { count, entity, streamSource, streamView } from "../../src/index.ts";
import type { OfflineStore } from "../../src/offline/offline-store.ts";
import type { OfflineCase } from "./offline-contract.ts";
import { batches, collect, requestOf, scanAll } from "./offline-fixtures.ts";
import {
  account,
  archive,
  archiveByUser,
  byAccount,
  byBoth,
  byCard,
  byUser,
  byUserSince,
  card,
  deletionOf,
  idsIn,
  paymentOf,
  payments,
  paymentsOf,
  putPayments,
  shapeEvent,
  user,
} from "./payment-fixtures.ts";

const views = [byUser, byCard, byBoth, byAccount, archiveByUser, byUserSince];

/** Expects the same of the store before a purge and after it. */
async function beforeAndAfter(store: OfflineStore, check: () => Promise<void>): Promise<void> {
  await check();
  await store.purge(views);
  await check();
}

const everyType = entity("every_type", {
  day: "string",
  whole: "int64",
  flag: "boolean",
  moment: "timestamp",
});

const typed = streamSource("typed", {
  timestamp: "ts",
  id: "id",
  columns: {
    ts: "timestamp",
    id: "string",
    day: "string",
    whole: "int64",
    flag: "boolean",
    moment: "timestamp",
  },
});

const typedView = streamView("typed_view", {
  entities: [everyType],
  source: typed,
  windowing: "sliding",
  interval: "5m",
  features: { id: [count("1h")] },
  compaction: { every: "1d" },
});

const typedKeys: readonly (readonly Scalar[])[] = [
  ["", 0, true, 0],
  ["a|b", 0, true, 0],
  ["a", 0, true, 0],
  ["a%7cb", 0, true, 0],
  ["é🚴\u0000\n/'", int64Min, false, -1],
  ["é🚴\u0000\n/'", int64Max, false, -1],
  ["é🚴\u0000\n/'", 2 ** 53 - 1, false, 8.64e15],
  ["é🚴\u0000\n/'", 2n ** 53n, false, 8.64e15],
  ["true", 1, true, 1],
  ["true", 1, false, 1],
  ["x".repeat(280), 1, true, 1],
];

export const deletionCases: readonly OfflineCase[] = [
  {
    name: "putDeletions() of nobody, and of somebody without rows, changes nothing",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "u" });
      await store.putDeletions([]);
      await store.purge(views);
      await store.putDeletions([deletionOf(user, "nobody"), deletionOf(user, "nobody")]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byUser)).toEqual(["u a"]);
        expect(await collect(store.deletedEntities(byUser))).toEqual([]);
      });
    },
  },
  {
    name: "putDeletions() refuses join keys that are not the entity's",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "u" });
      const wrong = [deletionOf(user, "u"), deletionOf(account, "u")];
      await expect(store.putDeletions(wrong)).rejects.toMatchObject({ code: "INVALID_REQUEST" });
      expect(await idsIn(store, byUser)).toEqual(["u a"]);
    },
  },
  {
    name: "a row that names a deleted entity is gone from every view of every source",
    run: async ({ store, load }) => {
      await putPayments(
        store,
        0,
        { id: "a", user: "gone", card: 1 },
        { id: "b", user: "left", card: 1 },
        { id: "c", user: null, card: 1 },
      );
      await load(
        archive,
        paymentsOf(archive, { id: "d", user: "gone" }, { id: "e", user: "left" }),
      );
      await store.putDeletions([deletionOf(user, "gone")]);
      await store.putDeletions([deletionOf(user, "gone")]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byUser)).toEqual(["left b"]);
        expect(await idsIn(store, byCard)).toEqual(["1 b", "1 c"]);
        expect(await idsIn(store, byBoth)).toEqual(["1|left b"]);
        expect(await idsIn(store, archiveByUser)).toEqual(["left e"]);
        expect(await idsIn(store, byUserSince)).toEqual(["left e"]);
        expect(await store.estimateRows(requestOf(byUser))).toBeLessThanOrEqual(2);
        expect(await store.estimateRows(requestOf(archiveByUser))).toBe(1);
      });
    },
  },
  {
    name: "a deletion covers what is put later, too",
    run: async ({ store, load }) => {
      await store.putDeletions([deletionOf(user, "gone")]);
      await store.purge(views);
      await putPayments(store, 0, { id: "a", user: "gone" }, { id: "b", user: "left" });
      await load(archive, paymentsOf(archive, { id: "c", user: "gone" }));
      const name = await load(payments, paymentsOf(payments, { id: "d", user: "gone" }));
      await store.registerLoad({ name, source: payments }, 0);
      const corrected = paymentOf(payments, { id: "b", user: "gone" });
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byUser)).toEqual(["left b"]);
        expect(await idsIn(store, archiveByUser)).toEqual([]);
      });
      await store.putCorrections(payments, [{ id: "b", event: corrected }]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byCard)).toEqual([]);
      });
    },
  },
  {
    name: "an event corrected into one of a deleted entity does not come back as what it was",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "left" }, { id: "b", user: "left" });
      const correct = (id: string, to: string) =>
        store.putCorrections(payments, [{ id, event: paymentOf(payments, { id, user: to }) }]);
      await correct("a", "other");
      await correct("a", "gone");
      await store.putDeletions([deletionOf(user, "gone")]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byUser)).toEqual(["left b"]);
      });
      await correct("a", "left");
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byUser)).toEqual(["left a", "left b"]);
      });
    },
  },
  {
    name: "the newest correction is the newest after a purge, too",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "u" }, { id: "b", user: "u" });
      await store.putDeletions([deletionOf(user, "gone")]);
      const correct = async (card: number) => {
        const corrected = (id: string, to: string) => ({
          id,
          event: paymentOf(payments, { id, user: to, card }),
        });
        await store.putCorrections(payments, [corrected("b", "gone"), corrected("a", "u")]);
      };
      for (const number of [2, 3, 4, 5]) await correct(number);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byCard)).toEqual(["5 a"]);
      });
      for (const number of [6, 7]) await correct(number);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byCard)).toEqual(["7 a"]);
      });
    },
  },
  {
    name: "a value that is deleted in one column is not in another",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "8", card: 7 }, { id: "b", user: "7", card: 9 });
      await store.putDeletions([deletionOf(user, "7"), deletionOf(card, 8)]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byBoth)).toEqual(["7|8 a"]);
      });
    },
  },
  {
    name: "a row of a deleted entity takes the place of no other",
    run: async ({ store, load }) => {
      await putPayments(store, 0, { id: "a", user: "gone" }, { id: "b", user: "gone" });
      const name = await load(payments, paymentsOf(payments, { id: "a", user: "left" }));
      await store.registerLoad({ name, source: payments }, 0);
      const moved = paymentOf(payments, { id: "b", user: "left" });
      await store.putCorrections(payments, [{ id: "b", event: moved }]);
      expect(await idsIn(store, byUser)).toEqual(["gone a", "left b"]);
      await store.putDeletions([deletionOf(user, "gone")]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byUser)).toEqual(["left a"]);
      });
    },
  },
  {
    name: "a deletion covers rows that hold all of its entity's join keys",
    run: async ({ store }) => {
      await putPayments(
        store,
        0,
        { id: "a", user: "u", card: 1 },
        { id: "b", user: "u", card: 2 },
        { id: "c", user: "v", card: 1 },
        { id: "d", user: "u", card: null },
        { id: "e", user: null, card: 3 },
      );
      await store.putDeletions([deletionOf(account, "u", 1), deletionOf(card, 3)]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byUser)).toEqual(["u b", "u d", "v c"]);
        expect(await idsIn(store, byCard)).toEqual(["1 c", "2 b"]);
      });
    },
  },
  {
    name: "a source that lacks a join key, or has another type of it, is not covered",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "7", card: 7 });
      await store.putDeletions([
        deletionOf(entity("shop_user", { user_id: "string", shop: "string" }), "7", "x"),
        deletionOf(entity("text_card", { card: "string" }), "7"),
        deletionOf(entity("whole_user", { user_id: "int64" }), 7),
      ]);
      await beforeAndAfter(store, async () => {
        expect(await idsIn(store, byBoth)).toEqual(["7|7 a"]);
      });
    },
  },
  {
    name: "a deletion covers the values of its own type alone, each by itself",
    run: async ({ store }) => {
      const rows = typedKeys.map(([day, whole, flag, moment], i) => ({
        ...shapeEvent(typed, {
          ts: i,
          id: `${i}`,
          day: day as Scalar,
          whole: whole as Scalar,
          flag: flag as Scalar,
          moment: moment as Scalar,
        }),
        seq: i,
        epoch: 0,
        arrivedAtMs: 0,
      }));
      await store.putSegment({ source: typed, shard: "s", epoch: 0 }, batches(rows));
      const left = new Set(rows.map(({ id }) => id));
      for (const [i, joinKeys] of typedKeys.entries()) {
        await store.putDeletions([{ entity: everyType, joinKeys }]);
        left.delete(`${i}`);
        if (i % 3 === 0) await store.purge([typedView as ViewDefinition]);
        const found = await scanAll(store, requestOf(typedView));
        expect(found.map((row) => row[5]).sort(), `after ${i}`).toEqual([...left].sort());
      }
    },
  },
  {
    name: "entitiesOf() and putPublished() leave out what only rows of deleted entities bring",
    run: async ({ store }) => {
      await putPayments(
        store,
        0,
        { id: "a", user: "gone", card: 1 },
        { id: "b", user: "gone", card: 2 },
        { id: "c", user: "left", card: 2 },
      );
      await store.putDeletions([deletionOf(user, "gone")]);
      const epochs = { afterEpoch: -1, throughEpoch: 0 };
      expect(await collect(store.entitiesOf(byUser, epochs))).toEqual(["left"]);
      expect(await collect(store.entitiesOf(byCard, epochs))).toEqual(["2"]);
      expect(await collect(store.entitiesOf(byBoth, epochs))).toEqual(["2|left"]);
      for (const view of [byUser, byCard, byBoth]) await store.putPublished(requestOf(view));
      const vanished = (view: ViewDefinition) =>
        collect(store.vanishedEntities(requestOf(view, { fromMs: 100 })));
      expect(await vanished(byUser)).toEqual(["left"]);
      expect(await vanished(byCard)).toEqual(["2"]);
      expect(await vanished(byBoth)).toEqual(["2|left"]);
    },
  },
];
