/**
 * Runs a store's cases in the runtime it is started with, and prints one line of JSON a case.
 *
 *   run-contract.ts STORE [ADDRESS [KEY-PREFIX]]
 */

import { argv, stdout } from "node:process";
import { openCases } from "./open-store-cases.ts";

export interface CaseOutcome {
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly reason?: string;
}

const [, , store = "", address = "", keyPrefix = ""] = argv;
const open = openCases[store];
if (open === undefined) throw new Error(`Cannot open store "${store}": it is not known`);
const { cases, close } = await open(address, keyPrefix);
try {
  for (const { name, skip, run } of cases) {
    if (skip !== null) print({ name, status: "skipped", reason: skip });
    else print(await outcomeOf(name, run));
  }
} finally {
  await close();
}

async function outcomeOf(name: string, run: () => Promise<void>): Promise<CaseOutcome> {
  try {
    await run();
    return { name, status: "passed" };
  } catch (error) {
    return { name, status: "failed", reason: String(error) };
  }
}

function print(outcome: CaseOutcome): void {
  stdout.write(`${JSON.stringify(outcome)}\n`);
}
