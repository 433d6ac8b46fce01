import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import type { DataType, Value } from "../../src/core/value.ts";
import type { OnDemandViewDefinition } from "../../src/define/definition.ts";
import { entity, onDemandView, service, streamSource, streamView, sum } from "../../src/index.ts";
import type { OnDemandView } from "../../src/index.ts";
import { runOnDemand } from "../../src/serve/run-on-demand.ts";
import type { OnDemandInputs } from "../../src/serve/run-on-demand.ts";
import type { FeatureAnswer, ViewAnswer } from "../../src/serve/view-answer.ts";
import { forSeeds } from "../builders/random.ts";

const nowMs = 1_700_000_000_000;

/** For inputs whose names are made up as a test runs. */
const untyped = onDemandView as unknown as (name: string, config: unknown) => OnDemandView;
const spend = streamView("spend", {
  entities: [entity("user", { user_id: "string" })],
  source: streamSource("events", {
    timestamp: "ts",
    columns: { user_id: "string", n: "int64" },
  }),
  windowing: "sliding",
  interval: "1m",
  features: { n: [sum("1h")] },
  compaction: { every: "1d" },
});

function spendAnswer(fields: Partial<FeatureAnswer> = {}): ViewAnswer {
  const answer = {
    value: 7,
    status: "PRESENT",
    effectiveTimeMs: nowMs,
    degraded: null,
    fault: null,
  };
  return {
    view: spend,
    features: [{ ...answer, ...fields } as FeatureAnswer],
    waitingCount: null,
    seen: null,
    staleness: null,
  };
}

/** `first` doubles the sum, `second` reads `first` alone, `aside` none of them, `last` all. */
const first = onDemandView("first", {
  inputs: { spend },
  output: { doubled: "int64", parts: { array: "float32" } },
  transform: ({ spend: { n_sum_1h_1m: n } }) => ({
    doubled: n === null ? null : n * 2n,
    parts: [0.5, null],
  }),
});
const second = onDemandView("second", {
  request: { step: "int64" },
  inputs: { first },
  output: { sum: "int64", found: { struct: { part: "float64", text: "string" } } },
  transform: ({ request, first: { doubled, parts } }) => ({
    sum: doubled === null ? null : doubled + request.step,
    found: { part: parts?.[0] ?? null, text: null },
  }),
});
const aside = onDemandView("aside", { output: { one: "int64" }, transform: () => ({ one: 1n }) });
const last = onDemandView("last", {
  inputs: { aside, first, second },
  output: { all: "string" },
  transform: ({ aside: { one }, second: { sum: total, found } }) => ({
    all: `${one} ${total} ${found?.part}`,
  }),
});
const chain = service("chain", [last]);

function run(
  views: readonly OnDemandViewDefinition[],
  inputs: Partial<OnDemandInputs> = {},
): ReadonlyMap<string, readonly FeatureAnswer[]> {
  const defaults = { requestValues: new Map([["step", 3]]), answers: [spendAnswer()], nowMs };
  const answers = runOnDemand(views, { ...defaults, ...inputs });
  return new Map(answers.map(({ view, features }) => [view.name, features]));
}

function valuesOf(answers: ReturnType<typeof run>, name: string): readonly Value[] | undefined {
  return answers.get(name)?.map(({ value }) => value);
}

test("runOnDemand() gives a view the outputs of another, of their declared types", () => {
  expect(chain.onDemandViews.map(({ name }) => name)).toEqual(["aside", "first", "second", "last"]);
  const answers = run(chain.onDemandViews);
  expect(valuesOf(answers, "first")).toEqual([14, [0.5, null]]);
  expect(valuesOf(answers, "second")).toEqual([17, [0.5, null]]);
  expect(valuesOf(answers, "last")).toEqual(["1 17 0.5"]);
});

test("runOnDemand() passes on along a chain what is degraded, and how old it is", () => {
  const degraded = { startMs: nowMs - 4_000_000, endMs: nowMs };
  const staleness = { asOfMs: nowMs - 9_000, reason: "A cache held it" };
  const answers = [{ ...spendAnswer({ degraded }), staleness }];
  const found = runOnDemand(chain.onDemandViews, {
    requestValues: new Map([["step", 3]]),
    answers,
    nowMs,
  });
  const facts = found.map((answer) => {
    return [answer.view.name, answer.features[0]?.degraded ?? null, answer.staleness];
  });
  expect(facts).toEqual([
    ["aside", null, null],
    ["first", degraded, staleness],
    ["second", degraded, staleness],
    ["last", degraded, staleness],
  ]);
});

const unreadable: readonly Partial<FeatureAnswer>[] = [
  { value: null, status: "TIME_OUT", fault: { code: "TIME_OUT", message: "Late" } },
  { value: null, status: "UNKNOWN", fault: { code: "GAP", message: "Gone" } },
];

test.each(unreadable)("runOnDemand() answers no more than what it looked at, %o", (fields) => {
  const answers = run(chain.onDemandViews, { answers: [spendAnswer(fields)] });
  for (const name of ["first", "second", "last"]) {
    for (const answer of answers.get(name) ?? []) expect(answer).toMatchObject(fields);
  }
  expect(valuesOf(answers, "aside")).toEqual([1]);
});

test("runOnDemand() keeps a failure from those that do not look at its outputs", () => {
  const failing = onDemandView("failing", {
    output: { a: "int64" },
    transform: () => {
      throw new RangeError("no");
    },
  });
  const looking = onDemandView("looking", {
    inputs: { failing },
    output: { b: "boolean" },
    transform: ({ failing: { a } }) => ({ b: a === null }),
  });
  const passing = onDemandView("passing", {
    inputs: { failing },
    output: { b: "boolean" },
    transform: () => ({ b: true }),
  });
  const answers = run(service("s", [looking, passing]).onDemandViews);
  const message =
    'Cannot run on-demand view "failing": its transform threw (RangeError), expected outputs';
  const fault = { code: "TRANSFORM_FAILED", message };
  expect(answers.get("looking")).toEqual([
    { value: null, status: "UNKNOWN", effectiveTimeMs: null, degraded: null, fault },
  ]);
  expect(valuesOf(answers, "passing")).toEqual([true]);
});

test("runOnDemand() runs graphs of any shape in an order that serves every input", () => {
  forSeeds(60, (random) => {
    const views: OnDemandView[] = [];
    for (let i = 0; i < 12; i++) {
      const inputs = random.shuffled(views.filter(({ depth }) => depth < limits.onDemandDepthMax));
      const read = Object.fromEntries(inputs.slice(0, 3).map((view) => [view.name, view]));
      views.push(
        untyped(`v${random.integer(0, 1_000_000)}`, {
          inputs: read,
          output: { paths: "int64" },
          transform: (values: Readonly<Record<string, unknown>>) => ({
            paths: Object.keys(read).reduce(
              (paths, name) => paths + (values[name] as { paths: bigint }).paths,
              1n,
            ),
          }),
        }),
      );
    }
    const [top] = random.shuffled(views);
    if (top === undefined) return;
    const pathsTo = (view: OnDemandViewDefinition): number =>
      Object.values(view.inputs).reduce(
        (paths, input) => paths + pathsTo(input as OnDemandViewDefinition),
        1,
      );
    const answers = run(service("s", [top]).onDemandViews, { answers: [] });
    expect(valuesOf(answers, top.name)).toEqual([pathsTo(top)]);
  });
});

function returning(type: DataType, out: unknown): OnDemandViewDefinition {
  return onDemandView("made", { output: { out: type }, transform: () => ({ out }) as never });
}

const most = limits.outputBytesMax;
const sizes: readonly [name: string, type: DataType, most: unknown, more: unknown][] = [
  ["text", "string", "x".repeat(most), "x".repeat(most + 1)],
  ["text of three bytes a letter", "string", "€".repeat(most / 3), "€".repeat(most / 3 + 1)],
  ["int64s", { array: "int64" }, new Array(most / 8).fill(1n), new Array(most / 8 + 1).fill(1n)],
  ["float32s", { array: "float32" }, new Array(most / 4).fill(1), new Array(most / 4 + 1).fill(1)],
  ["nulls", { array: "int64" }, new Array(most), new Array(most + 1)],
  [
    "names in a map",
    { map: "boolean" },
    { ["k".repeat(most - 1)]: true },
    { ["k".repeat(most)]: true },
  ],
  ["an array without end", { array: "int64" }, [], new Array(2 ** 32 - 1)],
];

test.each(sizes)("runOnDemand() bounds the bytes of an output: %s", (...given) => {
  const [, type, right, wrong] = given;
  expect(run([returning(type, right)]).get("made")?.[0]?.status).toBe("PRESENT");
  expect(run([returning(type, wrong)]).get("made")?.[0]?.fault?.message).toBe(
    `Cannot run on-demand view "made": its transform returned the wrong thing: it comes to more than ${most} bytes, expected at most that many`,
  );
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
const cyclicList: unknown[] = [];
cyclicList.push(cyclicList);
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const lyingList = new Proxy<unknown[]>([], {
  get: (target, key) => (key === "length" ? -5 : Reflect.get(target, key)),
});
const endlessList = Object.assign([], {
  [Symbol.iterator]: function* () {
    for (;;) yield 1n;
  },
});

const strange: readonly [name: string, type: DataType, out: unknown, status: string][] = [
  ["a cyclic object", { struct: { self: { struct: { self: "int64" } } } }, cyclic, "UNKNOWN"],
  ["a cyclic map", { map: { map: { map: "string" } } }, cyclic, "UNKNOWN"],
  ["a cyclic array", { array: { array: { array: "int64" } } }, cyclicList, "UNKNOWN"],
  ["a revoked proxy", { struct: { a: "int64" } }, revoked, "UNKNOWN"],
  ["an array whose length lies", { array: "int64" }, lyingList, "PRESENT"],
  ["an array that iterates without end", { array: "int64" }, endlessList, "PRESENT"],
  [
    "a getter",
    { struct: { a: "int64" } },
    {
      get a() {
        return 1n;
      },
    },
    "PRESENT",
  ],
  [
    "a getter that throws",
    { struct: { a: "int64" } },
    {
      get a(): never {
        throw new Error("secret");
      },
    },
    "UNKNOWN",
  ],
  ["a key named __proto__", { map: "int64" }, JSON.parse('{"__proto__":1}'), "PRESENT"],
];

test.each(strange)("runOnDemand() comes to no harm by %s", (...given) => {
  const [, type, out, status] = given;
  const [answer] = run([returning(type, out)]).get("made") ?? [];
  expect(answer?.status).toBe(status);
  expect(JSON.stringify(answer?.fault)).not.toContain("secret");
});

class PaymentError extends Error {}
class Unnamed extends Error {
  static override get name(): string {
    throw new Error("secret");
  }
}

const unseeable = "its transform threw something that throws when it is looked at";

const thrown: readonly [name: string, error: unknown, reason: string][] = [
  ["an error", new PaymentError("secret"), "its transform threw (PaymentError), expected outputs"],
  ["an error whose class throws", new Unnamed(), unseeable],
  ["text", "secret", "its transform threw (string), expected outputs"],
  ["null", null, "its transform threw (object), expected outputs"],
  ["undefined", undefined, "its transform threw (undefined), expected outputs"],
  ["an object", { secret: 1 }, "its transform threw (object), expected outputs"],
  ["a revoked proxy", revoked, unseeable],
];

test.each(thrown)(
  "runOnDemand() comes to no harm by a transform that throws %s",
  (_, error, reason) => {
    const reported: unknown[] = [];
    const failing = onDemandView("failing", {
      output: { a: "int64" },
      transform: () => {
        throw error;
      },
    });
    const [answer] = run([failing], { report: (each) => reported.push(each) }).get("failing") ?? [];
    expect(answer?.fault?.message).toBe(`Cannot run on-demand view "failing": ${reason}`);
    const told = reason === unseeable ? `FeatureError: Cannot tell an error: ${reason}` : error;
    expect(reported.map((each) => (reason === unseeable ? String(each) : each))).toEqual([told]);
  },
);

test("runOnDemand() begins no transform once their time is over, and tells of one that took it", () => {
  let atMs = nowMs;
  const ran: string[] = [];
  const taking = (name: string, durationMs: number, inputs: Record<string, OnDemandView> = {}) =>
    untyped(name, {
      inputs,
      output: { a: "int64" },
      transform: () => {
        ran.push(name);
        atMs += durationMs;
        return { a: 1n };
      },
    });
  const views = [taking("a", 1), taking("b", limits.transformMsMax + 1), taking("c", 1)];
  const reported: unknown[] = [];
  const timer = { now: () => atMs, untilMs: nowMs + limits.transformMsMax };
  const answers = run(views, { timer, report: (error) => reported.push(error) });
  expect(ran).toEqual(["a", "b"]);
  expect([...answers].map(([name, [answer]]) => [name, answer?.value, answer?.status])).toEqual([
    ["a", 1, "PRESENT"],
    // It is right, if late: what it held up is what does not answer.
    ["b", 1, "PRESENT"],
    ["c", null, "TIME_OUT"],
  ]);
  expect(answers.get("c")?.[0]?.fault?.message).toBe(
    'Cannot run on-demand view "c": the time for it is over',
  );
  const message = `FeatureError: Cannot run on-demand view "b" in time: it took ${limits.transformMsMax + 1} ms, expected at most ${limits.transformMsMax}`;
  expect(reported.map(String)).toEqual([message]);
});
