/** Cases of the event log's contract: offsets of partitions that senders read from. */

import { expect } from "vitest";
import { limits } from "../../src/core/limits.ts";
import type { EventLogShard, LogEntry, PartitionRange } from "../../src/store/event-log.ts";
import { append, entry, horizons, readAll, t0 } from "./log-case.ts";
import type { LogCase } from "./log-case.ts";

export const partitionCases: readonly LogCase[] = [
  {
    name: "append() appends an offset of a partition once, whatever ranges it comes in",
    run: async (log) => {
      expect(await appendRange(log, [10, 13])).toEqual(["appended", "appended", "appended"]);
      expect(await appendRange(log, [10, 13])).toEqual(["repeat", "repeat", "repeat"]);
      expect(await appendRange(log, [11, 15])).toEqual([
        "repeat",
        "repeat",
        "appended",
        "appended",
      ]);
      expect(await appendRange(log, [12, 14])).toEqual(["repeat", "repeat"]);
      expect(await appendRange(log, [15, 16])).toEqual(["appended"]);
      expect(await offsetsIn(log)).toEqual([10, 11, 12, 13, 14, 15]);
    },
  },
  {
    name: "append() refuses a range past the next offset, names that, and appends nothing",
    run: async (log) => {
      await appendRange(log, [1_098, 1_100], { source: "clicks", partition: "3" });
      const place = { source: "clicks", partition: "3" };
      const gap = appendEntries(
        log,
        [entry("x"), ...offsets(1_200, 1_201, "clicks")],
        [{ ...place, fromOffset: 1_200, nextOffset: 1_201 }],
      );
      await expect(gap).rejects.toMatchObject({ code: "CONFLICT", retryable: false });
      await expect(gap).rejects.toThrow(
        'Cannot append partition "3" of source "clicks" from offset 1200: the log has it up to 1100, send from offset 1100',
      );
      const byOne = appendRange(log, [1_101, 1_102], place);
      await expect(byOne).rejects.toMatchObject({ code: "CONFLICT" });
      expect(await appendRange(log, [1_100, 1_102], place)).toEqual(["appended", "appended"]);
      expect(await append(log, [entry("x")], t0)).toEqual(["appended"]);
      expect(await offsetsIn(log)).toEqual([1_098, 1_099, 1_100, 1_101]);
    },
  },
  {
    name: "append() takes no offset before the first of a partition for a repeat",
    run: async (log) => {
      await appendRange(log, [100, 102]);
      for (const range of [[99, 103] as const, [0, 1] as const]) {
        const early = appendRange(log, range);
        await expect(early).rejects.toMatchObject({ code: "CONFLICT", retryable: false });
        await expect(early).rejects.toThrow(
          `Cannot append partition "0" of source "a" from offset ${range[0]}: the log has it from 100 on, send from offset 100, and what is before by backfill`,
        );
      }
      expect(await appendRange(log, [100, 103])).toEqual(["repeat", "repeat", "appended"]);
      expect(await offsetsIn(log)).toEqual([100, 101, 102]);
    },
  },
  {
    name: "append() counts offsets without an entry as met",
    run: async (log) => {
      const range = { source: "a", partition: "0" };
      expect(await appendEntries(log, [], [{ ...range, fromOffset: 0, nextOffset: 5 }])).toEqual(
        [],
      );
      const sparse = [...offsets(6, 7), ...offsets(9, 10)];
      const next = { ...range, fromOffset: 5, nextOffset: 12 };
      expect(await appendEntries(log, sparse, [next])).toEqual(["appended", "appended"]);
      expect(await appendRange(log, [10, 13])).toEqual(["repeat", "repeat", "appended"]);
      const empty = { ...range, fromOffset: 13, nextOffset: 13 };
      expect(await appendEntries(log, [], [empty])).toEqual([]);
      expect(await appendRange(log, [13, 14])).toEqual(["appended"]);
      expect(await offsetsIn(log)).toEqual([6, 9, 12, 13]);
    },
  },
  {
    name: "append() keeps the partitions of several sources apart",
    run: async (log) => {
      const places = [
        { source: "a", partition: "bc" },
        { source: "ab", partition: "c" },
        { source: "a", partition: "" },
        { source: "a", partition: '"' },
      ];
      for (const place of places) {
        expect(await appendRange(log, [3, 5], place)).toEqual(["appended", "appended"]);
      }
      for (const place of places) {
        expect(await appendRange(log, [3, 6], place)).toEqual(["repeat", "repeat", "appended"]);
      }
      const together = appendEntries(
        log,
        [...offsets(6, 7), entry("", { source: "b" }), ...offsets(5, 7, "ab")],
        [
          { source: "a", partition: "bc", fromOffset: 6, nextOffset: 7 },
          { source: "ab", partition: "c", fromOffset: 5, nextOffset: 7 },
        ],
      );
      expect(await together).toEqual(["appended", "appended", "repeat", "appended"]);
    },
  },
  {
    name: "append() that is refused leaves the next offset where it was",
    idsMax: 1,
    run: async (log) => {
      await appendRange(log, [0, 2]);
      const range = { source: "a", partition: "0", fromOffset: 2, nextOffset: 4 };
      const ids = ["1", "2"].map((id) => entry(id, { source: "b" }));
      const refused = appendEntries(log, [...offsets(2, 4), ...ids], [range]);
      await expect(refused).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
      const gap = appendRange(log, [4, 5]);
      await expect(gap).rejects.toThrow("send from offset 2");
      expect(await appendRange(log, [1, 4])).toEqual(["repeat", "appended", "appended"]);
    },
  },
  {
    name: "append() has no horizon for offsets: what is old is known, and taken",
    run: async (log) => {
      const old = (from: number, until: number) =>
        offsets(from, until).map((each) => ({ ...each, timestampMs: -8.64e15 }));
      const range = { source: "a", partition: "0", fromOffset: 0 };
      await appendEntries(log, old(0, 2), [{ ...range, nextOffset: 2 }]);
      await append(log, [], t0 * 2);
      const again = appendEntries(log, old(0, 3), [{ ...range, nextOffset: 3 }]);
      expect(await again).toEqual(["repeat", "repeat", "appended"]);
    },
  },
  {
    name: "append() knows a bounded number of partitions",
    run: async (log) => {
      const countMax = limits.logShardPartitionsMax;
      const rangesOf = (from: number, until: number, nextOffset: number) =>
        Array.from({ length: until - from }, (_, i) => {
          return { source: `s${from + i}`, partition: "0", fromOffset: 0, nextOffset };
        });
      for (let from = 0; from < countMax; from += countMax / 10) {
        await appendEntries(log, [], rangesOf(from, from + countMax / 10, 1));
      }
      const oneMore = appendEntries(log, [entry("x")], rangesOf(countMax, countMax + 1, 1));
      await expect(oneMore).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
      expect(await readAll(log)).toEqual([]);
      // Those it knows go on.
      await appendEntries(log, [], rangesOf(countMax - 1, countMax, 8));
      const gap = [{ source: `s${countMax - 1}`, partition: "0", fromOffset: 9, nextOffset: 9 }];
      await expect(appendEntries(log, [], gap)).rejects.toThrow("send from offset 8");
    },
  },
  {
    name: "append() asserts that offsets are those of their ranges",
    run: async (log) => {
      const range = { source: "a", partition: "0", fromOffset: 3, nextOffset: 6 };
      const at = (offset: number | null) => entry("", { offset });
      const wrong: [LogEntry[], PartitionRange[]][] = [
        [[at(3)], []],
        [[at(null)], [range]],
        [[at(3), at(null)], [range]],
        [[at(2)], [range]],
        [[at(6)], [range]],
        [[at(4), at(4)], [range]],
        [[at(5), at(4)], [range]],
        [[at(3.5)], [range]],
        [[at(3)], [range, { ...range, partition: "1" }]],
        [[], [{ ...range, fromOffset: 7 }]],
        [[], [{ ...range, fromOffset: -1 }]],
        [[], [{ ...range, nextOffset: 2 ** 53 }]],
      ];
      for (const [entries, ranges] of wrong) {
        await expect(appendEntries(log, entries, ranges)).rejects.toThrow("Assertion failed");
      }
      expect(await readAll(log)).toEqual([]);
    },
  },
];

/** Entries at the offsets of `[from, until)`, each with its offset as its body. */
function offsets(from: number, until: number, source = "a"): LogEntry[] {
  return Array.from({ length: until - from }, (_, i) => {
    const body = new TextEncoder().encode(String(from + i));
    return entry("", { source, body, offset: from + i });
  });
}

async function offsetsIn(log: EventLogShard): Promise<number[]> {
  const rows = (await readAll(log)).filter(({ id }) => id === "");
  return rows.map(({ body }) => Number(new TextDecoder().decode(body)));
}

function appendRange(
  log: EventLogShard,
  [fromOffset, nextOffset]: readonly [number, number],
  place = { source: "a", partition: "0" },
) {
  const entries = offsets(fromOffset, nextOffset, place.source);
  return appendEntries(log, entries, [{ ...place, fromOffset, nextOffset }]);
}

async function appendEntries(
  log: EventLogShard,
  entries: readonly LogEntry[],
  partitions: readonly PartitionRange[],
) {
  const options = { nowMs: t0, redeliveryHorizonMs: horizons, partitions };
  return (await log.append(entries, options)).outcomes;
}
