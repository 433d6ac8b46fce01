/**
 * Checks the trace of a simulation with nothing but the trace: no event twice in an answer, none that
 * an answer must hold missing. Knows nothing of the system, and imports none of it.
 *
 *   ack     an event was acknowledged; from `visibleFrom` on it must be in the answers of its entity
 *   heal    an event was corrected away offline: it may be there or not
 *   delete  an entity was deleted: its answers may be empty
 *   read    an answer over all events of an entity before `at`
 */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

interface Line {
  readonly kind: "ack" | "heal" | "delete" | "read";
  readonly seed: number;
  readonly t: number;
  readonly id: string;
  readonly entity: string;
  readonly region: number;
  readonly eventTs: number;
  readonly visibleFrom: number;
  readonly at: number;
  readonly ids: readonly string[];
  readonly status: "PRESENT" | "MISSING_DATA" | "UNKNOWN";
}

export interface TraceCheck {
  readonly seeds: number;
  readonly reads: number;
  readonly acks: number;
  /** Reads that gave no number. */
  readonly unknown: number;
  /** A sentence for each answer that is wrong. */
  readonly violations: readonly string[];
}

/** What is known of one seed while its lines go by, in order of time. */
interface SeedState {
  t: number;
  readonly acks: Map<string, Line[]>;
  readonly healed: Set<string>;
  readonly deleted: Set<string>;
}

export function checkTrace(lines: Iterable<string>): TraceCheck {
  const seeds = new Map<number, SeedState>();
  const violations: string[] = [];
  let reads = 0;
  let acks = 0;
  let unknown = 0;
  for (const text of lines) {
    if (text.trim() === "") continue;
    const line = JSON.parse(text) as Line;
    const state = stateOf(seeds, line);
    if (line.kind === "ack") {
      acks += 1;
      state.acks.set(line.entity, [...(state.acks.get(line.entity) ?? []), line]);
    } else if (line.kind === "heal") state.healed.add(line.id);
    else if (line.kind === "delete") state.deleted.add(line.entity);
    else if (line.status === "UNKNOWN") unknown += 1;
    else {
      reads += 1;
      violations.push(...checkRead(line, state));
    }
  }
  return { seeds: seeds.size, reads, acks, unknown, violations };
}

function stateOf(seeds: Map<number, SeedState>, { seed, t }: Line): SeedState {
  let state = seeds.get(seed);
  if (state === undefined) {
    state = { t, acks: new Map(), healed: new Set(), deleted: new Set() };
    seeds.set(seed, state);
  }
  if (t < state.t)
    throw new Error(
      `Cannot check a trace: seed ${seed} goes back in time at ${t}, expected lines in order`,
    );
  state.t = t;
  return state;
}

function checkRead(read: Line, { acks, healed, deleted }: SeedState): string[] {
  const where = `seed ${read.seed}, ${read.entity} in region ${read.region} at ${read.t}`;
  const violations: string[] = [];
  for (const [i, id] of read.ids.entries()) {
    if (read.ids.indexOf(id) !== i) violations.push(`${where}: ${id} counts twice`);
  }
  if (deleted.has(read.entity)) return violations;
  const found = new Set(read.ids);
  for (const { id, eventTs, visibleFrom } of acks.get(read.entity) ?? []) {
    const isDue = visibleFrom <= read.t && eventTs < read.at;
    if (isDue && !healed.has(id) && !found.has(id)) violations.push(`${where}: ${id} is lost`);
  }
  return violations;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const check = checkTrace(readFileSync(process.argv[2] ?? "", "utf8").split("\n"));
  const { violations, ...counts } = check;
  process.stdout.write(`${JSON.stringify({ ...counts, violations: violations.length })}\n`);
  for (const violation of violations.slice(0, 50)) process.stdout.write(`${violation}\n`);
  process.exitCode = violations.length === 0 ? 0 : 1;
}
