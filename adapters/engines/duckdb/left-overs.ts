/**
 * What is being written has a name that tells who writes it, so that what a crash left behind is
 * known as such:
 *
 *   {prefix}-{host}-{process}-{thread}-{uuid}      as in .writing-3f2a91c0-4711-0-0189a7c2-...
 */

import { randomUUID } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { hashText } from "../../../src/core/hash.ts";
import { listSuperseded } from "./versions.ts";

export type TemporaryPrefix = ".writing" | "duckdb";

const host = hashText(hostname()).toString(16);

/** The names that this thread has taken and not given back. */
const taken = new Set<string>();

export function takeTemporaryName(prefix: TemporaryPrefix): string {
  const name = `${prefix}-${host}-${process.pid}-${threadId}-${randomUUID()}`;
  taken.add(name);
  return name;
}

/** What it named is gone, or may go. */
export function giveBackName(name: string): void {
  taken.delete(name);
}

/**
 * Removes what crashes left behind: what nobody writes any more, and files that a later version has
 * replaced.
 */
export async function removeLeftOvers(
  directory: string,
  options: { readonly deep: boolean },
): Promise<void> {
  const entries = await listEntries(directory);
  for (const name of options.deep ? listSuperseded(entries.map((entry) => entry.name)) : []) {
    await rm(join(directory, name), { force: true });
  }
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (temporaryPattern.test(entry.name)) {
      if (await isLeftOver(entry.name, path)) await rm(path, { recursive: true, force: true });
    } else if (options.deep && entry.isDirectory()) {
      await removeLeftOvers(path, options);
    }
  }
}

const temporaryPattern = /^(?:\.writing-|duckdb-(?:[0-9a-f]+-\d+-\d+-)?[0-9a-f-]{36}$)/;
const ownedPattern =
  /^(?:\.writing|duckdb)-(?<host>[0-9a-f]+)-(?<process>\d+)-(?<thread>\d+)-[0-9a-f-]{36}$/;

/** Nobody writes for as long and changes nothing in its directory. */
const untouchedMsMax = 7 * 86_400_000;

async function isLeftOver(name: string, path: string): Promise<boolean> {
  const owner = ownedPattern.exec(name)?.groups;
  if (owner === undefined || owner["host"] !== host) return isUntouched(path);
  if (Number(owner["process"]) !== process.pid) return !isRunning(Number(owner["process"]));
  return Number(owner["thread"]) === threadId && !taken.has(name);
}

async function isUntouched(path: string): Promise<boolean> {
  const found = await unlessGone(stat(path));
  return found !== null && Date.now() - found.mtimeMs > untouchedMsMax;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

async function listEntries(directory: string): Promise<readonly Dirent[]> {
  return (await unlessGone(readdir(directory, { withFileTypes: true }))) ?? [];
}

/** Null where somebody else was faster to remove it. */
async function unlessGone<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}
