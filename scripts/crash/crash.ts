/**
 * Kills a server after each store operation of an ingest and of a compaction, a run each, and checks
 * its promises after the restart.
 *
 *   npm run crash                                              the first 200 operations of both
 *   npm run crash -- --of compaction --from 57 --points 1      one of them
 *
 * Prints what is wrong and how to repeat it, and exits with 1 if anything is.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CrashRuns } from "./crash-runs.ts";
import type { CrashPoint, CrashReport } from "./crash-runs.ts";
import { faultKinds, faultText } from "./faults.ts";
import { brackets } from "./play-brackets.ts";
import type { BracketName } from "./play-brackets.ts";

const faultsPrintedMax = 5;
const pointsPerLine = 20;

const { values: options } = parseArgs({
  options: {
    points: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    of: { type: "string" },
  },
});
const names = (Object.keys(brackets) as BracketName[]).filter(
  (name) => options.of === undefined || options.of === name,
);
const first = Number(options.from);
const pointCount = Number(options.points);
if (names.length === 0 || !isCount(first) || !isCount(pointCount)) {
  console.error("Usage: npm run crash -- [--points N] [--from M] [--of ingest|compaction]");
  process.exit(2);
}
const directory = await mkdtemp(join(tmpdir(), "tilemark-crash-"));
try {
  const runs = await CrashRuns.prepare(directory);
  const reports = await runPoints(runs, listPoints(runs));
  const unmet = reports.filter(({ stopped, faults }) => stopped === null && faults.length === 0);
  if (unmet.length > 0) console.log(`${unmet.length} were over before their operation`);
  const counts = faultKinds.map((kind) => `${countFaults(reports, kind)} ${kind}`);
  console.log(`${reports.length} points, ${counts.join(", ")}`);
  if (reports.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

function listPoints({ operations }: CrashRuns): CrashPoint[] {
  return names.flatMap((bracket) => {
    const { length } = operations[bracket];
    const last = Math.min(length, first + pointCount - 1);
    console.log(`${bracket}: ${length} store operations, runs ${first} to ${last}`);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => ({
      bracket,
      operation: first + i,
    }));
  });
}

async function runPoints(
  runs: CrashRuns,
  points: readonly CrashPoint[],
): Promise<readonly CrashReport[]> {
  const startedMs = performance.now();
  let doneCount = 0;
  const reports = await runs.run(points, (report) => {
    doneCount += 1;
    if (report.faults.length > 0) printFaults(report);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    showProgress(`${doneCount} of ${points.length} points, ${seconds} s`, doneCount);
  });
  clearProgress();
  return reports;
}

function printFaults({ bracket, operation, stopped, faults }: CrashReport): void {
  clearProgress();
  console.log(`${bracket} ${operation}: ${stopped ?? "over before that operation"}`);
  for (const fault of faults.slice(0, faultsPrintedMax)) console.log(`  ${faultText(fault)}`);
  const more = faults.length - faultsPrintedMax;
  if (more > 0) console.log(`  and ${more} more`);
  console.log(`  npm run crash -- --of ${bracket} --from ${operation} --points 1`);
}

function countFaults(reports: readonly CrashReport[], kind: string): number {
  return reports.flatMap(({ faults }) => faults).filter((fault) => fault.kind === kind).length;
}

/** A line that rewrites itself on a terminal; elsewhere a line every so many points. */
function showProgress(text: string, doneCount: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
  else if (doneCount % pointsPerLine === 0) console.log(text);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
}
