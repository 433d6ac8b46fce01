/** The simulation as a command: runs seeds, prints what they came to, fails with the first that fails. */

import { createWriteStream } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { addCountsInto, countFailures, emptyCounts } from "./counts.ts";
import type { Failure } from "./check-answer.ts";
import { profileNames } from "./profile.ts";
import type { ProfileName } from "./profile.ts";
import { runSeed } from "./run-seed.ts";
import type { SeedResult } from "./run-seed.ts";

interface SimOptions {
  readonly seeds: number;
  readonly from: number;
  readonly trace?: string;
  readonly profile?: ProfileName;
  readonly lines: number;
}

const reportedSeedsMax = 5;

const command = new Command("sim")
  .description("Simulates the system from seeds, with faults between any two of its steps")
  .option("--seeds <count>", "how many seeds", readCount, 1_000)
  .option("--from <seed>", "the first of them", readCount, 1)
  .option("--trace <file>", "writes what was acknowledged and read, as JSON lines")
  .option(
    "--lines <count>",
    "how many lines of its own trace a failing seed prints",
    readCount,
    200,
  )
  .addOption(new Option("--profile <name>", "what goes wrong").choices([...profileNames]))
  .action(async (options: SimOptions) => {
    process.exitCode = await simulate(options);
  });
await command.parseAsync();

async function simulate(options: SimOptions): Promise<number> {
  const file = options.trace === undefined ? null : createWriteStream(options.trace);
  const total = emptyCounts();
  const failures: Failure[] = [];
  const failed: number[] = [];
  const startedNs = process.hrtime.bigint();
  for (let seed = options.from; seed < options.from + options.seeds; seed++) {
    const profile = options.profile ?? null;
    const traced = file === null ? {} : { onTrace: (line: string) => file.write(`${line}\n`) };
    const result = await runSeed(seed, { profile, ...traced });
    addCountsInto(total, result.counts);
    failures.push(...result.failures);
    if (result.failures.length === 0) continue;
    failed.push(seed);
    if (failed.length <= reportedSeedsMax) print(report(await again(seed, profile), options.lines));
  }
  if (file !== null) await new Promise<void>((resolve) => file.end(resolve));
  const seconds = Number(process.hrtime.bigint() - startedNs) / 1e9;
  const kinds = countFailures(failures);
  print(
    `seeds ${total.seeds}, reads ${total.reads}, double counts ${kinds.double}, holes ${kinds.hole}, ` +
      `wrong values marked PRESENT ${kinds.double + kinds.hole + kinds.phantom + kinds.wrong}, ` +
      `gaps ${total.gaps}, seeds/s ${(total.seeds / seconds).toFixed(0)}\n` +
      `failures ${JSON.stringify(kinds)}\ncounts ${JSON.stringify(total)}\n` +
      (failed.length === 0 ? "" : `failing seeds ${failed.slice(0, 50).join(" ")}\n`),
  );
  return failed.length === 0 ? 0 : 1;
}

/** The same run, with its trace: it costs too much to keep one for every seed. */
function again(seed: number, profile: ProfileName | null): Promise<SeedResult> {
  return runSeed(seed, { profile, isTraced: true });
}

function report({ seed, profile, failures, lines }: SeedResult, linesMax: number): string {
  const shown = failures
    .slice(0, 5)
    .map(
      ({ kind, atMs, what, expected, found }) =>
        `seed ${seed}, profile ${profile}: ${kind} at ${atMs}: ${what}\n` +
        `  expected ${JSON.stringify(expected)}\n  found    ${JSON.stringify(found)}\n`,
    );
  const trace = lines.slice(-linesMax).map((line) => `    ${line}\n`);
  return `${shown.join("")}${trace.join("")}  replay: npm run sim -- --seeds 1 --from ${seed}\n`;
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new InvalidArgumentError("expected a whole number");
}

function print(text: string): void {
  process.stdout.write(text);
}
