/**
 * The events of the demo, in two parts: history, which is backfilled, and the last day, which
 * streams in. Generated ones are written to files, so that both kinds go the same way.
 */

import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { generateEvents } from "./generate-events.ts";

export interface DemoEvents {
  readonly historyFiles: readonly string[];
  readonly streamFiles: readonly string[];
}

const lineCount = 20_000;
const days = 30;
const dayMs = 86_400_000;
const seed = 20_240_229;

/** The last file of a folder, by name, streams in; the ones before it are history. */
export async function givenEvents(path: string): Promise<DemoEvents> {
  if (!(await stat(path)).isDirectory()) return { historyFiles: [], streamFiles: [resolve(path)] };
  const names = (await readdir(path)).filter((name) => /\.(csv|jsonl|ndjson|parquet)$/.test(name));
  if (names.length === 0) {
    throw new Error(`Cannot load events: "${path}" holds no CSV, JSON lines or Parquet file`);
  }
  const files = names.sort().map((name) => resolve(path, name));
  return { historyFiles: files.slice(0, -1), streamFiles: files.slice(-1) };
}

/** Thirty days of an invented shop that end now. */
export async function generatedEvents(directory: string, endMs: number): Promise<DemoEvents> {
  await mkdir(directory, { recursive: true });
  const lines = generateEvents({ seed, lineCount, endMs, days });
  const isRecent = (line: { readonly InvoiceDate: string }) =>
    Date.parse(line.InvoiceDate) >= endMs - dayMs;
  const history = join(directory, "history.jsonl");
  const recent = join(directory, "recent.jsonl");
  await writeFile(history, toLines(lines.filter((line) => !isRecent(line))));
  await writeFile(recent, toLines(lines.filter(isRecent)));
  return { historyFiles: [history], streamFiles: [recent] };
}

function toLines(rows: readonly unknown[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}
