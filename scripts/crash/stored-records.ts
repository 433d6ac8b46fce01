/** All records of a server as they are stored, and where two servers' differ. */

import type { Fault } from "./faults.ts";

export interface StoredRecords {
  /** The texts of Workers KV, by key. */
  readonly batch: Readonly<Record<string, string>>;
  /** The bytes of all stream shards as base64, by key. */
  readonly stream: Readonly<Record<string, string>>;
}

type Records = StoredRecords["batch"];

/** A fault for every key that holds what none of the candidates has there. */
export function compareRecords(candidates: readonly Records[], actual: Records): Fault[] {
  const keys = new Set([...candidates, actual].flatMap((records) => Object.keys(records)));
  return [...keys].flatMap((key): Fault[] => {
    const expected = candidates.map((records) => records[key]);
    if (expected.includes(actual[key])) return [];
    const text = `${key}: expected ${expected.map(textOf).join(" or ")}, got ${textOf(actual[key])}`;
    return [{ kind: "other bytes", text }];
  });
}

/** Its header is enough to see which compaction or epoch it is of. */
function textOf(record: string | undefined): string {
  return record === undefined ? "none" : `${record.slice(0, 80)}... of ${record.length} characters`;
}
