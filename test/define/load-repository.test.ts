import { expect, test } from "vitest";
import {
  count,
  DefinitionError,
  entity,
  loadRepository,
  onDemandView,
  streamSource,
  streamView,
} from "../../src/index.ts";
import * as fixtures from "./fixtures.ts";

const { fraud, ratio, spend, transactions, user } = fixtures;

test("loadRepository() collects every export by name", () => {
  const repository = loadRepository(fixtures);
  expect([...repository.entities.keys()]).toEqual(["merchant", "user"]);
  expect([...repository.sources.keys()]).toEqual(["archive", "transactions"]);
  expect([...repository.views.keys()]).toEqual([
    "merchant_daily",
    "user_fresh",
    "user_recent",
    "user_spend",
  ]);
  expect([...repository.onDemandViews.keys()]).toEqual(["spend_ratio"]);
  expect([...repository.services.keys()]).toEqual(["fraud"]);
  expect(repository.views.get("user_spend")).toBe(spend);
});

test("loadRepository() reaches what a service stands on without exports of it", () => {
  const repository = loadRepository({ fraud });
  expect([...repository.views.values()]).toEqual([spend]);
  expect([...repository.onDemandViews.values()]).toEqual([ratio]);
  expect([...repository.sources.values()]).toEqual([transactions]);
  expect([...repository.entities.values()]).toEqual([user]);
});

test("loadRepository() takes one object under two exports", () => {
  expect(loadRepository({ user, customer: user }).entities.size).toBe(1);
});

const twinSource = streamSource("transactions", {
  timestamp: "ts",
  columns: { user_id: "string" },
});

const overTwin = streamView("over_twin", {
  entities: [user],
  source: twinSource,
  windowing: "continuous",
  features: { user_id: [count("1h")] },
  compaction: { every: "1d" },
});

const namedAsView = onDemandView("user_spend", {
  output: { a: "float64" },
  transform: () => ({ a: null }),
});

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ["nothing", {}, "Cannot load the feature repository: it exports nothing"],
  ["a function", { helper: () => 1 }, 'Cannot load export "helper": it is a function'],
  ["a number", { user, size: 1 }, 'Cannot load export "size": it is a number'],
  ["null", { none: null }, 'Cannot load export "none": it is null'],
  ["an aggregation", { daily: count("1d") }, 'it is an object of kind "aggregation"'],
  ["a definition that no builder made", { copy: { ...spend } }, 'an object of kind "streamView"'],
  [
    "two entities of one name",
    { user, other: entity("user", { user_id: "string" }) },
    'Cannot load entity "user": two definitions have this name',
  ],
  ["two sources of one name", { a: transactions, b: twinSource }, 'source "transactions"'],
  ["a source of the same name out of sight", { spend, overTwin }, 'source "transactions"'],
  [
    "a view and an on-demand view of one name",
    { spend, namedAsView },
    'Cannot load view "user_spend": two definitions have this name',
  ],
])("loadRepository() refuses %s", (_, moduleExports, message) => {
  expect(() => loadRepository(moduleExports)).toThrow(DefinitionError);
  expect(() => loadRepository(moduleExports)).toThrow(message);
});
