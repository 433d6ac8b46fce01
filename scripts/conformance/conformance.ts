/**
 * The published clients of this API against servers of ours on loopback: `npm run conformance`.
 * `-- --java-source DIR` takes the Java client from a checkout of its source. Prints a table of cases;
 * exits with 1 where one failed, and with 2 where no client was there, or not the one asked for.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openServers } from "./open-servers.ts";
import { runJavaClient } from "./run-java-client.ts";
import { runPythonClient } from "./run-python-client.ts";

const { values: options } = parseArgs({ options: { "java-source": { type: "string" } } });
const javaSource = options["java-source"];

const directory = await mkdtemp(join(tmpdir(), "tilemark-conformance-"));
const servers = await openServers();
try {
  const runs = [
    await runPythonClient(directory, servers.plan),
    await runJavaClient(directory, servers.plan, javaSource),
  ];
  const cases = runs.flatMap(({ client, cases }) => cases.map((each) => ({ client, ...each })));
  if (cases.length > 0) {
    console.table(
      cases.map(({ client, name, problem }) => ({
        client,
        case: name,
        result: problem === null ? "ok" : "failed",
      })),
    );
  }
  for (const { client, name, problem } of cases) {
    if (problem !== null) console.error(`${client}, ${name}: ${problem}`);
  }
  for (const { client, leftOut } of runs) {
    if (leftOut !== null) console.error(`${client} is left out: ${leftOut}`);
  }
  const failedCount = cases.filter(({ problem }) => problem !== null).length;
  console.log(`${cases.length - failedCount} of ${cases.length} cases are as they should be`);
  const isMissing = javaSource !== undefined && runs.some(({ leftOut }) => leftOut !== null);
  process.exitCode = failedCount > 0 ? 1 : cases.length === 0 || isMissing ? 2 : 0;
} finally {
  await servers.close();
  await rm(directory, { recursive: true, force: true });
}
