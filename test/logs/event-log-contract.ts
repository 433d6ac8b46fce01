/** The contract of an event log's shard as a table of cases, run against every implementation. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import type { EventLogShard, LogEntry, LogRow } from "../../src/store/event-log.ts";

export interface LogsUnderTest {
  /** A shard of its own, empty; every operation meets it as a new process would. */
  open(name: string, idsMax: number): EventLogShard;
  close(): Promise<void>;
}

interface LogCase {
  readonly name: string;
  /** How many ids the shard remembers; a million where it is left out. */
  readonly idsMax?: number;
  run(log: EventLogShard): Promise<void>;
}

export function describeEventLog(name: string, start: () => Promise<LogsUnderTest>): void {
  describe(name, () => {
    let logs: LogsUnderTest | null = null;
    beforeAll(async () => {
      logs = await start();
    });
    afterAll(() => logs?.close());
    cases.forEach(({ name: caseName, idsMax = 1_000_000, run }, i) => {
      test(caseName, { timeout: 60_000 }, () =>
        run((logs as LogsUnderTest).open(`case-${i}`, idsMax)),
      );
    });
  });
}

const t0 = 1_700_000_000_000;
const horizonMs = 3_600_000;
const horizons = new Map([
  ["a", horizonMs],
  ["b", horizonMs],
]);
/** How long an id outlives its horizon: clocks differ, and requests take time. */
const graceMs = limits.clockErrorMsMax + limits.requestMsMax;

const cases: readonly LogCase[] = [
  {
    name: "append() puts entries in order, as they are, from place 1 on",
    run: async (log) => {
      const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
      const entries = [
        entry("x", { body: everyByte }),
        entry("", { body: new Uint8Array(), timestampMs: -8.64e15 }),
        entry("日本 😀", { source: "b", timestampMs: 8.64e15 }),
        entry("y", { timestampMs: -1 }),
      ];
      expect(await append(log, entries, t0)).toEqual(entries.map(() => "appended"));
      const expected = entries.map((row, i) => ({ ...row, seq: i + 1, epoch: 0, arrivedAtMs: t0 }));
      expect(await readAll(log)).toEqual(expected);
      expect(await append(log, [entry("z")], t0 + 1)).toEqual(["appended"]);
      expect((await readAll(log)).at(-1)).toMatchObject({ seq: 5, id: "z", arrivedAtMs: t0 + 1 });
    },
  },
  {
    name: "append() of nothing appends nothing",
    run: async (log) => {
      expect(await append(log, [], t0)).toEqual([]);
      expect(await readAll(log)).toEqual([]);
    },
  },
  {
    name: "append() keeps the first of an id: the same again is a repeat, another body a conflict",
    run: async (log) => {
      const body = Uint8Array.of(1);
      const other = Uint8Array.of(2);
      const first = [entry("x", { body }), entry("x", { body }), entry("x", { body: other })];
      expect(await append(log, first, t0)).toEqual(["appended", "repeat", "conflict"]);
      const later = [entry("x", { body: other }), entry("y"), entry("x", { body })];
      expect(await append(log, later, t0 + 1)).toEqual(["conflict", "appended", "repeat"]);
      const rows = await readAll(log);
      expect(rows.map(({ id, seq }) => [id, seq])).toEqual([
        ["x", 1],
        ["y", 2],
      ]);
      expect(rows[0]?.body).toEqual(body);
    },
  },
  {
    name: "append() never takes an event without an id for a repeat",
    run: async (log) => {
      expect(await append(log, [entry(""), entry("")], t0)).toEqual(["appended", "appended"]);
      expect(await append(log, [entry("")], t0)).toEqual(["appended"]);
      expect(await readAll(log)).toHaveLength(3);
    },
  },
  {
    name: "append() keeps the ids of several sources apart",
    run: async (log) => {
      const names = [
        ["a", "bc"],
        ["ab", "c"],
        ["b", "bc"],
        ["a", "c"],
      ] as const;
      const entries = names.map(([source, id]) => entry(id, { source }));
      expect(await append(log, entries, t0)).toEqual(entries.map(() => "appended"));
      expect(await append(log, entries, t0)).toEqual(entries.map(() => "repeat"));
    },
  },
  {
    name: "append() at the same time appends an id once",
    run: async (log) => {
      const appends = Array.from({ length: 8 }, (_, i) =>
        append(log, [entry(`own-${i}`), entry("shared")], t0),
      );
      const outcomes = await Promise.all(appends);
      expect(outcomes.map(([own]) => own)).toEqual(outcomes.map(() => "appended"));
      expect(outcomes.filter(([, shared]) => shared === "appended")).toHaveLength(1);
      expect((await readAll(log)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    },
  },
  {
    name: "append() forgets an id past the horizon, and not before",
    run: async (log) => {
      const old = entry("old", { timestampMs: t0 });
      await append(log, [old, entry("old", { source: "b", timestampMs: t0 })], t0);
      const lastKnownMs = t0 + horizonMs + graceMs;
      for (const nowMs of [t0 + horizonMs, lastKnownMs]) {
        expect(await append(log, [old], nowMs)).toEqual(["repeat"]);
      }
      const onlyA = { nowMs: lastKnownMs + 1, redeliveryHorizonMs: new Map([["a", horizonMs]]) };
      expect((await log.append([old], onlyA)).outcomes).toEqual(["appended"]);
      // A request that says nothing of a source forgets none of its ids.
      const oldOfB = entry("old", { source: "b", timestampMs: t0 });
      expect((await log.append([oldOfB], onlyA)).outcomes).toEqual(["repeat"]);
      expect(await append(log, [oldOfB], lastKnownMs + 1)).toEqual(["appended"]);
    },
  },
  {
    name: "append() counts an id once also when a clock ahead has forgotten, and one behind repeats",
    run: async (log) => {
      const event = entry("x", { timestampMs: t0 });
      const behindMs = t0 + horizonMs;
      expect(await append(log, [event], behindMs)).toEqual(["appended"]);
      await append(log, [entry("y", { timestampMs: behindMs })], behindMs + graceMs);
      expect(await append(log, [event], behindMs)).toEqual(["repeat"]);
    },
  },
  {
    name: "append() past the ids a shard remembers leaves nothing written",
    idsMax: 3,
    run: async (log) => {
      await append(log, [entry("1"), entry("2")], t0);
      const tooMany = [entry(""), entry("3"), entry("4")];
      const refused = append(log, tooMany, t0 + 1);
      await expect(refused).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED", retryable: true });
      expect((await readAll(log)).map(({ id }) => id)).toEqual(["1", "2"]);
      // Their ids are not remembered either, and their places are not used up.
      expect(await append(log, [entry("4", { body: Uint8Array.of(9) })], t0)).toEqual(["appended"]);
      expect((await readAll(log)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    },
  },
  {
    name: "append() at the limit still takes repeats, events without ids, and new ones as old ones age",
    idsMax: 2,
    run: async (log) => {
      const young = entry("young", { timestampMs: t0 + 1_000 });
      await append(log, [entry("old", { timestampMs: t0 }), young], t0);
      expect(await append(log, [young, entry("")], t0)).toEqual(["repeat", "appended"]);
      await expect(append(log, [entry("new")], t0)).rejects.toThrow(FeatureError);
      const laterMs = t0 + horizonMs + graceMs + 1;
      const fresh = entry("new", { timestampMs: laterMs });
      expect(await append(log, [fresh, young], laterMs)).toEqual(["appended", "repeat"]);
      const next = entry("next", { timestampMs: laterMs });
      await expect(append(log, [next], laterMs)).rejects.toThrow(FeatureError);
    },
  },
  {
    name: "append() forgets a bounded number of ids a time, and counts them right",
    idsMax: limits.idsForgottenPerAppendMax + 10,
    run: async (log) => {
      const count = limits.idsForgottenPerAppendMax + 10;
      const ids = (from: number, until: number, timestampMs: number) =>
        Array.from({ length: until - from }, (_, i) => entry(`${from + i}`, { timestampMs }));
      for (let i = 0; i < count; i += 5_000) {
        await append(log, ids(i, Math.min(count, i + 5_000), t0), t0);
      }
      const laterMs = t0 + horizonMs + graceMs + 1;
      // The first append makes room for all but ten of the old ones, the next for these.
      await append(log, ids(count, count + 1, laterMs), laterMs);
      for (let i = 1; i < count; i += 5_000) {
        const end = Math.min(count, i + 5_000);
        await append(log, ids(count + i, count + end, laterMs), laterMs);
      }
      const one = ids(3 * count, 3 * count + 1, laterMs);
      await expect(append(log, one, laterMs)).rejects.toThrow(FeatureError);
    },
  },
  {
    name: "seal() ends an epoch once: later rows belong to the next",
    run: async (log) => {
      await append(log, [entry("1")], t0);
      expect(await log.currentEpoch()).toEqual({ epoch: 0, startedAtMs: t0 });
      for (const nowMs of [t0 + 10, t0 + 20, t0 + 30]) await log.seal(0, nowMs);
      expect(await log.currentEpoch()).toEqual({ epoch: 1, startedAtMs: t0 + 10 });
      await append(log, [entry("2")], t0 + 40);
      await log.seal(3, t0 + 50);
      await log.seal(1, t0 + 60);
      await append(log, [entry("3"), entry("1")], t0 + 70);
      expect(await log.currentEpoch()).toEqual({ epoch: 4, startedAtMs: t0 + 50 });
      expect((await readAll(log)).map(({ id, epoch }) => [id, epoch])).toEqual([
        ["1", 0],
        ["2", 1],
        ["3", 4],
      ]);
    },
  },
  {
    name: "epochs() names each with its beginning, the first by what happened first",
    run: async (log) => {
      expect(await log.epochs(0)).toEqual([]);
      await log.seal(-1, t0);
      await log.seal(0, t0 + 1);
      await log.seal(4, t0 + 2);
      const all = [
        { epoch: 0, startedAtMs: t0 },
        { epoch: 1, startedAtMs: t0 + 1 },
        { epoch: 5, startedAtMs: t0 + 2 },
      ];
      expect(await log.epochs(0)).toEqual(all);
      expect(await log.epochs(1)).toEqual(all.slice(1));
      expect(await log.epochs(2)).toEqual(all.slice(2));
      expect(await log.epochs(6)).toEqual([]);
    },
  },
  {
    name: "seal() of a log where nothing has happened begins the next epoch",
    run: async (log) => {
      expect((await log.currentEpoch()).epoch).toBe(0);
      await log.seal(0, t0);
      expect(await log.currentEpoch()).toEqual({ epoch: 1, startedAtMs: t0 });
      await append(log, [entry("1")], t0 + 5);
      expect((await readAll(log)).map(({ epoch }) => epoch)).toEqual([1]);
    },
  },
  {
    name: "read() pages through rows after a place, of epochs up to one",
    run: async (log) => {
      for (let epoch = 0; epoch < 3; epoch++) {
        const ids = ["x", "y", "z"].map((id) => entry(`${id}${epoch}`));
        await append(log, ids, t0 + epoch);
        await log.seal(epoch, t0 + epoch);
      }
      const read = async (afterSeq: number, epochMax: number, rowsMax: number) =>
        (await log.read({ afterSeq, epochMax, rowsMax })).map(({ seq }) => seq);
      expect(await read(0, Infinity, 4)).toEqual([1, 2, 3, 4]);
      expect(await read(4, Infinity, 4)).toEqual([5, 6, 7, 8]);
      expect(await read(8, Infinity, 4)).toEqual([9]);
      expect(await read(9, Infinity, 4)).toEqual([]);
      expect(await read(0, -1, 4)).toEqual([]);
      expect(await read(2, 1, 100)).toEqual([3, 4, 5, 6]);
      expect(await read(6, 1, 100)).toEqual([]);
    },
  },
  {
    name: "appliedSeq() is 0, then what was set",
    run: async (log) => {
      expect(await log.appliedSeq()).toBe(0);
      await append(log, [entry("1"), entry("2")], t0);
      expect(await log.appliedSeq()).toBe(0);
      await log.setAppliedSeq(1);
      await log.setAppliedSeq(2);
      expect(await log.appliedSeq()).toBe(2);
    },
  },
  {
    name: "trim() keeps rows that are not applied, rows of later epochs, and every id",
    run: async (log) => {
      await append(log, [entry("1"), entry("2"), entry("3")], t0);
      await log.seal(0, t0);
      await append(log, [entry("4")], t0);
      await log.trim(0);
      expect(await readAll(log)).toHaveLength(4);
      await log.setAppliedSeq(2);
      await log.trim(0);
      expect((await readAll(log)).map(({ id }) => id)).toEqual(["3", "4"]);
      await log.setAppliedSeq(4);
      await log.trim(0);
      expect((await readAll(log)).map(({ id }) => id)).toEqual(["4"]);
      await log.seal(1, t0);
      await log.trim(1);
      await log.trim(1);
      expect(await readAll(log)).toEqual([]);
      const again = ["1", "2", "3", "4", "5"].map((id) => entry(id));
      expect(await append(log, again, t0)).toEqual([
        ...again.slice(1).map(() => "repeat"),
        "appended",
      ]);
      // A place is used once, also when no row is left to count from.
      expect((await readAll(log)).map(({ seq, epoch }) => [seq, epoch])).toEqual([[5, 2]]);
    },
  },
];

function entry(id: string, fields: Partial<LogEntry> = {}): LogEntry {
  return { source: "a", id, timestampMs: t0, body: Uint8Array.of(7), ...fields };
}

async function append(log: EventLogShard, entries: readonly LogEntry[], nowMs: number) {
  const result = await log.append(entries, { nowMs, redeliveryHorizonMs: horizons });
  return result.outcomes;
}

async function readAll(log: EventLogShard): Promise<LogRow[]> {
  const rows = await log.read({ afterSeq: 0, epochMax: Infinity, rowsMax: 1_000_000 });
  // A view of a larger buffer equals no other: compare plain copies.
  return rows.map((row) => ({ ...row, body: Uint8Array.from(row.body) }));
}
