/** Runs every mutant until the simulation sees it, and says how many seeds that took. */

import { Worker } from "node:worker_threads";
import { Command, InvalidArgumentError } from "commander";
import type { MutantReport, MutantTask } from "./mutant-worker.ts";
import { mutants } from "./mutants.ts";

interface MutantOptions {
  readonly seedsMax: number;
  readonly only?: string;
  readonly soundCheck: boolean;
}

/** What is seen of a mutant is the mutant's only where the source as it is has nothing to see. */
const soundSeeds = 150;

/** Far longer than a mutant takes: one that hangs is stopped, and is a failure. */
const hangMs = 120_000;

const command = new Command("run-mutants")
  .description("Breaks the protocol on purpose and sees that the simulation notices")
  .option("--seeds-max <count>", "how many seeds a mutant may survive", readCount, 3_000)
  .option("--only <name>", "one mutant alone")
  .option("--no-sound-check", "leave the source as it is to another run of as many seeds")
  .action(async (options: MutantOptions) => {
    process.exitCode = await runMutants(options);
  });
await command.parseAsync();

async function runMutants({ seedsMax, only, soundCheck }: MutantOptions): Promise<number> {
  const chosen = mutants.filter(({ name }) => only === undefined || name === only);
  const killedAt: number[] = [];
  const survivors: string[] = [];
  const sound = await runMutant({ name: null, seedsMax: soundSeeds });
  if (sound.seed !== null) {
    print(`the source as it is fails: seed ${sound.seed}, ${sound.failure}\n`);
    return 1;
  }
  for (const { name } of chosen) {
    const { seed, failure } = await runMutant({ name, seedsMax });
    if (seed === null) survivors.push(name);
    else killedAt.push(seed);
    print(
      `${name.padEnd(30)} ${seed === null ? "SURVIVES" : `seed ${seed}`}  ${failure.slice(0, 110)}\n`,
    );
  }
  const last = Math.max(0, ...killedAt);
  if (soundCheck && last > soundSeeds) {
    const whole = await runMutant({ name: null, seedsMax: last });
    if (whole.seed !== null) survivors.push(`(the source as it is fails at seed ${whole.seed})`);
  }
  killedAt.sort((a, b) => a - b);
  const median = killedAt[Math.floor(killedAt.length / 2)] ?? 0;
  print(`mutants ${chosen.length}, killed ${killedAt.length}, median seeds ${median}\n`);
  if (survivors.length > 0) print(`survivors ${survivors.join(" ")}\n`);
  return survivors.length === 0 && chosen.length > 0 ? 0 : 1;
}

function runMutant(task: MutantTask): Promise<MutantReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./mutant-worker.ts", import.meta.url).pathname, {
      workerData: task,
    });
    const timer = setTimeout(() => {
      reject(new Error(`Mutant "${task.name}" hangs`));
      void worker.terminate();
    }, hangMs);
    worker.once("message", (report: MutantReport) => {
      clearTimeout(timer);
      resolve(report);
      void worker.terminate();
    });
    worker.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function readCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("expected a whole number above zero");
}

function print(text: string): void {
  process.stdout.write(text);
}
