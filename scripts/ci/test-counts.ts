/** How many tests passed and failed, from the JSON report of a vitest run. */

/** The part of vitest's JSON report that is read here. */
export interface TestReport {
  /** False also when something failed outside any test. */
  readonly success: boolean;
  readonly testResults: readonly TestFileResult[];
}

export interface TestFileResult {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Counts what a report says. A file that could not be loaded has no tests in the report and counts
 * as one failure; so does a run that failed although all of its tests passed.
 *
 * @param runSucceeded whether the command that wrote the report exited with 0
 */
export function countTests(report: TestReport, runSucceeded: boolean): TestCounts {
  let passed = 0;
  let failed = 0;
  for (const file of report.testResults) {
    const failedInFile = countStatus(file, "failed");
    passed += countStatus(file, "passed");
    failed += file.status === "failed" ? Math.max(1, failedInFile) : failedInFile;
  }
  const failedElsewhere = failed === 0 && (!report.success || !runSucceeded);
  return { passed, failed: failedElsewhere ? 1 : failed };
}

function countStatus(file: TestFileResult, status: string): number {
  return file.assertionResults.filter((result) => result.status === status).length;
}
