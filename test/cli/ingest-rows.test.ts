import { stat } from "node:fs/promises";
import { expect, test } from "vitest";
import { acceptRows, emptyTally, sendRows } from "../../scripts/cli/ingest-rows.ts";
import type { IngestTally } from "../../scripts/cli/ingest-rows.ts";
import { loadFeatures, sourceNamed } from "../../scripts/cli/load-features.ts";
import {
  closedUrl,
  featuresFile,
  runCommand,
  serve,
  temporaryDirectory,
  writeText,
} from "./run-command.ts";

/** This machine's time, as the file system has it: tests read no clock. */
async function fileSystemNow(): Promise<number> {
  return Math.floor((await stat(await temporaryDirectory())).mtimeMs);
}

function rowsOf(records: readonly object[]) {
  return records.map((row, i) => ({
    row: row as Record<string, unknown>,
    problem: null,
    place: { file: "a.jsonl", row: i + 1 },
  }));
}

async function send(url: string, records: readonly object[]): Promise<[number, IngestTally]> {
  const source = sourceNamed(await loadFeatures(featuresFile), "events");
  const tally = emptyTally();
  const accepted = acceptRows(source, rowsOf(records), tally);
  const taken = await sendRows({ url, workspace: "prod", source }, accepted, tally);
  return [taken, tally];
}

test("sendRows() moves what was sent before, and what the server refuses, to skipped", async () => {
  const { url } = await serve();
  const ts = (await fileSystemNow()) - 1000;
  const record = (id: string, change: object = {}) => {
    return { ts, id, user_id: "u", group_id: "g", ...change };
  };
  const [taken, tally] = await send(url, [record("a"), record("b"), record("a")]);
  expect([taken, tally.read, tally.loaded]).toEqual([2, 3, 2]);
  expect([...tally.skipped]).toEqual([["sent before", 1]]);

  // More than the errors that one answer lists, so that the rest takes several requests.
  const late = Array.from({ length: 130 }, (_, i) =>
    record(`late${i}`, { ts: ts - 30 * 86_400_000 }),
  );
  const long = ["long1", "long2"].map((id) => record(id, { user_id: "x".repeat(400) }));
  const second = [
    record("c"),
    ...late,
    record("b", { user_id: "v" }),
    ...long,
    record("a"),
    record("d"),
  ];
  const [takenNext, next] = await send(url, second);
  expect([takenNext, next.read, next.loaded]).toEqual([2, 136, 2]);
  const {
    "sent before": before,
    "sent before with other values": conflicting,
    ...others
  } = Object.fromEntries(next.skipped);
  expect([before, conflicting]).toEqual([1, 1]);
  const { "older than the redelivery horizon, send it by backfill": lateCount, ...rest } = others;
  expect(lateCount).toBe(130);
  expect(Object.values(rest)).toEqual([2]);
  expect(Object.keys(rest)[0]).not.toMatch(/^record|Cannot read record|a\.jsonl/);
});

test("sendRows() refuses to go on where the server names no record", async () => {
  const { url } = await serve();
  const source = sourceNamed(await loadFeatures(featuresFile), "events");
  const other = { ...source, name: "nope" };
  const sent = sendRows({ url, workspace: "prod", source: other }, rowsOf([{}]), emptyTally());
  await expect(sent).rejects.toThrow(new RegExp(`^Cannot ingest: ${url} answered 4\\d\\d .*nope`));
});

test("sendRows() names the server that it cannot reach", async () => {
  const ts = await fileSystemNow();
  const sent = send(closedUrl, [{ ts, id: "a", user_id: "u", group_id: "g" }]);
  await expect(sent).rejects.toThrow(/^Cannot reach http:\/\/127\.0\.0\.1:9\/ingest: \S/);
});

test("tilemark ingest prints an honest tally, to a URL with a slash at its end", async () => {
  const { url } = await serve();
  const ts = (await fileSystemNow()) - 1000;
  const line = JSON.stringify({ ts, id: "a", user_id: "u", group_id: "g" });
  const file = await writeText("events.jsonl", `${line}\n${line}\n`);
  const args = ["--features", featuresFile, "--url", `${url}/`];
  expect(await runCommand("ingest", "events", file, ...args)).toEqual({
    status: 0,
    output: "read 2, loaded 1, skipped 1\n  skipped 1: sent before\n",
    errors: "",
  });
  const answer = await runCommand(
    "get",
    "ids",
    "--url",
    `${url}/`,
    "--key",
    "user_id=u",
    "group_id=g",
  );
  expect(answer).toMatchObject({ status: 0, errors: "" });
  expect(answer.output).toContain('["a"]');
});
