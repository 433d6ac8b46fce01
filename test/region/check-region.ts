/** What an answer of a region may be, given what had happened at its home. */

import { expect } from "vitest";
import type { ViewAnswer } from "../../src/serve/view-answer.ts";
import type { ReadPlace, RegionWorld, TestEvent } from "./region-world.ts";
import { hourMs, staleAfterMs } from "./region-world.ts";

export interface RegionRead {
  readonly entity: string;
  readonly place: ReadPlace;
  readonly answers: readonly ViewAnswer[];
  /** What the region said it had, just before it was read. */
  readonly asOfMs: number;
}

/** Expects the answer for one entity to be right, or to say that it is not. Returns its faults. */
export function expectRegionAnswer(world: RegionWorld, read: RegionRead, when: string): string[] {
  const nowMs = read.place.nowMs();
  const faults: string[] = [];
  // Before a region has anything it is not old but empty.
  const isOld = read.asOfMs > 0 && nowMs - read.asOfMs > staleAfterMs;
  for (const answer of read.answers) {
    const label = `${when}, entity ${read.entity}, view ${answer.view.name}`;
    expect(answer.staleness !== null, `${label}: says that it is stale`).toBe(isOld);
    const [lifetime, recent] = answer.features;
    if (lifetime?.fault) {
      expect(["GAP", "BEHIND"], `${label}: ${lifetime.fault.message}`).toContain(
        lifetime.fault.code,
      );
      faults.push(lifetime.fault.code);
      continue;
    }
    const ids = lifetime?.value as readonly string[];
    expect(new Set(ids).size, `${label}: counts each event once`).toBe(ids.length);
    expectKnown(world, { read, ids, label });
    if (answer.view.name !== "live") {
      // Others are fresh where batch records are, tombstones among them, and where time has passed.
      if (read.place.stalenessMs === 0) expectDeleted(world, { read, ids, label });
      continue;
    }
    expectDeleted(world, { read, ids, label });
    expectAcknowledged(world, { read, ids, label });
    if (recent?.degraded !== null) continue;
    const eventsOf = new Map(world.events.map((event) => [event.id, event]));
    const expected = ids.filter((id) => {
      return (eventsOf.get(id) as TestEvent).timestampMs >= nowMs - 6 * hourMs;
    });
    expect(recent.value, `${label}: the window of six hours`).toEqual(expected);
  }
  return faults;
}

interface Found {
  readonly read: RegionRead;
  readonly ids: readonly string[];
  readonly label: string;
}

function expectKnown(world: RegionWorld, { read, ids, label }: Found): void {
  const known = new Set(
    world.events.filter(({ entity }) => entity === read.entity).map(({ id }) => id),
  );
  expect(
    ids.filter((id) => !known.has(id)),
    `${label}: holds nothing else`,
  ).toEqual([]);
}

function expectDeleted(world: RegionWorld, { read, ids, label }: Found): void {
  const deletedAtMs = world.deletedAtMs.get(read.entity);
  if (deletedAtMs === undefined || deletedAtMs >= read.asOfMs) return;
  expect(ids, `${label}: was deleted`).toEqual([]);
}

function expectAcknowledged(world: RegionWorld, { read, ids, label }: Found): void {
  if (world.deletedAtMs.has(read.entity)) return;
  const nowMs = read.place.nowMs();
  const missing = world.events.filter(
    ({ id, entity, ackedAtMs, timestampMs }) =>
      entity === read.entity && ackedAtMs < read.asOfMs && timestampMs < nowMs && !ids.includes(id),
  );
  expect(missing, `${label}: has what was acknowledged before ${read.asOfMs}`).toEqual([]);
}
