import { expect, test } from "vitest";
import { countTests } from "../../scripts/ci/test-counts.ts";
import type { TestFileResult } from "../../scripts/ci/test-counts.ts";

const green = file("passed", ["passed", "passed", "skipped"]);
const red = file("failed", ["passed", "failed", "failed"]);
const broken = file("failed", []);

test("countTests() counts tests, not files, and leaves out skipped ones", () => {
  const report = { success: false, testResults: [green, red] };
  expect(countTests(report, false)).toEqual({ passed: 3, failed: 2 });
});

test("countTests() counts a file that could not be loaded as a failure", () => {
  const report = { success: false, testResults: [green, broken] };
  expect(countTests(report, false)).toEqual({ passed: 2, failed: 1 });
});

test("countTests() reports no failure where there was none", () => {
  const report = { success: true, testResults: [green] };
  expect(countTests(report, true)).toEqual({ passed: 2, failed: 0 });
});

test("countTests() counts a failure outside any test", () => {
  const testResults = [green];
  expect(countTests({ success: true, testResults }, false)).toEqual({ passed: 2, failed: 1 });
  expect(countTests({ success: false, testResults }, true)).toEqual({ passed: 2, failed: 1 });
});

test("countTests() takes a run without tests for a failure", () => {
  expect(countTests({ success: false, testResults: [] }, false)).toEqual({ passed: 0, failed: 1 });
});

function file(status: string, statuses: readonly string[]): TestFileResult {
  return { status, assertionResults: statuses.map((each) => ({ status: each })) };
}
