/** A checkout of the Java client: its files, and what its Gradle build says that it needs. */

import { readFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

export interface JavaSource {
  readonly version: string;
  /** Absolute. */
  readonly files: readonly string[];
  /** As `group:artifact:version`; those of its tests left out. */
  readonly dependencies: readonly string[];
}

/** @throws Error for a directory that holds none. */
export async function readJavaSource(directory: string): Promise<JavaSource> {
  const root = resolve(directory);
  try {
    const build = await readFile(join(root, "build.gradle"), "utf8");
    const properties = await readFile(join(root, "gradle.properties"), "utf8");
    const folder = join(root, "src", "main", "java");
    const names = await readdir(folder, { recursive: true });
    const files = names.filter((name) => name.endsWith(".java")).map((name) => join(folder, name));
    const [, version = "unknown"] = /^version=(\S+)$/m.exec(properties) ?? [];
    return { version, files, dependencies: readDependencies(build) };
  } catch (cause) {
    throw new Error(
      `Cannot read Java client "${directory}": expected a checkout with build.gradle, gradle.properties and src/main/java`,
      { cause },
    );
  }
}

/** Each is one line, with three named parts or with one text. */
function readDependencies(build: string): readonly string[] {
  return build.split("\n").flatMap((line) => {
    if (!/^\s*(?:api|implementation)\b/.test(line)) return [];
    const parts = [...line.matchAll(/['"]([^'"]+)['"]/g)].map(([, text]) => text);
    return [parts.join(":")];
  });
}
