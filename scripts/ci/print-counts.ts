#!/usr/bin/env node
/**
 * Prints `N passed, N failed` for a vitest report and exits with 1 if anything failed.
 *
 *   node scripts/ci/print-counts.ts <report.json> <checks' exit code> <tests' exit code>
 *
 * Checks that failed (formatting, lint, types) count as one failure.
 */

import { readFileSync } from "node:fs";
import { countTests } from "./test-counts.ts";
import type { TestReport } from "./test-counts.ts";

const [reportPath, checksExitCode, testsExitCode] = process.argv.slice(2);
if (reportPath === undefined || checksExitCode === undefined || testsExitCode === undefined) {
  throw new TypeError("Cannot count tests: it takes a report and two exit codes");
}
const report = JSON.parse(readFileSync(reportPath, "utf8")) as TestReport;
const counts = countTests(report, testsExitCode === "0");
const failed = counts.failed + (checksExitCode === "0" ? 0 : 1);
console.log(`${counts.passed} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;
