/** Who compacts: a server takes one offline store and one feature repository, its own. */

import { FeatureError } from "../core/errors.ts";
import { hashText } from "../core/hash.ts";
import type { Repository, SourceDefinition, ViewDefinition } from "../define/definition.ts";

export interface CompactorIdentity {
  /** Names the offline store that the log is drained into. */
  readonly offlineStore: string;
  /** Of every view its fingerprint, and of every stream source what its rows look like. */
  readonly definitions: Readonly<Record<string, string>>;
}

export function definitionsOf(repository: Repository): Record<string, string> {
  const views = [...repository.views.values()].map((view) => [viewKey(view), view.fingerprint]);
  const sources = [...repository.sources.values()]
    .filter(({ kind }) => kind === "streamSource")
    .map((source) => [sourceKey(source), signatureOf(source)]);
  return Object.fromEntries([...views, ...sources]) as Record<string, string>;
}

/**
 * A compaction with other definitions would drain rows that it cannot read, and publish records
 * that no request can.
 *
 * @throws FeatureError INVALID_REQUEST naming the view or the source that differs.
 */
export function requireSameDefinitions(
  repository: Repository,
  views: readonly ViewDefinition[],
  theirs: CompactorIdentity["definitions"],
): void {
  const ours = definitionsOf(repository);
  const logs = new Set(
    views.filter(({ source }) => source.kind === "streamSource").map(({ source }) => source.log),
  );
  const sources = [...repository.sources.values()].filter(
    ({ kind, log }) => kind === "streamSource" && logs.has(log),
  );
  for (const key of [...views.map(viewKey), ...sources.map(sourceKey)]) {
    if (ours[key] === theirs[key]) continue;
    const state = theirs[key] === undefined ? "does not define it" : "defines it differently";
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot compact: the compaction's feature repository ${state}, ${key}, use the file that the server runs`,
    );
  }
}

function viewKey({ name }: ViewDefinition): string {
  return `view "${name}"`;
}

function sourceKey({ name }: SourceDefinition): string {
  return `source "${name}"`;
}

function signatureOf({ columns, timestamp, id, log }: SourceDefinition): string {
  const text = JSON.stringify([columns.map(({ name, type }) => [name, type]), timestamp, id, log]);
  return `${hashText(text, 0).toString(16)}${hashText(text, 1).toString(16)}`;
}
