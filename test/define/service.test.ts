import { expect, test } from "vitest";
import {
  DefinitionError,
  entity,
  onDemandView,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import type { OnDemandView } from "../../src/index.ts";
import { limits } from "../../src/core/limits.ts";
import { daily, fraud, ratio, recent, spend, transactions, user } from "./fixtures.ts";

const untyped = { onDemandView, service } as unknown as {
  onDemandView(name: unknown, config: unknown): unknown;
  service(name: unknown, views: unknown, options?: unknown): unknown;
};

test("service() reads the views its on-demand views read, each once, and serves those listed", () => {
  expect(fraud).toEqual({
    kind: "service",
    name: "fraud",
    views: [spend],
    servedViews: ["spend_ratio", "user_spend"],
    onDemandViews: [ratio],
    emptyCount: "null",
  });
  const alone = service("alone", [ratio]);
  expect(alone.views).toEqual([spend]);
  expect(alone.servedViews).toEqual(["spend_ratio"]);
  expect(alone.emptyCount).toBe("zero");
});

test("service() sorts by name and leaves its argument as it was", () => {
  const listed = [spend, recent, ratio, daily] as const;
  const sorted = service("s", Object.freeze(listed));
  expect(sorted.views.map(({ name }) => name)).toEqual([
    "merchant_daily",
    "user_recent",
    "user_spend",
  ]);
  expect(sorted.servedViews).toEqual([
    "merchant_daily",
    "spend_ratio",
    "user_recent",
    "user_spend",
  ]);
});

test("onDemandView() keeps what it declares, in order", () => {
  expect(ratio).toMatchObject({
    kind: "onDemandView",
    name: "spend_ratio",
    request: { amt: "float64" },
    output: { over_mean: "float64" },
    version: null,
  });
  expect(ratio.inputs.spend).toBe(spend);
  const inputs = { request: { amt: 6 }, now: 0, spend: { amt_mean_30d_5m: 4 } };
  expect(ratio.transform(inputs)).toEqual({ over_mean: 1.5 });
  expect(ratio.transform({ ...inputs, spend: { amt_mean_30d_5m: null } })).toEqual({
    over_mean: null,
  });
});

function transform(): { a: null } {
  return { a: null };
}

const output = { a: "float64" };

function deep(levels: number): unknown {
  return levels === 1 ? "int64" : { array: deep(levels - 1) };
}

test("onDemandView() takes a type of exactly the most levels", () => {
  expect(() => untyped.onDemandView("d", { output: { a: deep(8) }, transform })).not.toThrow();
});

test.each<[unknown, string]>([
  [{ transform }, "output is missing, expected an object"],
  [{ output: {}, transform }, "output has 0 entries, expected at least 1"],
  [{ output }, "transform is missing, expected a function"],
  [{ output: { a: "number" }, transform }, 'output.a has type "number", expected one of "string"'],
  [{ output: { A: "int64" }, transform }, 'a name in output is "A"'],
  [
    { output: { a: { list: "int64" } }, transform },
    "output.a has a type with the fields list, expected exactly one of array, map, struct",
  ],
  [{ output: { a: {} }, transform }, "output.a has a type with the fields none"],
  [{ output: { a: { array: "int64", map: "int64" } }, transform }, "the fields array, map"],
  [{ output: { a: { array: "x" } }, transform }, 'output.a.array has type "x"'],
  [{ output: { a: { struct: {} } }, transform }, "output.a.struct has 0 entries"],
  [{ output: { a: { struct: { x: null } } }, transform }, "output.a.struct.x has type null"],
  [{ output: { a: deep(9) }, transform }, "nests deeper than 8 levels"],
  [{ request: { a: "any" }, output, transform }, 'request.a has type "any"'],
  [{ inputs: { now: spend }, output, transform }, "inputs.now has the name of another argument"],
  [
    { inputs: { request: spend }, output, transform },
    "inputs.request has the name of another argument",
  ],
  [
    { inputs: { user }, output, transform },
    'inputs.user is an object of kind "entity", expected what streamView() or batchView() or onDemandView() returned',
  ],
  [
    { output: { a: "float32" }, transform },
    'output.a has type "float32", expected one of "string"',
  ],
  [
    { output: { a: { struct: { x: "float32" } } }, transform },
    'output.a.struct.x has type "float32"',
  ],
  [
    { output, transform, descriptions: { b: "What" } },
    "descriptions.b is of no output, expected one of a",
  ],
  [{ output, transform, descriptions: { a: 1 } }, "descriptions.a is a number, expected a string"],
  [{ output, transform, tags: { team: null } }, "tags.team is null, expected a string"],
  [
    { output, transform, tags: { team: "x".repeat(257) } },
    "tags has a name or value of more than 256 characters",
  ],
  [{ output, transform, version: 1 }, "version is a number, expected a string"],
  [{ output, transform, requests: {} }, 'an unknown field "requests"'],
])("onDemandView() refuses a config, case %#", (config, message) => {
  expect(() => untyped.onDemandView("d", config)).toThrow(DefinitionError);
  expect(() => untyped.onDemandView("d", config)).toThrow(message);
});

function chainOf(length: number): OnDemandView {
  let view: OnDemandView = onDemandView("v1", { output: { a: "float64" }, transform });
  for (let i = 2; i <= length; i++) {
    view = onDemandView(`v${i}`, { inputs: { view }, output: { a: "float64" }, transform });
  }
  return view;
}

test("onDemandView() reads other on-demand views, so many on each other and no more", () => {
  const top = chainOf(limits.onDemandDepthMax);
  expect(top.depth).toBe(limits.onDemandDepthMax);
  expect(service("s", [top]).onDemandViews).toHaveLength(limits.onDemandDepthMax);
  expect(() => chainOf(limits.onDemandDepthMax + 1)).toThrow(
    'Cannot define on-demand view "v9": 9 on-demand views stand on each other up to it, expected at most 8',
  );
});

test("service() takes along what its on-demand views read, and serves what it lists", () => {
  const inner = onDemandView("z_inner", { inputs: { ratio }, output: { a: "float64" }, transform });
  const outer = onDemandView("a_outer", {
    inputs: { inner, daily },
    output: { a: "float64" },
    transform,
  });
  const taken = service("s", [outer]);
  expect(taken.views).toEqual([daily, spend]);
  expect(taken.onDemandViews).toEqual([ratio, inner, outer]);
  expect(taken.servedViews).toEqual(["a_outer"]);
  expect(service("s", [inner, ratio]).servedViews).toEqual(["spend_ratio", "z_inner"]);
  expect(() => service("s", [outer, viewNamed("z_inner")])).toThrow(
    'two of its views are named "z_inner", rename one',
  );
});

function viewNamed(name: string): OnDemandView {
  return untyped.onDemandView(name, { output, transform }) as OnDemandView;
}

test.each(["fraud", "fraud:v2", "fraud:v2_canary"])("service() takes the name %j", (name) => {
  expect(untyped.service(name, [spend])).toMatchObject({ name });
});

test.each(["fraud:", ":v2", "fraud:v2:x", "Fraud", "fraud v2", "fraud:V2", 7, undefined])(
  "service() refuses the name %j",
  (name) => {
    expect(() => untyped.service(name, [spend])).toThrow(DefinitionError);
  },
);

test("views keep their tags, and fingerprints do not know them", () => {
  const config = {
    entities: [user],
    source: transactions,
    windowing: "continuous",
    features: { amt: [sum("1h")] },
    compaction: { every: "1d" },
  } as const;
  const tagged = streamView("v", { ...config, tags: { team: "risk" } });
  const plain = streamView("v", config);
  expect([tagged.tags, plain.tags]).toEqual([{ team: "risk" }, {}]);
  expect(tagged.fingerprint).toBe(plain.fingerprint);
});

const twin = streamView("user_spend", {
  entities: [user],
  source: transactions,
  windowing: "continuous",
  features: { amt: [sum("1h")] },
  compaction: { every: "1d" },
});

const numbered = streamView("numbered", {
  entities: [entity("user", { user_id: "int64" })],
  source: streamSource("numbered", { timestamp: "ts", columns: { user_id: "int64" } }),
  windowing: "continuous",
  features: { user_id: [sum("1h")] },
  compaction: { every: "1d" },
});

const otherRequest = onDemandView("other", {
  request: { amt: "int64" },
  output: { a: "float64" },
  transform,
});

const viewNamedTwice = onDemandView("user_spend", { output: { a: "float64" }, transform });

test.each<[unknown, unknown, string]>([
  [[], {}, "its list of views has 0 entries, expected at least 1"],
  [spend, {}, 'its views are an object of kind "streamView", expected an array'],
  [
    [user],
    {},
    'views[0] is an object of kind "entity", expected what streamView() or batchView() or onDemandView() returned',
  ],
  [[spend, spend], {}, 'it lists view "user_spend" twice, remove one'],
  [[spend, twin], {}, 'two of its views are named "user_spend", rename one'],
  [[ratio, twin], {}, 'two of its views are named "user_spend", rename one'],
  [[spend, viewNamedTwice], {}, 'two of its views are named "user_spend", rename one'],
  [
    [numbered, spend],
    {},
    'join key "user_id" has type "string" in view "user_spend" and "int64" in another',
  ],
  [
    [ratio, otherRequest],
    {},
    'request value "amt" has type "float64" in view "spend_ratio" and "int64" in another',
  ],
  [[spend], { emptyCount: "one" }, 'emptyCount is a string, expected "zero" or "null"'],
  [[spend], { emptyCounts: "null" }, 'it has an unknown field "emptyCounts"'],
])("service() refuses its views or options, case %#", (views, options, message) => {
  expect(() => untyped.service("s", views, options)).toThrow(DefinitionError);
  expect(() => untyped.service("s", views, options)).toThrow(
    `Cannot define service "s": ${message}`,
  );
});
