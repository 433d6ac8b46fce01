/** `npm run isolation -- [--seed N] [--requests N]`: the isolation test at its full length. */

import { parseArgs } from "node:util";
import { playIsolation } from "./isolation.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    requests: { type: "string", default: "100000" },
  },
});
const startedAt = process.hrtime.bigint();
const tally = await playIsolation(Number(values.seed), Number(values.requests));
const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9;
process.stdout.write(`seed ${values.seed}: ${JSON.stringify(tally)} in ${seconds.toFixed(1)} s\n`);
if (tally.foreign + tally.wrong > 0) process.exitCode = 1;
