import { expect, test } from "vitest";
import type { DataType, Value } from "../../src/core/value.ts";
import type { OnDemandViewDefinition } from "../../src/define/definition.ts";
import { entity, last, onDemandView, streamSource, streamView, sum } from "../../src/index.ts";
import { runOnDemand } from "../../src/serve/run-on-demand.ts";
import type { FeatureAnswer, ViewAnswer } from "../../src/serve/view-answer.ts";

const user = entity("user", { user_id: "string" });
const source = streamSource("events", {
  timestamp: "ts",
  columns: { user_id: "string", n: "int64", x: "float64" },
});
const spend = streamView("spend", {
  entities: [user],
  source,
  windowing: "sliding",
  interval: "1m",
  features: { n: [last(2, "1h"), sum("1h")], x: [sum("1h")] },
  compaction: { every: "1d" },
});

const nowMs = 1_700_000_000_000;

function present(value: Value): FeatureAnswer {
  return { value, status: "PRESENT", effectiveTimeMs: nowMs, degraded: null, fault: null };
}

/** `n_last_2`, `n_sum` and `x_sum`, in the order of their names. */
function spendAnswer(...features: readonly FeatureAnswer[]): ViewAnswer {
  return { view: spend, features, waitingCount: null, seen: null, staleness: null };
}

const usual = spendAnswer(present([1, 2n ** 60n]), present(7), present(null));

function run(
  view: OnDemandViewDefinition,
  requestValues: Readonly<Record<string, Value>> = {},
  answers: readonly ViewAnswer[] = [usual],
): readonly FeatureAnswer[] {
  const inputs = { requestValues: new Map(Object.entries(requestValues)), answers, nowMs };
  return runOnDemand([view], inputs)[0]?.features ?? [];
}

/** A view whose one output is what `transform` returns under `out`. */
function returning(type: DataType, returned: unknown): OnDemandViewDefinition {
  return onDemandView("made", { output: { out: type }, transform: () => returned as never });
}

test("runOnDemand() gives a transform its values by name, with int64s as bigints and nulls as null", () => {
  let seen: unknown;
  const view = onDemandView("view", {
    request: {
      whole: "int64",
      deep: { array: { struct: { id: "int64", at: "timestamp", by: { map: "int64" } } } },
    },
    inputs: { spend },
    output: { out: "boolean" },
    transform: (inputs) => {
      seen = structuredClone(inputs);
      return { out: true };
    },
  });
  const deep = [[1, 5, { a: 2, b: null }], null, [null, null, null]];
  expect(run(view, { whole: 3, deep }).map(({ value }) => value)).toEqual([true]);
  expect(seen).toEqual({
    request: {
      whole: 3n,
      deep: [{ id: 1n, at: 5, by: { a: 2n, b: null } }, null, { id: null, at: null, by: null }],
    },
    spend: { n_last_2_1h_1m: [1n, 2n ** 60n], n_sum_1h_1m: 7n, x_sum_1h_1m: null },
    now: nowMs,
  });
});

test("runOnDemand() freezes the inputs at every depth and leaves the answers as they were", () => {
  interface Seen {
    readonly request: { readonly deep: { id: bigint }[] };
    readonly spend: { n_sum_1h_1m: bigint; readonly n_last_2_1h_1m: bigint[] };
  }
  const attempts: readonly ((inputs: Seen) => void)[] = [
    (inputs) => Object.assign(inputs, { now: 1 }),
    (inputs) => Object.assign(inputs.request, { deep: null }),
    (inputs) => inputs.request.deep.push({ id: 1n }),
    (inputs) => Object.assign(inputs.request.deep[0] ?? {}, { id: 2n }),
    (inputs) => Object.assign(inputs.spend, { n_sum_1h_1m: 0n }),
    (inputs) => inputs.spend.n_last_2_1h_1m.pop(),
  ];
  const deep: Value = [[1]];
  const before = structuredClone([usual.features, deep]);
  for (const attempt of attempts) {
    const view = onDemandView("view", {
      request: { deep: { array: { struct: { id: "int64" } } } },
      inputs: { spend },
      output: { out: "boolean" },
      transform: (inputs) => {
        attempt(inputs as unknown as Seen);
        return { out: true };
      },
    });
    expect(run(view, { deep })[0]?.fault?.message).toBe(
      'Cannot run on-demand view "view": its transform threw (TypeError), expected outputs',
    );
  }
  expect([usual.features, deep]).toEqual(before);
});

const right: readonly [name: string, type: DataType, returned: unknown, value: Value][] = [
  ["a bigint", "int64", 5n, 5],
  ["a bigint past 2^53", "int64", 2n ** 63n - 1n, 2n ** 63n - 1n],
  ["a whole number for an int64", "int64", 5, 5],
  ["NaN", "float64", Number.NaN, Number.NaN],
  ["an infinity", "float64", -Infinity, -Infinity],
  ["minus zero, as zero", "float64", -0, 0],
  ["undefined, as null", "float64", undefined, null],
  ["null", "string", null, null],
  ["a timestamp", "timestamp", -1, -1],
  ["a float32, rounded", { array: "float32" }, [0.1, NaN, -0], [Math.fround(0.1), NaN, 0]],
  ["nulls in arrays", { array: "int64" }, [1n, null, undefined], [1, null, null]],
  ["a sparse array, with nulls", { array: "int64" }, [1n, , 3n], [1, null, 3]],
  ["a struct, by position", { struct: { b: "int64", a: "string" } }, { a: "x", b: 1n }, [1, "x"]],
  ["a struct without a field", { struct: { b: "int64", a: "string" } }, { a: "x" }, [null, "x"]],
  ["a map", { map: "int64" }, { x: 1n, y: null }, { x: 1, y: null }],
  [
    "a map without a prototype",
    { map: "int64" },
    Object.assign(Object.create(null), { x: 1n }),
    { x: 1 },
  ],
];

for (const [name, type, returned, value] of right) {
  test(`runOnDemand() takes ${name}`, () => {
    const [answer] = run(returning(type, { out: returned }));
    expect(answer).toEqual({
      value,
      status: "PRESENT",
      effectiveTimeMs: null,
      degraded: null,
      fault: null,
    });
    expect(Object.is(answer?.value, value) || typeof value === "object").toBe(true);
  });
}

const head = 'Cannot run on-demand view "made": its transform returned the wrong thing: ';
const wrong: readonly [name: string, type: DataType, returned: unknown, message: string][] = [
  ["a string for an int64", "int64", { out: "1" }, "it.out is a string, expected a bigint"],
  [
    "a fraction for an int64",
    "int64",
    { out: 1.5 },
    "it.out is a number that is no safe integer, expected a bigint",
  ],
  [
    "an unsafe number for an int64",
    "int64",
    { out: 2 ** 53 },
    "it.out is a number that is no safe integer, expected a bigint",
  ],
  [
    "a bigint past 64 bits",
    "int64",
    { out: 2n ** 63n },
    "it.out is past 64 bits, expected an int64",
  ],
  ["a bigint for a float64", "float64", { out: 1n }, "it.out is a bigint, expected a number"],
  ["a string for a float64", "float64", { out: "1" }, "it.out is a string, expected a number"],
  ["a number for a string", "string", { out: 1 }, "it.out is a number, expected a string"],
  ["a number for a boolean", "boolean", { out: 0 }, "it.out is a number, expected a boolean"],
  [
    "a Date for a timestamp",
    "timestamp",
    { out: new Date(0) },
    "it.out is an object of another kind, expected a number of milliseconds",
  ],
  [
    "a fraction for a timestamp",
    "timestamp",
    { out: 0.5 },
    "it.out is no instant, expected an integer of milliseconds",
  ],
  [
    "a timestamp out of range",
    "timestamp",
    { out: 8.64e15 + 1 },
    "it.out is no instant, expected an integer of milliseconds",
  ],
  [
    "an object for an array",
    { array: "int64" },
    { out: { 0: 1n } },
    "it.out is an object of another kind, expected an array",
  ],
  [
    "a number past the largest float32",
    { array: "float32" },
    { out: [1, 1e39] },
    "it.out[1] is past the largest float32, expected a float32",
  ],
  [
    "a typed array for an array",
    { array: "float32" },
    { out: new Float32Array(2) },
    "it.out is an object of another kind, expected an array",
  ],
  [
    "a thenable",
    "int64",
    { out: 1n, then: () => undefined },
    'it has a field "then" that is not declared',
  ],
  [
    "a wrong element",
    { array: { array: "int64" } },
    { out: [[1n], [1n, true]] },
    "it.out[1][1] is a boolean, expected a bigint",
  ],
  ["an array for a map", { map: "int64" }, { out: [1n] }, "it.out is an array, expected an object"],
  [
    "a Map for a map",
    { map: "int64" },
    { out: new Map([["a", 1n]]) },
    "it.out is an object of another kind, expected an object",
  ],
  [
    "a wrong value in a map",
    { map: "int64" },
    { out: { secret: "x" } },
    "it.out[key] is a string, expected a bigint",
  ],
  [
    "an array for a struct",
    { struct: { a: "int64" } },
    { out: [1n] },
    "it.out is an array, expected an object",
  ],
  [
    "an unknown field of a struct",
    { struct: { a: "int64" } },
    { out: { b: 1n } },
    'it.out has a field "b" that is not declared',
  ],
  [
    "an unknown output",
    "int64",
    { out: 1n, other: 2n },
    'it has a field "other" that is not declared',
  ],
  ["nothing", "int64", undefined, "it is null, expected an object"],
  ["null", "int64", null, "it is null, expected an object"],
  ["a number in the place of outputs", "int64", 7, "it is a number, expected an object"],
  ["an array in the place of outputs", "int64", [1n], "it is an array, expected an object"],
  [
    "a promise",
    "int64",
    Promise.resolve({ out: 1n }),
    "it is a promise, expected an object: transforms are synchronous",
  ],
];

for (const [name, type, returned, message] of wrong) {
  test(`runOnDemand() makes a fault of ${name}`, () => {
    expect(run(returning(type, returned))).toEqual([
      {
        value: null,
        status: "UNKNOWN",
        effectiveTimeMs: null,
        degraded: null,
        fault: { code: "TRANSFORM_FAILED", message: head + message },
      },
    ]);
  });
}

test("runOnDemand() makes a fault of an async transform that rejects, and lets nothing escape", async () => {
  const view = onDemandView("made", {
    output: { out: "int64" },
    transform: (() => Promise.reject(new Error("late"))) as never,
  });
  expect(run(view)[0]?.status).toBe("UNKNOWN");
  await new Promise((resolve) => setImmediate(resolve));
});

test("runOnDemand() keeps a fault to its view, on all of that view's features", () => {
  const reported: unknown[] = [];
  const failure = new RangeError("user 12 has 7");
  const failing = onDemandView("failing", {
    output: { a: "int64", b: "int64" },
    transform: () => {
      throw failure;
    },
  });
  const working = onDemandView("working", {
    output: { a: "int64" },
    transform: () => ({ a: 1n }),
  });
  const throwing = onDemandView("throwing", {
    output: { a: "int64" },
    transform: () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- users may
      throw "text";
    },
  });
  const answers = runOnDemand([failing, throwing, working], {
    requestValues: new Map(),
    answers: [],
    nowMs,
    report: (error) => reported.push(error),
  });
  expect(answers.map(({ view }) => view.name)).toEqual(["failing", "throwing", "working"]);
  expect(answers.map(({ features }) => features.map(({ status }) => status))).toEqual([
    ["UNKNOWN", "UNKNOWN"],
    ["UNKNOWN"],
    ["PRESENT"],
  ]);
  expect(JSON.stringify(answers[0]?.features)).not.toContain("user 12");
  expect(reported).toEqual([failure, "text"]);
});

test("runOnDemand() gives no answer made of a value that could not be read", () => {
  const fault = { code: "OVERFLOW", message: "The sum is past int64" } as const;
  const overflow: FeatureAnswer = { ...present(null), status: "UNKNOWN", fault };
  const late: FeatureAnswer = { ...present(null), status: "TIME_OUT" };
  const answer = spendAnswer(present([]), overflow, late);
  const reading = (name: "n_last_2_1h_1m" | "n_sum_1h_1m" | "x_sum_1h_1m") =>
    onDemandView("view", {
      inputs: { spend },
      output: { out: "boolean" },
      transform: ({ spend: features }) => ({ out: (features[name] ?? 0) === 0 }),
    });
  const nothing = { value: null, effectiveTimeMs: null, degraded: null };
  expect(run(reading("n_sum_1h_1m"), {}, [answer])).toEqual([
    { ...nothing, status: "UNKNOWN", fault },
  ]);
  expect(run(reading("x_sum_1h_1m"), {}, [answer])).toEqual([
    { ...nothing, status: "TIME_OUT", fault: null },
  ]);
  // One that was not looked at is no reason to withhold the answer.
  expect(run(reading("n_last_2_1h_1m"), {}, [answer])[0]).toMatchObject({ status: "PRESENT" });
});

test("runOnDemand() reads missing data as the empty values it is", () => {
  const missing = (value: Value): FeatureAnswer => ({ ...present(value), status: "MISSING_DATA" });
  const view = onDemandView("view", {
    inputs: { spend },
    output: { out: "int64" },
    transform: ({ spend: features }) => ({ out: BigInt(features.n_last_2_1h_1m.length) }),
  });
  const answers = [spendAnswer(missing([]), missing(null), missing(null))];
  expect(run(view, {}, answers)).toEqual([{ ...present(0), effectiveTimeMs: null }]);
});

test("runOnDemand() passes on the first degraded feature that a transform read", () => {
  const first = { startMs: nowMs - 3_700_000, endMs: nowMs };
  const second = { startMs: nowMs - 3_800_000, endMs: nowMs };
  const answer = spendAnswer(
    present([]),
    { ...present(7), degraded: first },
    { ...present(1.5), degraded: second },
  );
  type Name = "n_last_2_1h_1m" | "n_sum_1h_1m" | "x_sum_1h_1m";
  const reading = (...names: readonly Name[]) =>
    onDemandView("view", {
      inputs: { spend },
      output: { a: "boolean", b: "boolean" },
      transform: ({ spend: features }) => {
        const read = names.map((name) => features[name]);
        return { a: read.includes(7n), b: read.includes(1.5) };
      },
    });
  const outcome = (...names: readonly Name[]) =>
    run(reading(...names), {}, [answer]).map(({ value, degraded }) => [value, degraded]);
  expect(outcome("n_last_2_1h_1m")).toEqual([
    [false, null],
    [false, null],
  ]);
  expect(outcome("n_sum_1h_1m", "x_sum_1h_1m")).toEqual([
    [true, first],
    [true, first],
  ]);
  expect(outcome("x_sum_1h_1m", "n_sum_1h_1m")).toEqual([
    [true, second],
    [true, second],
  ]);
});
