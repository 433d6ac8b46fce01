import { expect, test } from "vitest";
import { batchView, count, entity, mean, streamSource, streamView, sum } from "../../src/index.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { user } from "./fixtures.ts";

const untyped = { streamView, batchView, streamSource } as unknown as {
  streamView(name: string, config: object): ViewDefinition;
  batchView(name: string, config: object): ViewDefinition;
  streamSource(name: string, config: object): object;
};

const sourceConfig = {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amt: "float64", qty: "int64" },
  map: (row: object) => row,
  version: "1",
};

const viewConfig = {
  entities: [user],
  windowing: "sliding",
  interval: "1h",
  features: { amt: [sum("1d"), mean("1d")], qty: [count("1d")] },
  compaction: { every: "1d" },
};

function fingerprint(viewChange: object = {}, sourceChange: object = {}, name = "v"): string {
  const source = untyped.streamSource("s", { ...sourceConfig, ...sourceChange });
  return untyped.streamView(name, { ...viewConfig, source, ...viewChange }).fingerprint;
}

const unchanged = fingerprint();

test("fingerprintOf() is the same in every release that writes the same bytes", () => {
  expect(unchanged).toBe("03c0de2e38cedcec");
});

test.each<[string, object, object]>([
  ["the order of features", { features: { qty: [count("1d")], amt: [mean("1d"), sum("1d")] } }, {}],
  ["the order of columns", {}, { columns: { qty: "int64", amt: "float64", user_id: "string" } }],
  [
    "listing what was implied",
    {},
    { columns: { ...sourceConfig.columns, ts: "timestamp", id: "string" } },
  ],
  [
    "a description",
    { features: { amt: [sum("1d", { description: "x" }), mean("1d")], qty: [count("1d")] } },
    {},
  ],
  ["the cadence and the horizon", { compaction: { every: "1h", horizon: "5h" } }, {}],
  ["a serving cache", { cache: { maxAge: "1m" } }, {}],
  ["the text of a function", {}, { map: () => ({}) }],
  ["a column the view does not read", {}, { columns: { ...sourceConfig.columns, more: "string" } }],
  ["the redelivery horizon", {}, { redeliveryHorizon: "1d" }],
  ["an entity's name", { entities: [entity("customer", { user_id: "string" })] }, {}],
])("fingerprintOf() does not change with %s", (_, viewChange, sourceChange) => {
  expect(fingerprint(viewChange, sourceChange)).toBe(unchanged);
});

test("fingerprintOf() sees the instant of a start, not its spelling", () => {
  expect(fingerprint({ featureStartTime: "2024-01-01" })).toBe(
    fingerprint({ featureStartTime: "2024-01-01T01:00:00+01:00" }),
  );
});

test("records of a view whose columns were reordered have the same layout", () => {
  const columns = { qty: "int64", amt: "float64", user_id: "string" };
  const layouts = [{}, { columns }].map((change) => {
    const source = untyped.streamSource("s", { ...sourceConfig, ...change });
    const { slots, valueColumns } = untyped.streamView("v", { ...viewConfig, source });
    return { slots: slots.map(({ column, algebra }) => [column, algebra.key]), valueColumns };
  });
  expect(layouts[0]).toEqual(layouts[1]);
});

test("fingerprintOf() changes with all that changes a value", () => {
  const changed = [
    fingerprint({}, {}, "w"),
    fingerprint({ windowing: "sawtooth" }),
    fingerprint({ interval: "2h" }),
    fingerprint({ featureStartTime: "2024-01-01" }),
    fingerprint({ features: { amt: [sum("1d"), mean("1d")] } }),
    fingerprint({ features: { ...viewConfig.features, qty: [count("1d"), sum("1d")] } }),
    fingerprint({ features: { ...viewConfig.features, qty: [count("2d")] } }),
    fingerprint({ features: { ...viewConfig.features, qty: [count("1d", { offset: "-1h" })] } }),
    fingerprint({ entities: [user, entity("order", { qty: "int64" })] }),
    fingerprint({ entities: [entity("order", { qty: "int64" }), user] }),
    fingerprint({}, { version: "2" }),
    fingerprint({}, { version: undefined }),
    fingerprint({}, { log: "other" }),
    fingerprint({}, { id: "key" }),
    fingerprint({}, { id: undefined }),
    fingerprint({}, { timestamp: "at" }),
    fingerprint({}, { columns: { user_id: "string", amt: "int64", qty: "int64" } }),
    untyped.batchView("v", { ...viewConfig, source: untyped.streamSource("s", sourceConfig) })
      .fingerprint,
    untyped.streamView("v", { ...viewConfig, source: untyped.streamSource("t", sourceConfig) })
      .fingerprint,
  ];
  expect(new Set([unchanged, ...changed]).size).toBe(changed.length + 1);
  for (const each of changed) expect(each).toMatch(/^[0-9a-f]{16}$/);
});
