/** How many rows were read, loaded and skipped, and why. */

import { count } from "./progress.ts";

export interface RowTally {
  readonly read: number;
  readonly loaded: number;
  /** By reason; `read` is `loaded` and all of these. */
  readonly skipped: ReadonlyMap<string, number>;
}

/** Whether there were rows and none was of use: the wrong file, most likely, or the wrong source. */
export function isInVain({ read, loaded }: RowTally): boolean {
  return read > 0 && loaded === 0;
}

/** `read N, loaded N, skipped N`, and a line for each reason, the most frequent first. */
export function tallyText(tally: RowTally): string {
  const lines = [
    `read ${count(tally.read)}, loaded ${count(tally.loaded)}, skipped ${count(tally.read - tally.loaded)}`,
  ];
  const reasons = [...tally.skipped].sort(([, a], [, b]) => b - a);
  for (const [reason, rows] of reasons) lines.push(`  skipped ${count(rows)}: ${reason}`);
  return lines.join("\n");
}

export function tallyJson(tally: RowTally): string {
  return JSON.stringify({ ...tally, skipped: Object.fromEntries(tally.skipped) });
}
