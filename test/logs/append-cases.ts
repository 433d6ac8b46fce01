/** Cases of the event log's contract: what an append keeps, and reading it back. */

import { expect } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { append, entry, readAll, seal, t0 } from "./log-case.ts";
import type { LogCase } from "./log-case.ts";

export const appendCases: readonly LogCase[] = [
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
      const expected = entries.map(({ offset: _, ...row }, i) => ({
        ...row,
        seq: i + 1,
        epoch: 0,
        arrivedAtMs: t0,
      }));
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
    name: "read() pages through rows after a place, of epochs up to one",
    run: async (log) => {
      for (let epoch = 0; epoch < 3; epoch++) {
        const ids = ["x", "y", "z"].map((id) => entry(`${id}${epoch}`));
        await append(log, ids, t0 + epoch);
        await seal(log, epoch, t0 + epoch);
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
    name: "follow() gives rows that trim() keeps, and tells up to where they are forgotten",
    run: async (log) => {
      const followed = async (afterSeq: number, rowsMax = 100) => {
        const { rows, forgotten } = await log.follow({ afterSeq, rowsMax });
        return [rows.map(({ seq }) => seq), forgotten.seq, forgotten.epoch];
      };
      expect(await followed(0)).toEqual([[], 0, -1]);
      await append(log, [entry("1"), entry("2")], t0);
      await append(log, [entry("3")], t0 + 1);
      await seal(log, 0, t0 + 1);
      await append(log, [entry("4")], t0 + 2);
      await log.setAppliedSeq(4);
      await log.trim(0, { keepFromMs: t0 + 1 });
      expect((await readAll(log)).map(({ seq }) => seq)).toEqual([4]);
      expect(await followed(0)).toEqual([[3, 4], 2, 0]);
      expect(await followed(0, 1)).toEqual([[3], 2, 0]);
      expect(await followed(3)).toEqual([[4], 2, 0]);
      // What was trimmed once is read no more, whatever is kept of it.
      await log.trim(0, { keepFromMs: t0 });
      expect((await readAll(log)).map(({ seq }) => seq)).toEqual([4]);
      await seal(log, 1, t0 + 3);
      await log.trim(-1);
      expect(await followed(0)).toEqual([[4], 3, 0]);
      await log.trim(1);
      expect(await readAll(log)).toEqual([]);
      expect(await followed(0)).toEqual([[], 4, 1]);
    },
  },
  {
    name: "trim() keeps rows that are not applied, rows of later epochs, and every id",
    run: async (log) => {
      await append(log, [entry("1"), entry("2"), entry("3")], t0);
      await seal(log, 0, t0);
      await append(log, [entry("4")], t0);
      await log.trim(0);
      expect(await readAll(log)).toHaveLength(4);
      await log.setAppliedSeq(2);
      await log.trim(0);
      expect((await readAll(log)).map(({ id }) => id)).toEqual(["3", "4"]);
      await log.setAppliedSeq(4);
      await log.trim(0);
      expect((await readAll(log)).map(({ id }) => id)).toEqual(["4"]);
      await seal(log, 1, t0);
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
  {
    name: "append() keeps a copy of a body, and read() gives one",
    run: async (log) => {
      const body = Uint8Array.of(1, 2, 3);
      await append(log, [entry("x", { body })], t0);
      body.fill(9);
      const [row] = await log.read({ afterSeq: 0, epochMax: 0, rowsMax: 1 });
      expect(Uint8Array.from(row?.body ?? [])).toEqual(Uint8Array.of(1, 2, 3));
      row?.body.fill(9);
      expect((await readAll(log))[0]?.body).toEqual(Uint8Array.of(1, 2, 3));
    },
  },
  {
    name: "read() ends a page with the row that reaches the most bytes",
    run: async (log) => {
      const body = new Uint8Array(limits.logPageBytesMax / 4);
      for (let i = 0; i < 6; i++) await append(log, [entry(`${i}`, { body })], t0);
      const seqsAfter = async (afterSeq: number) => {
        const rows = await log.read({ afterSeq, epochMax: Infinity, rowsMax: 100 });
        return rows.map(({ seq }) => seq);
      };
      expect(await seqsAfter(0)).toEqual([1, 2, 3, 4]);
      expect(await seqsAfter(4)).toEqual([5, 6]);
    },
  },
];
