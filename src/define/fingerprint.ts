/** The fingerprint of a view: equal where its records mean the same, so it is part of their keys. */

import { hashText } from "../core/hash.ts";
import type { SourceDefinition, ViewDefinition } from "./definition.ts";

/** Raised when the same definition comes to mean other record bytes. */
const formatVersion = 1;

/** What a fingerprint is worked out from: a view without one. */
export type UnprintedView = Omit<ViewDefinition, "fingerprint">;

/**
 * 16 hex digits over what decides a view's values: not over descriptions, function text, the
 * cadence of compactions, or columns of its source that it does not read.
 */
export function fingerprintOf(view: UnprintedView): string {
  const text = canonicalJson(printedData(view));
  return hex(hashText(text, 0)) + hex(hashText(text, 1));
}

/** The order of join keys is part of record keys, so they are a list; columns are not. */
function printedData(view: UnprintedView): unknown {
  const { source, history, watermarkStepMs } = view;
  return {
    formatVersion,
    kind: view.kind,
    name: view.name,
    joinKeys: view.joinKeys.map(({ name, type }) => ({ name, type })),
    source: printedSource(source),
    // Left out where there is none, as it was before there were any.
    ...(history !== null && { history: printedSource(history), watermarkStepMs }),
    windowing: view.windowing,
    intervalMs: view.intervalMs,
    featureStartTimeMs: view.featureStartTimeMs,
    valueColumns: view.valueColumns.map(({ name, type }) => ({ name, type })),
    slots: view.slots.map(({ column, algebra }) => ({ column, key: algebra.key })),
    features: view.features.map(({ column, functionName, n, option, window, series }) => ({
      column,
      functionName,
      n,
      ...(option !== null && { option }),
      window,
      ...(series !== null && { series }),
    })),
    ...(view.secondaryKey !== null && { secondaryKey: view.secondaryKey.name }),
    ...(view.attributes !== null && { attributes: view.attributes }),
  };
}

function printedSource(source: SourceDefinition): unknown {
  return {
    kind: source.kind,
    name: source.name,
    log: source.log,
    timestamp: source.timestamp,
    id: source.id,
    version: versionOf(source),
  };
}

function versionOf(source: object): string | null {
  return "version" in source && typeof source.version === "string" ? source.version : null;
}

/** JSON with the keys of every object sorted. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each !== "object" || each === null || Array.isArray(each)) return each;
    const entries = Object.entries(each);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function hex(word: number): string {
  return word.toString(16).padStart(8, "0");
}
