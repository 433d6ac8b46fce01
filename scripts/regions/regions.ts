/**
 * Three regions under load, one of them cut off for a minute: `npm run regions -- [--cut SECONDS]`.
 * Prints what each answered, and exits with 1 where anything was wrong.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runRegions } from "./run-regions.ts";

const { values: options } = parseArgs({ options: { cut: { type: "string", default: "60" } } });
const cutMs = Number(options.cut) * 1_000;
if (!(cutMs > 0)) {
  console.error("Usage: npm run regions -- [--cut SECONDS]");
  process.exit(2);
}
const directory = await mkdtemp(join(tmpdir(), "tilemark-regions-"));
try {
  const report = await runRegions({ directory, cutMs, onPhase: (phase) => console.log(phase) });
  console.table(report.regions);
  console.log(
    `${report.eventCount} events, ${report.compactions} compactions, caught up ${report.caughtUpMs} ms after healing`,
  );
  const isWrong = report.regions.some(({ failed, wrong }) => failed > 0 || wrong > 0);
  if (isWrong || report.caughtUpMs === null) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true, force: true });
}
