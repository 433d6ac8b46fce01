/** Cases of what a purge remembers, and of entities that were published and are deleted. */

import { expect } from "vitest";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { entity } from "../../src/index.ts";
import type { OfflineStore } from "../../src/offline/offline-store.ts";
import type { OfflineCase } from "./offline-contract.ts";
import { collect, requestOf } from "./offline-fixtures.ts";
import {
  account,
  archive,
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
  user,
} from "./payment-fixtures.ts";

const views = [byUser, byCard, byBoth, byAccount];

function deleted(store: OfflineStore, view: ViewDefinition): Promise<string[]> {
  return collect(store.deletedEntities(view));
}

function vanished(store: OfflineStore, view: ViewDefinition, fromMs = 0): Promise<string[]> {
  return collect(store.vanishedEntities(requestOf(view, { fromMs })));
}

export const purgeCases: readonly OfflineCase[] = [
  {
    name: "a segment or a load that a purge has emptied is there, and is not put again",
    run: async ({ store, load }) => {
      const events = paymentsOf(payments, { id: "b", user: "gone" });
      await putPayments(store, 0, { id: "a", user: "gone" });
      const name = await load(payments, events);
      await store.putDeletions([deletionOf(user, "gone")]);
      await store.purge(views);
      expect(await store.hasSegment({ source: payments, shard: "main-0", epoch: 0 })).toBe(true);
      expect(await store.newLoads(payments)).toEqual([{ name, source: payments }]);
      await store.registerLoad({ name, source: payments }, 0);
      await putPayments(store, 0, { id: "c", user: "left" });
      await store.purge(views);
      expect(await idsIn(store, byCard)).toEqual([]);
    },
  },
  {
    name: "entitiesOf() brings whose rows a purge took out, by their epochs, but not the deleted",
    run: async ({ store }) => {
      for (const [epoch, card] of [1, 2, 3].entries()) {
        await putPayments(store, epoch, { id: `e${epoch}`, user: "gone", card });
      }
      await putPayments(store, 3, { id: "e3", user: "stays", card: 4 });
      await store.putDeletions([deletionOf(user, "gone")]);
      for (let round = 0; round < 2; round++) await store.purge(views);
      const entitiesOf = (view: ViewDefinition, afterEpoch: number, throughEpoch: number) =>
        collect(store.entitiesOf(view, { afterEpoch, throughEpoch }));
      expect([...new Set(await entitiesOf(byCard, -1, 3))].sort()).toEqual(["1", "2", "3", "4"]);
      expect(await entitiesOf(byCard, 0, 1)).toEqual(["2"]);
      expect(await entitiesOf(byUser, -1, 3)).toEqual(["stays"]);
      // Whoever is deleted next is forgotten there too.
      await store.putDeletions([deletionOf(card, 2)]);
      await store.purge(views);
      await store.forgetPublished(byCard, ["2"]);
      expect(await entitiesOf(byCard, 0, 1)).toEqual([]);
      expect([...new Set(await entitiesOf(byCard, 1, 3))].sort()).toEqual(["3", "4"]);
    },
  },
  {
    name: "deletedEntities() brings those put published that a deletion covers",
    run: async ({ store }) => {
      await putPayments(
        store,
        0,
        { id: "a", user: "gone", card: 1 },
        { id: "b", user: "gone", card: 2 },
        { id: "c", user: "left", card: 1 },
        { id: "d", user: "a|b/%", card: 3 },
      );
      for (const view of views) await store.putPublished(requestOf(view, { cut: 0 }));
      expect(await deleted(store, byUser)).toEqual([]);
      await store.putDeletions([deletionOf(user, "gone"), deletionOf(user, "a|b/%")]);
      for (let round = 0; round < 2; round++) {
        expect(await deleted(store, byUser)).toEqual(["a%7cb%2f%25", "gone"]);
        expect(await deleted(store, byBoth)).toEqual(["1|gone", "2|gone", "3|a%7cb%2f%25"]);
        expect(await deleted(store, byCard)).toEqual([]);
        expect(await deleted(store, byAccount)).toEqual([]);
        await store.purge(views);
      }
      await store.putDeletions([deletionOf(account, "left", 1), deletionOf(card, 2)]);
      expect(await deleted(store, byAccount)).toEqual(["left|1"]);
      expect(await deleted(store, byCard)).toEqual(["2"]);
      expect(await deleted(store, byBoth)).toEqual(["1|gone", "2|gone", "3|a%7cb%2f%25"]);
    },
  },
  {
    name: "an entity of the same name and other join keys is another one",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "u", card: 1 });
      await store.putPublished(requestOf(byUser));
      const former = entity("user", { user_id: "string", card: "int64" });
      const namesake = entity("client", { user_id: "string" });
      await store.putDeletions([deletionOf(former, "u", 1), deletionOf(namesake, "u")]);
      await store.purge(views);
      expect(await deleted(store, byUser)).toEqual([]);
      expect(await vanished(store, byUser)).toEqual(["u"]);
    },
  },
  {
    name: "a purge remembers whose rows it takes, in every view, also those never put published",
    run: async ({ store, load }) => {
      await putPayments(store, 0, { id: "a", user: "gone", card: 1 });
      await putPayments(store, 1, { id: "b", user: "gone", card: null }, { id: "c", user: null });
      await load(payments, paymentsOf(payments, { id: "d", user: "gone", card: 2 }));
      await store.putCorrections(payments, [
        { id: "c", event: paymentOf(payments, { id: "c", user: "gone", card: 3 }) },
      ]);
      await store.putDeletions([deletionOf(user, "gone")]);
      expect(await deleted(store, byUser)).toEqual([]);
      await store.purge(views);
      expect(await deleted(store, byUser)).toEqual(["gone"]);
      expect(await deleted(store, byBoth)).toEqual(["1|gone", "2|gone", "3|gone"]);
      // Their records have counted the events that are gone.
      expect(await vanished(store, byCard)).toEqual(["1", "2", "3"]);
      expect(await vanished(store, byAccount)).toEqual(["gone|1", "gone|2", "gone|3"]);
      expect(await vanished(store, byUser)).toEqual([]);
      expect(await vanished(store, byBoth)).toEqual([]);
    },
  },
  {
    name: "a purge remembers whose rows it takes out of a history and out of its stream",
    run: async ({ store, load }) => {
      await load(archive, paymentsOf(archive, { id: "a", user: "old" }, { id: "b", user: "left" }));
      await putPayments(store, 0, { id: "c", user: "new" });
      await store.putDeletions([deletionOf(user, "old"), deletionOf(user, "new")]);
      await store.purge([byUserSince]);
      expect(await deleted(store, byUserSince)).toEqual(["new", "old"]);
      expect(await idsIn(store, byUserSince)).toEqual(["left b"]);
      expect(await idsIn(store, byUser)).toEqual([]);
    },
  },
  {
    name: "forgetPublished() forgets for good, while what it forgets is read, and until it comes back",
    run: async ({ store }) => {
      const gone = Array.from({ length: 20 }, (_, i) => `gone${String(i).padStart(2, "0")}`);
      const put = (epoch: number) =>
        putPayments(store, epoch, ...gone.map((name) => ({ id: `${epoch} ${name}`, user: name })), {
          id: `${epoch} left`,
          user: "left",
        });
      await put(0);
      await store.putPublished(requestOf(byUser, { cut: 0 }));
      await store.putDeletions(gone.map((name) => deletionOf(user, name)));
      await store.purge(views);
      const forgotten: string[] = [];
      for await (const page of store.deletedEntities(byUser)) {
        forgotten.push(...page);
        await store.forgetPublished(byUser, page);
      }
      expect(forgotten.sort()).toEqual(gone);
      expect(await deleted(store, byUser)).toEqual([]);
      expect(await vanished(store, byUser, 100)).toEqual(["left"]);
      await store.forgetPublished(byUser, ["gone00", "nobody"]);
      await store.purge(views);
      expect(await deleted(store, byUser)).toEqual([]);
      await put(1);
      await store.purge(views);
      expect(await deleted(store, byUser)).toEqual(gone);
      expect(await deleted(store, { ...byUser, fingerprint: "0123456789abcdef" })).toEqual([]);
    },
  },
  {
    name: "putPublished() after a purge of the same cut loses nothing",
    run: async ({ store }) => {
      await putPayments(store, 0, { id: "a", user: "gone" }, { id: "b", user: "left" });
      await store.putPublished(requestOf(byUser, { cut: 0 }));
      await store.putDeletions([deletionOf(user, "gone")]);
      await store.forgetPublished(byUser, await deleted(store, byUser));
      await putPayments(store, 1, { id: "c", user: "next" });
      await store.putPublished(requestOf(byUser, { cut: 0 }));
      await store.putPublished(requestOf(byUser, { cut: 1 }));
      expect(await vanished(store, byUser, 100)).toEqual(["left", "next"]);
    },
  },
];
