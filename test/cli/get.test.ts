import { readFile, stat } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import type { DevServer } from "../../scripts/cli/dev-server.ts";
import { vectorLines } from "../../scripts/cli/vector-lines.ts";
import type { FeatureVector } from "../../scripts/cli/vector-lines.ts";
import { featuresFile, runCommand, temporaryDirectory, writeText } from "./run-command.ts";

const time = "2026-07-01T00:00:00Z";
const present = { name: "a", status: "PRESENT", effectiveTime: time };

const cases: readonly [name: string, details: object | undefined, line: string][] = [
  ["none", undefined, `a  1  at ${time}`],
  [
    "stale",
    { stale: true, asOf: time, reason: "The home does not answer" },
    `a  1  at ${time}  stale as of ${time}: The home does not answer`,
  ],
  [
    "stale and a gap",
    { stale: true, asOf: time, gap: true, reason: "Why" },
    `a  1  at ${time}  stale as of ${time}, gap: Why`,
  ],
  ["behind", { behind: true, reason: "Why" }, `a  1  at ${time}  behind: Why`],
  ["a fault without a word", { reason: "Why" }, `a  1  at ${time}  Why`],
  [
    "degraded",
    { degraded: true, reason: "Why", startTime: time, endTime: time },
    `a  1  at ${time}  degraded, exact from ${time} to ${time}: Why`,
  ],
  [
    "degraded, of a lifetime",
    { degraded: true, reason: "Why", endTime: time },
    `a  1  at ${time}  degraded, exact to ${time}: Why`,
  ],
  ["late events", { lateEventsWaiting: 3 }, `a  1  at ${time}  late events waiting: 3`],
];

test.each(cases)("vectorLines() says what the details do: %s", (_, details, line) => {
  const features = [{ ...present, ...(details !== undefined && { details }) }];
  expect(vectorLines({ result: { features: [1] }, metadata: { features } })).toEqual([line]);
});

test("tilemark get prints a gap of a changed view, and nothing beside values that are well", async () => {
  const text = (await readFile(featuresFile, "utf8")).replace("../../src/index.ts", "tilemark");
  const stateDirectory = await temporaryDirectory();
  // This machine's time, as the file system has it: tests read no clock.
  const nowMs = (await stat(stateDirectory)).mtimeMs;
  const features = await writeText("features.ts", text);
  let server = await startDevServer({ featuresFile: features, stateDirectory });
  onTestFinished(() => server.close());
  const on = ["--features", features, "--url", server.url];
  await runWell("ingest", "events", await writeEvent("a", nowMs), ...on);
  await runWell("compact", ...on, "--offline", await temporaryDirectory());
  expect(await linesOf(server)).toEqual([
    expect.stringMatching(/^group_ids\S+ +"1"  at \S+$/),
    expect.stringMatching(/^group_ids\S+ +\["a"\]  at \S+$/),
    expect.stringMatching(/^user_ids\S+ +"1"  at \S+$/),
    expect.stringMatching(/^user_ids\S+ +\["a"\]  at \S+$/),
  ]);
  await server.close();

  // The view of users is another one now, and knows nothing of what came before.
  const changed = await writeText("features.ts", text.replace("1000", "999"));
  server = await startDevServer({ featuresFile: changed, stateDirectory });
  const next = ["--features", changed, "--url", server.url];
  await runWell("ingest", "events", await writeEvent("b", nowMs), ...next);
  expect(await linesOf(server)).toEqual([
    expect.stringMatching(/^group_ids\S+ +"2"  at \S+$/),
    expect.stringMatching(/^group_ids\S+ +\["a","b"\]  at \S+$/),
    expect.stringMatching(/^user_ids\S+ +null  UNKNOWN .*  gap: \S/),
    expect.stringMatching(/^user_ids\S+ +null  UNKNOWN .*  gap: \S/),
  ]);
  const json = JSON.parse(await get(server, "--json")) as FeatureVector;
  expect(json.metadata.features.map((feature) => "details" in feature)).not.toContain(true);
});

function writeEvent(id: string, nowMs: number): Promise<string> {
  const ts = new Date(nowMs - 60_000 + id.charCodeAt(0)).toISOString();
  return writeText("events.jsonl", JSON.stringify({ id, ts, user_id: "u1", group_id: "g1" }));
}

async function linesOf(server: DevServer): Promise<readonly string[]> {
  return (await get(server)).trimEnd().split("\n");
}

function get({ url }: DevServer, ...more: readonly string[]): Promise<string> {
  const keys = ["--key", "user_id=u1", "--key", "group_id=g1"];
  return runWell("get", "ids", ...keys, "--url", url, ...more);
}

async function runWell(...args: readonly string[]): Promise<string> {
  const result = await runCommand(...args);
  expect(result).toMatchObject({ status: 0, errors: "" });
  return result.output;
}
