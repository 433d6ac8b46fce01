import { expect, test } from "vitest";
import type { ClientOptions } from "../../adapters/client/client.ts";
import { clientLimits } from "../../src/client/client-limits.ts";
import { buildTestApp } from "../builders/app.ts";
import { fraud, mixed, nullable, repository, transactions } from "../http/features.ts";
import { batchPath, nowMs, openWorld, outcomeOf, purchases } from "./client-world.ts";
import { singlePath, usersOf } from "./client-world.ts";
import type { ClientWorld } from "./client-world.ts";

async function worldWithSpend(options: Partial<ClientOptions> = {}): Promise<ClientWorld> {
  const world = openWorld(buildTestApp(repository, { nowMs }), options);
  await world.client.ingest(transactions, purchases);
  return world;
}

function askFor({ client }: ClientWorld, user_id: string, options = {}) {
  const query = { joinKeys: { user_id }, request: { amt: 1 } };
  return client.getFeatures(fraud, query, options);
}

/** What was sent for features: how many rows, or the path of a single one. */
function requestsOf({ sent }: ClientWorld): readonly (number | string)[] {
  return sent
    .filter(({ path }) => path !== "/ingest")
    .map((request) => (request.path === batchPath ? usersOf(request).length : request.path));
}

const sum = "user_spend.amt_sum_1h_5m";

test("calls of one tick go together, and each gets its own row", async () => {
  const world = await worldWithSpend();
  const users = ["u", "v", "nobody", "u"];
  const answers = await Promise.all(users.map((user) => askFor(world, user)));
  expect(answers.map(({ features }) => features[sum])).toEqual([40, 7, null, 40]);
  expect(answers.map(({ statuses }) => statuses[sum])).toEqual([
    ...["PRESENT", "PRESENT", "MISSING_DATA", "PRESENT"],
  ]);
  expect(requestsOf(world)).toEqual([4]);
  const alone = await askFor(world, "u");
  expect(alone).toEqual(answers[0]);
  expect(requestsOf(world)).toEqual([4, singlePath]);
});

test("services, options and what a batch cannot carry are not mixed", async () => {
  const world = await worldWithSpend();
  await Promise.all([
    askFor(world, "u"),
    askFor(world, "v"),
    askFor(world, "u", { details: true }),
    askFor(world, "v", { details: true }),
    askFor(world, "u", { effectiveTimes: true }),
    askFor(world, "u", { monotonic: true }),
    world.client.getFeatures(nullable, { joinKeys: { user_id: "u" } }),
  ]);
  expect([...requestsOf(world)].sort()).toEqual([singlePath, singlePath, singlePath, 2, 2]);
});

test.each([
  [{ batch: { rowsMax: 3 } }, [3, 3, singlePath]],
  [{ batch: { rowsMax: 1 } }, Array.from({ length: 7 }, () => singlePath)],
  [{ batch: false }, Array.from({ length: 7 }, () => singlePath)],
  [{}, [7]],
] as const)("with %j, seven calls go as %j", async (options, expected) => {
  const world = await worldWithSpend(options);
  const users = ["u", "v", "w", "u", "v", "w", "u"];
  const answers = await Promise.all(users.map((user) => askFor(world, user)));
  expect(answers.map(({ features }) => features[sum])).toEqual([40, 7, null, 40, 7, null, 40]);
  expect(requestsOf(world)).toEqual(expected);
});

test("rows that are too large together go apart", async () => {
  const world = await worldWithSpend();
  const word = "x".repeat(clientLimits.batchCharactersMax / 2);
  const outcomes = await Promise.all(
    ["u", word, word, "v"].map((user) => outcomeOf(askFor(world, user))),
  );
  expect(requestsOf(world)).toEqual([2, 2]);
  expect(outcomes).toHaveLength(4);
});

test("a window gathers the calls made within it", async () => {
  const world = await worldWithSpend({ batch: { windowMs: 5 } });
  const first = askFor(world, "u");
  await world.clock.advance(4);
  const second = askFor(world, "v");
  expect(requestsOf(world)).toEqual([]);
  await world.clock.advance(1);
  const answers = await Promise.all([first, second]);
  expect(answers.map(({ features }) => features[sum])).toEqual([40, 7]);
  expect(requestsOf(world)).toEqual([2]);
});

test("a row that the server cannot read has nulls, and harms no other row", async () => {
  const world = await worldWithSpend();
  const ask = (joinKeys: unknown) =>
    world.client.getFeatures(
      fraud,
      { joinKeys: joinKeys as never, request: { amt: 1 } },
      { details: true },
    );
  const [bad, good] = await Promise.all([ask({}), ask({ user_id: "u" })]);
  expect(new Set(Object.values(bad.statuses))).toEqual(new Set(["UNKNOWN"]));
  expect(new Set(Object.values(bad.features))).toEqual(new Set([null]));
  expect(bad.details[sum]?.reason).toMatch("user_id");
  expect(good.features[sum]).toBe(40);
  expect(good.details).toEqual({});
  expect(requestsOf(world)).toEqual([2]);
});

test("what fails in one row is told by its status and harms no other row", async () => {
  const world = await worldWithSpend();
  const cyclic: { amt: unknown } = { amt: 1 };
  cyclic.amt = cyclic;
  const ask = (request: unknown) =>
    world.client.getFeatures(mixed, { joinKeys: { user_id: "u" }, request: request as never });
  const unsent = outcomeOf(ask(cyclic));
  const [bad, good] = await Promise.all([ask({ amt: -1 }), ask({ amt: 16 })]);
  expect(bad.statuses).toMatchObject({ "fragile.root": "UNKNOWN", [sum]: "PRESENT" });
  expect(bad.features).toMatchObject({ "fragile.root": null, [sum]: 40 });
  expect(good.statuses).toMatchObject({ "fragile.root": "PRESENT" });
  expect(good.features).toMatchObject({ "fragile.root": 4, [sum]: 40 });
  expect(await unsent).toMatchObject({ error: expect.any(TypeError) as unknown });
  expect(requestsOf(world)).toEqual([2]);
});

test("a caller that gives up before the batch is sent takes its row out", async () => {
  const world = await worldWithSpend();
  const abort = new AbortController();
  const left = outcomeOf(askFor(world, "u", { signal: abort.signal }));
  const stays = [askFor(world, "v"), askFor(world, "w")];
  abort.abort();
  expect(await left).toMatchObject({ error: { name: "AbortError" } });
  await Promise.all(stays);
  expect(usersOf(world.sent[1] as (typeof world.sent)[number])).toEqual(["v", "w"]);
  const reason = new Error("changed its mind");
  const never = askFor(world, "u", { signal: AbortSignal.abort(reason) });
  await expect(never).rejects.toBe(reason);
  expect(requestsOf(world)).toEqual([2]);
  expect(world.clock.pendingCount).toBe(0);
});

test("a batch goes on while someone waits for it, and is aborted when all have left", async () => {
  const world = await worldWithSpend();
  const open = world.close();
  const aborts = ["u", "v", "w"].map(() => new AbortController());
  const waiting = aborts.map(({ signal }, i) => outcomeOf(askFor(world, `u${i}`, { signal })));
  await world.clock.advance(0);
  aborts[0]?.abort();
  expect(await waiting[0]).toMatchObject({ error: { name: "AbortError" } });
  const request = world.sent.at(-1);
  expect(request?.signal.aborted).toBe(false);
  aborts[1]?.abort();
  aborts[2]?.abort();
  expect(request?.signal.aborted).toBe(true);
  await Promise.all(waiting);

  const other = new AbortController();
  const gone = outcomeOf(askFor(world, "u", { signal: other.signal }));
  const served = askFor(world, "v");
  await world.clock.advance(0);
  other.abort();
  await gone;
  open();
  expect((await served).features[sum]).toBe(7);
  expect(world.clock.pendingCount).toBe(0);
});
