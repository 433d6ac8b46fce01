/** `npm run bench`: every figure is a ratio or a count of one run. `--json` prints one object. */

import { gzipSync } from "node:zlib";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { repository } from "../../test/http/features.ts";
import { bundleWorker } from "../cli/bundle-worker.ts";
import type { BundleOptions } from "../cli/bundle-worker.ts";
import { runFuzz } from "../fuzz/run-fuzz.ts";
import { combineCases, combineTime } from "./combine.ts";
import { compactionVsGroupBy } from "./compaction.ts";
import { eventIds } from "./event-ids.ts";
import { hotKey } from "./hot-key.ts";
import { rounded } from "./measure.ts";
import type { Figure } from "./measure.ts";
import { servingLimitNodeRedis } from "./serving-limit-redis.ts";
import { servingLimitWorkerd } from "./serving-limit.ts";

const { values: options } = parseArgs({ options: { json: { type: "boolean" } } });

const fuzzedRequests = 100_000;

const figures: Record<string, Figure> = {};
await addServing(figures);
await addHotKeys(figures);
for (const each of combineCases) figures[each.name] = combineTime(each);
figures["compactionVsGroupBy"] = await compactionVsGroupBy();
Object.assign(figures, await eventIds());
figures["longestFuzzedRequest"] = await longestFuzzedRequest();
figures["bundleGzipKiB"] = await bundleGzipKiB({ serves: true });
figures["homeBundleGzipKiB"] = await bundleGzipKiB({});

if (options.json === true) console.log(JSON.stringify({ figures }));
else printTable(figures);

async function addServing(into: Record<string, Figure>): Promise<void> {
  into["servingLimitWorkerd"] = await servingLimitWorkerd();
  into["servingLimitNodeRedis100"] = await servingLimitNodeRedis();
}

async function addHotKeys(into: Record<string, Figure>): Promise<void> {
  const sliding = await hotKey("sliding");
  into["hotKeyMillionVsHundred"] = sliding.ratio;
  into["hotKeyMillionBytes"] = counted(sliding.hotBytes, "bytes read a request");
  into["hotKeyHundredBytes"] = counted(sliding.quietBytes, "bytes read a request");
  const continuous = await hotKey("continuous");
  into["hotKeyContinuousMillionVsHundred"] = continuous.ratio;
  into["hotKeyContinuousMillionBytes"] = counted(continuous.hotBytes, "bytes read a request");
}

async function longestFuzzedRequest(): Promise<Figure> {
  const { longest, faults } = await runFuzz({ repository, seed: 1, count: fuzzedRequests });
  if (faults.length > 0) throw new Error(`Cannot fuzz: ${faults.length} answers are wrong`);
  return counted(longest.cpuMs, `ms of CPU, the longest of ${fuzzedRequests} fuzzed requests`);
}

async function bundleGzipKiB(options: BundleOptions): Promise<Figure> {
  const featuresFile = new URL("../demo/features.ts", import.meta.url).pathname;
  const script = await bundleWorker(featuresFile, { ...options, minify: true });
  return counted(
    gzipSync(script).length / 1024,
    `KiB of a worker that ${options.serves === true ? "serves" : "is a home"}, minified and gzipped`,
  );
}

function counted(value: number, unit: string): Figure {
  return { value: rounded(value), unit, spread: [rounded(value), rounded(value)] };
}

function printTable(table: Readonly<Record<string, Figure>>): void {
  const [cpu] = cpus();
  console.log(
    `${cpus().length} cores, ${cpu?.model ?? "unknown processor"}, Node ${process.version}\n`,
  );
  console.log("| figure | value | smallest to largest round | what |");
  console.log("|---|---|---|---|");
  for (const [name, { value, spread, unit }] of Object.entries(table)) {
    console.log(`| ${name} | ${value} | ${spread[0]} to ${spread[1]} | ${unit} |`);
  }
}
