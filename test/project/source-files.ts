/** The files of this project as text, found by walking the tree: works with or without a clone. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

export interface SourceFile {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export const projectRoot = join(import.meta.dirname, "..", "..");

const generatedFolders = new Set([
  ".git",
  ".tilemark",
  ".wrangler",
  "coverage",
  "dist",
  "node_modules",
]);

/** Every text file of the project, in the order of their paths. */
export function readProjectFiles(): SourceFile[] {
  return listFiles(projectRoot)
    .sort()
    .flatMap((path) => {
      const bytes = readFileSync(join(projectRoot, path));
      return bytes.includes(0) ? [] : [{ path, text: bytes.toString("utf8") }];
    });
}

/** The TypeScript files of the given top-level folders. */
export function selectTypeScript(
  files: readonly SourceFile[],
  folders: readonly string[],
): SourceFile[] {
  return files.filter(
    ({ path }) => path.endsWith(".ts") && folders.includes(path.split("/")[0] ?? ""),
  );
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return generatedFolders.has(entry.name) ? [] : listFiles(path);
    const generated = !entry.isFile() || entry.name.endsWith(".log");
    return generated ? [] : [relative(projectRoot, path).split(sep).join("/")];
  });
}
