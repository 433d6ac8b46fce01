import { expect, test } from "vitest";
import { judgeAnswer } from "../../scripts/fuzz/judge-answer.ts";
import { runFuzz } from "../../scripts/fuzz/run-fuzz.ts";
import { repository } from "./features.ts";

test("the app answers mutated requests as documented, never with a 5xx", async () => {
  const seed = 1;
  const { counts, faults, longest } = await runFuzz({ repository, seed, count: 3_000 });
  expect(faults, `seed ${seed}`).toEqual([]);
  // Mutations that all fail alike, or none at all, would show nothing.
  expect(counts.get(200)).toBeGreaterThan(500);
  expect(counts.get(400)).toBeGreaterThan(500);
  expect(counts.get(404)).toBeGreaterThan(20);
  expect(longest.cpuMs).toBeGreaterThan(0);
});

test.each([
  [500, '{"error":"x","code":13,"message":"x"}', "it is a 500"],
  [400, "<html>", "its body is no JSON"],
  [400, '{"message":"x"}', "its body is none of a 400"],
  [400, '{"error":"y","code":3,"message":"x"}', "its body is none of a 400"],
  [200, '{"result":{"features":[],"more":1}}', "its body is none of the route's"],
  [200, "[]", "its body is no object"],
])("the fuzz run would see an answer %d %s", (status, text, what) => {
  expect(judgeAnswer("get-features", status, text)).toContain(what);
});
