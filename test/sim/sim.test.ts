/** The simulation over many seeds, and that it can be trusted: same seed, same run; faults are seen. */

import { expect, test } from "vitest";
import { checkTrace } from "./check-trace.ts";
import { addCountsInto, emptyCounts } from "./counts.ts";
import { profileNames } from "./profile.ts";
import { runSeed } from "./run-seed.ts";

/** With all other tests beside it the machine is a fraction of itself. */
const timeoutMs = 300_000;

test(
  "no answer of 2,000 seeds counts an event twice or leaves one out",
  async () => {
    const total = emptyCounts();
    for (let seed = 1; seed <= 2_000; seed++) {
      const { failures, counts, profile } = await runSeed(seed);
      expect(failures, `seed ${seed}, profile ${profile}`).toEqual([]);
      addCountsInto(total, counts);
    }
    // What a run does not meet it cannot judge.
    expect(total.reads).toBeGreaterThan(200_000);
    for (const kind of ["gaps", "corrupt", "degraded", "unavailable", "retries"] as const) {
      expect(total[kind], kind).toBeGreaterThan(0);
    }
    expect(total.faults).toBeGreaterThan(5_000);
    expect(total.crashes).toBeGreaterThan(500);
    expect(total.rollbacks).toBeGreaterThan(100);
    expect(total.epochsMax).toBeGreaterThan(1);
  },
  timeoutMs,
);

test.each(profileNames)("the same seed is the same run: profile %s", async (profile) => {
  const traces: string[][] = [];
  const results = [];
  for (let i = 0; i < 2; i++) {
    const lines: string[] = [];
    results.push(await runSeed(77, { profile, onTrace: (line) => lines.push(line) }));
    traces.push(lines);
  }
  const [first, second] = results;
  expect(first?.hash).toBe(second?.hash);
  expect(first?.steps).toBe(second?.steps);
  expect(traces[0]).toEqual(traces[1]);
});

test("another seed is another run", async () => {
  const hashes = new Set<number>();
  for (let seed = 1; seed <= 50; seed++) hashes.add((await runSeed(seed)).hash);
  expect(hashes.size).toBe(50);
});

test("keeping what happened as text does not change what happens", async () => {
  const plain = await runSeed(5, { profile: "all" });
  const traced = await runSeed(5, { profile: "all", isTraced: true });
  expect(traced.hash).toBe(plain.hash);
  expect(traced.lines.length).toBeGreaterThan(500);
});

test(
  "the traces of 300 seeds hold for a program that knows nothing but the trace",
  async () => {
    const lines: string[] = [];
    for (let seed = 1; seed <= 300; seed++) {
      await runSeed(seed, { onTrace: (line) => lines.push(line) });
    }
    const check = checkTrace(lines);
    expect(check.violations).toEqual([]);
    expect(check.seeds).toBe(300);
    expect(check.reads).toBeGreaterThan(2_000);
    expect(check.acks).toBeGreaterThan(5_000);
  },
  timeoutMs,
);

const ack = { seed: 1, t: 10, kind: "ack", region: 0, entity: "a", eventTs: 5, visibleFrom: 20 };
const read = { seed: 1, t: 30, kind: "read", region: 1, entity: "a", at: 29, status: "PRESENT" };

test.each([
  [
    "all of it",
    [
      { ...ack, id: "x" },
      { ...read, ids: ["x"] },
    ],
    [],
  ],
  ["one twice", [{ ...read, ids: ["x", "x"] }], ["x counts twice"]],
  [
    "one lost",
    [
      { ...ack, id: "x" },
      { ...read, ids: [] },
    ],
    ["x is lost"],
  ],
  [
    "none for an entity",
    [
      { ...ack, id: "x" },
      { ...read, ids: [], status: "MISSING_DATA" },
    ],
    ["x is lost"],
  ],
  [
    "not due yet",
    [
      { ...ack, id: "x", visibleFrom: 31 },
      { ...read, ids: [] },
    ],
    [],
  ],
  [
    "at the edge",
    [
      { ...ack, id: "x", eventTs: 29 },
      { ...read, ids: [] },
    ],
    [],
  ],
  [
    "before the edge",
    [
      { ...ack, id: "x", eventTs: 28 },
      { ...read, ids: [] },
    ],
    ["x is lost"],
  ],
  [
    "corrected",
    [
      { ...ack, id: "x" },
      { ...ack, kind: "heal", id: "x" },
      { ...read, ids: [] },
    ],
    [],
  ],
  [
    "deleted",
    [
      { ...ack, id: "x" },
      { ...ack, kind: "delete" },
      { ...read, ids: [] },
    ],
    [],
  ],
  [
    "no number",
    [
      { ...ack, id: "x" },
      { ...read, ids: [], status: "UNKNOWN" },
    ],
    [],
  ],
  [
    "of another seed",
    [
      { ...ack, id: "x" },
      { ...read, seed: 2, ids: [] },
    ],
    [],
  ],
])("checkTrace() judges an answer with %s", (_, lines, expected) => {
  const { violations } = checkTrace(lines.map((line) => JSON.stringify(line)));
  expect(violations.map((text) => text.replace(/^.*: /, ""))).toEqual(expected);
});

test("checkTrace() refuses a trace that goes back in time", () => {
  const lines = [read, { ...ack, id: "x" }].map((line) => JSON.stringify({ ids: [], ...line }));
  expect(() => checkTrace(lines)).toThrow("Cannot check a trace");
});
