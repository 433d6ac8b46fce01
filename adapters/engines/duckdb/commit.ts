/**
 * Puts files in place whole or not at all: they are written beside their place, made durable, and
 * given their name. Who comes second, in this process or another, drops what it wrote.
 */

import { link, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { giveBackName, takeTemporaryName } from "./left-overs.ts";
import { isSuperseded, nextVersion } from "./versions.ts";

/** Has it filled with what is to be put in place. */
type Write = (path: string) => Promise<void>;

/**
 * Has `write` fill a new directory and renames it to `target`.
 * @returns false when `target` was there first.
 */
export async function commitDirectory(target: string, write: Write): Promise<boolean> {
  return withSibling(target, async (directory) => {
    await mkdir(directory);
    await write(directory);
    await syncTree(directory);
    try {
      await rename(directory, target);
    } catch (cause) {
      if (isCode(cause, "ENOTEMPTY") || isCode(cause, "EEXIST")) return false;
      throw cause;
    }
    await syncPath(dirname(target));
    return true;
  });
}

/**
 * Has `write` fill a new file and gives it the first name of `targetOf(0)`, `targetOf(1)`, ... that
 * is free. The names share a directory.
 */
export async function commitFile(
  targetOf: (attempt: number) => string,
  write: Write,
): Promise<void> {
  await withFile(targetOf(0), write, async (path) => {
    for (let attempt = 0; !(await claimName(path, targetOf(attempt))); attempt++);
  });
}

/**
 * Has `write` fill a new file and names it `target`.
 * @returns false when the name is taken, or a later version of it was there first.
 */
export async function commitNewFile(target: string, write: Write): Promise<boolean> {
  return withFile(target, write, (path) => claimName(path, target));
}

/**
 * Has `write` fill the version after `file`, which then goes.
 * @returns its path; null when somebody else has replaced the file.
 */
export async function replaceFile(file: string, write: Write): Promise<string | null> {
  const target = join(dirname(file), nextVersion(basename(file)));
  if (!(await commitNewFile(target, write))) return null;
  await rm(file, { force: true });
  await syncPath(dirname(file));
  return target;
}

/** Has `write` fill a file and puts it in the place of the one that is there: the last one stays. */
export async function overwriteFile(target: string, write: Write): Promise<void> {
  await withFile(target, write, async (path) => {
    await rename(path, target);
    await syncPath(dirname(target));
  });
}

/** Fills a file with a text. */
export function writeText(text: string): Write {
  return (path) => writeFile(path, text);
}

async function claimName(path: string, target: string): Promise<boolean> {
  try {
    // A link, unlike a rename, never replaces a file.
    await link(path, target);
  } catch (cause) {
    if (isCode(cause, "EEXIST")) return false;
    throw cause;
  }
  // A version that was replaced and taken away leaves its name free, and nobody would read it.
  if (isSuperseded(basename(target), await readdir(dirname(target)))) {
    await rm(target, { force: true });
    return false;
  }
  await syncPath(dirname(target));
  return true;
}

function withFile<T>(
  target: string,
  write: Write,
  place: (path: string) => Promise<T>,
): Promise<T> {
  return withSibling(target, async (path) => {
    await write(path);
    await syncPath(path);
    return place(path);
  });
}

async function withSibling<T>(target: string, body: (path: string) => Promise<T>): Promise<T> {
  await mkdir(dirname(target), { recursive: true });
  const name = takeTemporaryName(".writing");
  const path = join(dirname(target), name);
  try {
    return await body(path);
  } finally {
    giveBackName(name);
    await rm(path, { recursive: true, force: true });
  }
}

async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    await (entry.isDirectory() ? syncTree(path) : syncPath(path));
  }
  await syncPath(directory);
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === code;
}
