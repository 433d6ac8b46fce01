/** The logs that a repository's sources append to, by name. */

import type { Repository } from "../../src/define/definition.ts";

export function logNames(repository: Repository): string[] {
  return [...new Set([...repository.sources.values()].map(({ log }) => log))];
}
