/**
 * Sends an app what nobody should send, and checks that it answers all of it as documented.
 *
 *   npm run fuzz -- --requests 100000 --seed 7      so many requests
 *   npm run fuzz -- --from 1234 --seed 7            one of them, printed
 *
 * Prints the seed, how many answers had which status, and the request that took the most CPU time.
 * Exits with 1 where a request was not answered, or answered with a 5xx or in a shape of its own.
 */

import { parseArgs } from "node:util";
import { repository } from "../../test/http/features.ts";
import { requestAt, runFuzz } from "./run-fuzz.ts";

const faultsPrintedMax = 20;
const bodyCharactersMax = 2_000;

const { values: options } = parseArgs({
  options: {
    requests: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    from: { type: "string" },
  },
});
const seed = Number(options.seed);
const from = Number(options.from ?? 0);
const count = options.from === undefined ? Number(options.requests) : 1;
if (![seed, from, count].every(Number.isSafeInteger) || count < 1) {
  console.error("Usage: npm run fuzz -- [--requests N] [--seed N] [--from N]");
  process.exit(2);
}
if (options.from !== undefined) printRequest();
const { counts, faults, longest } = await runFuzz({ repository, seed, from, count });
const statuses = [...counts].sort(([a], [b]) => a - b);
console.log(`Seed ${seed}: ${count} requests, ${faults.length} wrong answers`);
console.log(statuses.map(([status, times]) => `${status}: ${times}`).join(", "));
console.log(`Longest: request ${longest.number}, ${longest.cpuMs.toFixed(1)} ms of CPU`);
for (const { number, what } of faults.slice(0, faultsPrintedMax)) {
  console.log(`Request ${number} (--seed ${seed} --from ${number}): ${what}`);
}
process.exitCode = faults.length > 0 ? 1 : 0;

function printRequest(): void {
  const { method, path, headers, body } = requestAt(seed, from);
  console.log(method, path.slice(0, bodyCharactersMax), headers);
  console.log(new TextDecoder().decode(body ?? undefined).slice(0, bodyCharactersMax));
}
