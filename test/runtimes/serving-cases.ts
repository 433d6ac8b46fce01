/** What every server has to do, whichever runtime it is in and wherever its records are. */

import { expect } from "vitest";
import { expectedFeatures, nowMs, randomPurchases } from "./purchases.ts";
import type { Purchase } from "./purchases.ts";
import { requestAmount } from "./serving-client.ts";
import type { ServingClient } from "./serving-client.ts";

export interface ServingWorld {
  /** Of the server as it runs now. */
  client: ServingClient;
  /** Kills the server and starts it again; its clock stands near the instant of the suite. */
  restart(): Promise<void>;
  /** Whether what was acknowledged outlives the server. */
  readonly keeps: boolean;
}

export interface ServingCase {
  readonly name: string;
  run(world: ServingWorld): Promise<void>;
}

const servingPath = "/api/v1/feature-service/get-features";
const hourMs = 3_600_000;

function expected(purchases: readonly Purchase[]) {
  return expectedFeatures(purchases, requestAmount);
}

const nothing = expected([]);

/** In this order: the last one leaves a server without a test clock. */
export const servingCases: readonly ServingCase[] = [
  {
    name: "takes an event once, however often it is sent",
    async run({ client }) {
      const purchases = randomPurchases("repeater", { count: 20, seed: 1 });
      expect(await client.accept(purchases)).toEqual([20, 0]);
      expect(await client.accept(purchases.slice(5))).toEqual([0, 15]);
      expect(await client.ask("repeater")).toEqual(expected(purchases));
      expect(await client.ask("nobody")).toEqual(nothing);
    },
  },
  {
    name: "refuses a request with one bad record whole",
    async run({ client }) {
      const [good] = randomPurchases("careless", { count: 1, seed: 2 }) as [Purchase];
      const bad = { ...good, id: "bad", amount: "much" as unknown as number };
      const { status, body } = await client.ingest([good, bad]);
      expect(status).toBe(400);
      expect(body).toMatchObject({ recordErrors: [{ errorType: expect.anything() as unknown }] });
      expect(await client.ask("careless")).toEqual(nothing);
      expect(await client.accept([good])).toEqual([1, 0]);
    },
  },
  {
    name: "answers the same before and after compactions, and serves late events at once",
    async run({ client }) {
      const customers = ["steady", "quiet", "single"].map((name, i) => ({
        name,
        purchases: randomPurchases(name, { count: [60, 7, 1][i] as number, seed: 10 + i }),
      }));
      const expectExact = async (moment: string) => {
        for (const { name, purchases } of customers) {
          expect(await client.ask(name), `${name} ${moment}`).toEqual(expected(purchases));
        }
      };
      await client.accept(customers.flatMap(({ purchases }) => purchases));
      await expectExact("before a compaction");
      expect(await client.compact()).toBeGreaterThanOrEqual(customers.length);
      await expectExact("after a compaction");
      for (const { name, purchases } of customers) {
        const late = randomPurchases(name, { count: 5, seed: 20 });
        await client.accept(late);
        purchases.push(...late);
        expect(await client.accept(purchases)).toEqual([0, purchases.length]);
      }
      await expectExact("after late events");
      await client.compact();
      await expectExact("after another compaction");
    },
  },
  {
    name: "answers a batch in order, repeated rows too",
    async run({ client }) {
      const one = randomPurchases("batch-one", { count: 9, seed: 30 });
      const two = randomPurchases("batch-two", { count: 9, seed: 31 });
      await client.accept([...one, ...two]);
      const answers = [expected(one), expected(two), nothing];
      const asked = ["batch-one", "batch-two", "nobody", "batch-one", "batch-one"];
      expect(await client.askBatch(asked)).toEqual([0, 1, 2, 0, 0].map((i) => answers[i]));
    },
  },
  {
    name: "hides an entity once it is deleted, and keeps it hidden",
    async run({ client }) {
      const [gone, kept] = [40, 41].map((seed) =>
        randomPurchases(`deleted-${seed}`, { count: 5, seed }),
      ) as [Purchase[], Purchase[]];
      await client.accept([...gone, ...kept]);
      await client.compact();
      const body = { entity: "customer", joinKeyMap: { customer_id: "deleted-40" } };
      expect((await client.send("/admin/delete", body)).status).toBe(200);
      const expectHidden = async () => {
        expect(await client.ask("deleted-40")).toEqual(nothing);
        expect(await client.ask("deleted-41")).toEqual(expected(kept));
      };
      await expectHidden();
      await client.compact();
      await expectHidden();
      await client.accept(randomPurchases("deleted-40", { count: 5, seed: 42 }));
      await expectHidden();
    },
  },
  {
    name: "answers mistakes with a status and a reason",
    async run({ client }) {
      const params = { featureServiceName: "checkout" };
      const failures = [
        [await client.send(servingPath, { params: { featureServiceName: "none" } }), 404, 5],
        [await client.send(servingPath, { params }), 400, 3],
        [await client.send(servingPath, '{"params":'), 400, 3],
        [await client.send(`${servingPath}-batch`, { params }), 400, 3],
        [await client.send(servingPath, null, { method: "GET" }), 405, 12],
        [await client.send("/nowhere", {}), 404, 5],
      ] as const;
      for (const [answer, status, code] of failures) {
        expect(answer.status).toBe(status);
        expect(answer.body).toMatchObject({ code, message: expect.any(String) as unknown });
      }
    },
  },
  {
    name: "keeps what it acknowledged when it is killed, and refuses a clock that is not its own",
    async run(world) {
      const purchases = randomPurchases("survivor", { count: 15, seed: 50 });
      await world.client.accept(purchases.slice(0, 10));
      await world.client.compact();
      await world.client.accept(purchases.slice(10));
      expect(await world.client.ask("survivor")).toEqual(expected(purchases));
      await world.restart();
      const { client, keeps } = world;
      expect(await client.ask("survivor")).toEqual(keeps ? expected(purchases) : nothing);
      expect(await client.ask("deleted-40")).toEqual(nothing);
      expect(await client.accept(purchases)).toEqual(keeps ? [0, 15] : [15, 0]);
      const next = { ...(purchases[0] as Purchase), id: "next", tsMs: nowMs - 2 * hourMs };
      expect(await client.accept([next])).toEqual([1, 0]);
      expect(await client.ask("survivor")).toEqual(expected([...purchases, next]));
      const clock = { headers: { "x-tilemark-now": String(nowMs) } };
      const refused = await client.send(servingPath, {}, clock);
      expect(refused).toMatchObject({
        status: 400,
        body: { message: expect.stringContaining("x-tilemark-now") as unknown },
      });
    },
  },
];
