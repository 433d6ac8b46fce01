/** What runs came to, in numbers. */

import type { Failure } from "./check-answer.ts";

export interface Counts {
  seeds: number;
  /** Features answered. */
  reads: number;
  gaps: number;
  corrupt: number;
  degraded: number;
  /** Requests without an answer. */
  unavailable: number;
  acks: number;
  retries: number;
  compactions: number;
  rollbacks: number;
  faults: number;
  crashes: number;
  /** The most epochs that a stream record held when it was looked at. */
  epochsMax: number;
}

export function emptyCounts(): Counts {
  return {
    seeds: 0,
    reads: 0,
    gaps: 0,
    corrupt: 0,
    degraded: 0,
    unavailable: 0,
    acks: 0,
    retries: 0,
    compactions: 0,
    rollbacks: 0,
    faults: 0,
    crashes: 0,
    epochsMax: 0,
  };
}

export function addCountsInto(total: Counts, counts: Counts): void {
  for (const name of Object.keys(total) as (keyof Counts)[]) {
    if (name === "epochsMax") total[name] = Math.max(total[name], counts[name]);
    else total[name] += counts[name];
  }
}

export function countFailures(failures: readonly Failure[]): Record<Failure["kind"], number> {
  const counts = {
    double: 0,
    hole: 0,
    phantom: 0,
    wrong: 0,
    unavailable: 0,
    undeleted: 0,
    unhealed: 0,
    leftover: 0,
    internal: 0,
    endless: 0,
  };
  for (const { kind } of failures) counts[kind] += 1;
  return counts;
}
