/** Cases of the event log's contract: epochs, what is cut at them, and views that come later. */

import { expect } from "vitest";
import type { EventLogShard } from "../../src/store/event-log.ts";
import { append, entry, horizons, readAll, seal, t0 } from "./log-case.ts";
import type { LogCase } from "./log-case.ts";

export const epochCases: readonly LogCase[] = [
  {
    name: "seal() ends an epoch once: later rows belong to the next",
    run: async (log) => {
      await append(log, [entry("1")], t0);
      expect(await log.currentEpoch()).toEqual({ epoch: 0, startedAtMs: t0, cutOf: null });
      for (const nowMs of [t0 + 10, t0 + 20, t0 + 30]) await seal(log, 0, nowMs);
      expect(await log.currentEpoch()).toEqual({ epoch: 1, startedAtMs: t0 + 10, cutOf: null });
      await append(log, [entry("2")], t0 + 40);
      await seal(log, 3, t0 + 50);
      await seal(log, 1, t0 + 60);
      await append(log, [entry("3"), entry("1")], t0 + 70);
      expect(await log.currentEpoch()).toEqual({ epoch: 4, startedAtMs: t0 + 50, cutOf: null });
      expect((await readAll(log)).map(({ id, epoch }) => [id, epoch])).toEqual([
        ["1", 0],
        ["2", 1],
        ["3", 4],
      ]);
    },
  },
  {
    name: "seal() of a log where nothing has happened begins the next epoch",
    run: async (log) => {
      expect(await log.currentEpoch()).toEqual({ epoch: 0, startedAtMs: 0, cutOf: null });
      await seal(log, 0, t0);
      expect(await log.currentEpoch()).toEqual({ epoch: 1, startedAtMs: t0, cutOf: null });
      await append(log, [entry("1")], t0 + 5);
      expect((await readAll(log)).map(({ epoch }) => epoch)).toEqual([1]);
    },
  },
  {
    name: "epochs() names those that were opened or sealed, each with its beginning",
    run: async (log) => {
      expect(await log.epochs(0)).toEqual([]);
      await seal(log, -1, t0);
      await seal(log, 0, t0 + 1);
      await seal(log, 4, t0 + 2);
      const all = [
        { epoch: 0, startedAtMs: t0, cutOf: [] },
        { epoch: 1, startedAtMs: t0 + 1, cutOf: null },
        { epoch: 4, startedAtMs: t0 + 2, cutOf: [] },
        { epoch: 5, startedAtMs: t0 + 2, cutOf: null },
      ];
      for (const epochMin of [-100, -1, 0]) expect(await log.epochs(epochMin)).toEqual(all);
      expect(await log.epochs(1)).toEqual(all.slice(1));
      expect(await log.epochs(2)).toEqual(all.slice(2));
      expect(await log.epochs(6)).toEqual([]);
    },
  },
  {
    name: "append() without new rows begins no epoch",
    run: async (log) => {
      await append(log, [], t0);
      await log.closeBefore("a", t0 - 1);
      const request = { key: "k", contentHash: "h", keepUntilMs: t0 };
      await log.append([], { nowMs: t0, redeliveryHorizonMs: horizons, request });
      expect(await log.epochs(0)).toEqual([]);
      await append(log, [entry("y")], t0 + 7);
      expect(await log.epochs(0)).toEqual([{ epoch: 0, startedAtMs: t0 + 7, cutOf: null }]);
    },
  },
  {
    name: "seal() settles which views have the epoch as their cut, and loses none of them",
    run: async (log) => {
      await append(log, [entry("1")], t0);
      await log.seal({ epoch: 0, nowMs: t0 + 1, cutOf: ["v", "u"] });
      expect(await cutsOf(log)).toEqual([
        [0, ["u", "v"]],
        [1, null],
      ]);
      await log.seal({ epoch: 0, nowMs: t0 + 2, cutOf: ["w", "v"] });
      await log.seal({ epoch: 0, nowMs: t0 + 3, cutOf: [] });
      expect(await cutsOf(log)).toEqual([
        [0, ["u", "v", "w"]],
        [1, null],
      ]);
    },
  },
  {
    name: "seal() of a later epoch leaves those it skips unknown until somebody seals them",
    run: async (log) => {
      await append(log, [entry("1")], t0);
      await seal(log, 2, t0 + 1);
      await log.seal({ epoch: 5, nowMs: t0 + 2, cutOf: ["v"] });
      expect(await cutsOf(log)).toEqual([
        [0, null],
        [2, []],
        [3, null],
        [5, ["v"]],
        [6, null],
      ]);
      await append(log, [entry("2")], t0 + 3);
      expect((await readAll(log)).map(({ epoch }) => epoch)).toEqual([0, 6]);
      await log.seal({ epoch: 4, nowMs: t0 + 4, cutOf: ["u"] });
      await log.seal({ epoch: 3, nowMs: t0 + 5, cutOf: ["w"] });
      await log.seal({ epoch: 1, nowMs: t0 + 6, cutOf: [] });
      expect(await log.epochs(0)).toEqual([
        { epoch: 0, startedAtMs: t0, cutOf: null },
        { epoch: 1, startedAtMs: t0 + 1, cutOf: [] },
        { epoch: 2, startedAtMs: t0 + 1, cutOf: [] },
        { epoch: 3, startedAtMs: t0 + 1, cutOf: ["w"] },
        { epoch: 4, startedAtMs: t0 + 2, cutOf: ["u"] },
        { epoch: 5, startedAtMs: t0 + 2, cutOf: ["v"] },
        { epoch: 6, startedAtMs: t0 + 2, cutOf: null },
      ]);
      expect(await log.currentEpoch()).toEqual({ epoch: 6, startedAtMs: t0 + 2, cutOf: null });
    },
  },
  {
    name: "viewFloors() is -1 for a view that was there before the first row, for good",
    run: async (log) => {
      // Nothing of this is a row, nor a seal.
      await append(log, [], t0);
      await log.closeBefore("a", t0 - 1);
      expect(await floorsOf(log, "early", "too")).toEqual({ early: -1, too: -1 });
      await append(log, [entry("1")], t0);
      await seal(log, 3, t0);
      expect(await floorsOf(log, "early", "late", "too")).toEqual({ early: -1, late: 4, too: -1 });
    },
  },
  {
    name: "viewFloors() is the open epoch for a view that comes after a row, also one that was trimmed",
    run: async (log) => {
      await append(log, [entry("1")], t0);
      expect(await floorsOf(log, "first")).toEqual({ first: 0 });
      await seal(log, 0, t0);
      await log.setAppliedSeq(1);
      await log.trim(0);
      expect(await readAll(log)).toEqual([]);
      expect(await floorsOf(log, "first", "second")).toEqual({ first: 0, second: 1 });
      await seal(log, 1, t0);
      expect(await floorsOf(log, "second", "third", "third")).toEqual({ second: 1, third: 2 });
      expect(await floorsOf(log)).toEqual({});
    },
  },
  {
    name: "viewFloors() of a log that was sealed before its first row is the open epoch",
    run: async (log) => {
      await seal(log, 1, t0);
      expect(await floorsOf(log, "view")).toEqual({ view: 2 });
    },
  },
];

async function cutsOf(log: EventLogShard): Promise<unknown[]> {
  return (await log.epochs(0)).map(({ epoch, cutOf }) => [epoch, cutOf]);
}

async function floorsOf(
  log: EventLogShard,
  ...fingerprints: readonly string[]
): Promise<Record<string, number>> {
  return Object.fromEntries(await log.viewFloors(fingerprints));
}
