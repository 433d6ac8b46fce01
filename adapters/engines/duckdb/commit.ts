/**
 * Puts files in place whole or not at all: they are written beside their place, made durable, and
 * renamed. Who comes second, in this process or another, drops what it wrote.
 */

import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Has `write` fill a new directory and renames it to `target`.
 * @returns false when `target` was there first.
 */
export async function commitDirectory(
  target: string,
  write: (directory: string) => Promise<void>,
): Promise<boolean> {
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
  write: (path: string) => Promise<void>,
): Promise<void> {
  await withSibling(targetOf(0), async (path) => {
    await write(path);
    await syncPath(path);
    for (let attempt = 0; ; attempt++) {
      try {
        // A link, unlike a rename, never replaces a file.
        await link(path, targetOf(attempt));
        break;
      } catch (cause) {
        if (!isCode(cause, "EEXIST")) throw cause;
      }
    }
    await syncPath(dirname(path));
  });
}

async function withSibling<T>(target: string, body: (path: string) => Promise<T>): Promise<T> {
  await mkdir(dirname(target), { recursive: true });
  const path = join(dirname(target), `.writing-${randomUUID()}`);
  try {
    return await body(path);
  } finally {
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
