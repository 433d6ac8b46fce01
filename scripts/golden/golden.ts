/**
 * Plays golden files through the real thing and compares every value.
 *
 *   npm run golden -- FILE...                 prints `V values, W wrong`; exits with 1 if any is
 *   npm run golden -- --answers OUT FILE      writes FILE to OUT with `answers` in each query
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { startDevServer } from "../cli/dev-server.ts";
import { loadFeatures } from "../cli/load-features.ts";
import { isExpected } from "./compare-answer.ts";
import { readGoldenFile } from "./golden-file.ts";
import type { GoldenCase, GoldenQuery } from "./golden-file.ts";
import { playCase } from "./play-case.ts";

interface NamedCase {
  readonly name: string;
  readonly golden: GoldenCase;
}

const wrongPrintedMax = 20;
const memoryBytesMax = 512 * 2 ** 20;

const { values: options, positionals: files } = parseArgs({
  allowPositionals: true,
  options: { answers: { type: "string" } },
});
if (files.length === 0 || (options.answers !== undefined && files.length !== 1)) {
  console.error("Usage: npm run golden -- FILE...   or   npm run golden -- --answers OUT FILE");
  process.exit(2);
}
const tally = await playFiles(files, options.answers ?? null);
console.log(`${tally.valueCount} values, ${tally.wrongCount} wrong`);
process.exitCode = tally.wrongCount > 0 ? 1 : 0;

async function playFiles(
  paths: readonly string[],
  answersPath: string | null,
): Promise<{ readonly valueCount: number; readonly wrongCount: number }> {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-golden-"));
  let valueCount = 0;
  let wrongCount = 0;
  try {
    const lists = await Promise.all(paths.map(readGoldenFile));
    const cases = lists.flatMap((list, file) =>
      list.map((golden, i) => ({ name: `golden_${file}_${i}`, golden })),
    );
    await playCases(cases, directory, (named, query, answers) => {
      if (answersPath !== null) query.answers = answers;
      for (const [feature, expected] of Object.entries(query.expected ?? {})) {
        valueCount += 1;
        if (isExpected(functionOf(named.golden, feature), expected, answers[feature])) continue;
        wrongCount += 1;
        if (wrongCount <= wrongPrintedMax) printWrong({ named, query, feature }, expected, answers);
      }
    });
    if (answersPath !== null) await writeAnswers(answersPath, lists[0] as readonly GoldenCase[]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return { valueCount, wrongCount };
}

async function playCases(
  cases: readonly NamedCase[],
  directory: string,
  onAnswer: (named: NamedCase, query: GoldenQuery, answers: Record<string, unknown>) => void,
): Promise<void> {
  const featuresFile = await writeFeatures(cases, directory);
  const repository = await loadFeatures(featuresFile);
  const offline = await openOfflineStore({ directory: join(directory, "offline"), memoryBytesMax });
  const server = await startDevServer({
    featuresFile,
    stateDirectory: join(directory, "state"),
    testClock: true,
  });
  try {
    for (const named of cases) {
      await playCase(
        {
          name: named.name,
          url: server.url,
          repository,
          offline,
          directory,
          onAnswer: (query, answers) => {
            onAnswer(named, query, answers);
          },
        },
        named.golden,
      );
    }
  } finally {
    await server.close();
    await offline.close();
  }
}

/** A feature repository of all cases: one view, one source and one log each. */
async function writeFeatures(cases: readonly NamedCase[], directory: string): Promise<string> {
  const here = dirname(fileURLToPath(import.meta.url));
  const lines = [`import { defineGolden } from ${JSON.stringify(join(here, "define-golden.ts"))};`];
  for (const { name, golden } of cases) {
    lines.push(
      `export const { ${name}, ${name}_service } = defineGolden(${JSON.stringify(name)}, ${JSON.stringify(golden.view)});`,
    );
  }
  await mkdir(directory, { recursive: true });
  const file = join(directory, "features.ts");
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

function functionOf(golden: GoldenCase, feature: string): string {
  const found = golden.view.aggregations.find(({ function: name, column }) =>
    feature.startsWith(`${column}_${name}_`),
  );
  return found?.function ?? "";
}

function printWrong(
  where: { readonly named: NamedCase; readonly query: GoldenQuery; readonly feature: string },
  expected: unknown,
  answers: Readonly<Record<string, unknown>>,
): void {
  const { named, query, feature } = where;
  const shown = (value: unknown) =>
    JSON.stringify(value, (_key, item: unknown) =>
      typeof item === "bigint" ? item.toString() : item,
    );
  console.error(
    `${named.name} at ${query.at} ${feature}: expected ${shown(expected)}, got ${shown(answers[feature])}`,
  );
}

async function writeAnswers(path: string, cases: readonly GoldenCase[]): Promise<void> {
  const text = JSON.stringify(cases, (_key, item: unknown) =>
    typeof item === "bigint" ? Number(item) : item,
  );
  await writeFile(resolve(path), `${text}\n`);
}
