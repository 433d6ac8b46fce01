/** Cases of the event log's contract: requests that their sender named append once. */

import { expect } from "vitest";
import type { EventLogShard, LogEntry, NamedRequest } from "../../src/store/event-log.ts";
import { append, entry, graceMs, horizonMs, horizons, readAll, t0 } from "./log-case.ts";
import type { LogCase } from "./log-case.ts";

export const requestCases: readonly LogCase[] = [
  {
    name: "append() takes a request with a known key for a repeat, whatever is in it",
    run: async (log) => {
      const entries = [entry(""), entry("x"), entry("")];
      expect(await appendNamed(log, entries, { key: "k" })).toEqual([
        "appended",
        "appended",
        "appended",
      ]);
      expect(await appendNamed(log, entries, { key: "k" })).toEqual(["repeat", "repeat", "repeat"]);
      // An id with another body would be a conflict: the request says that it is the same.
      const other = [entry("x", { body: Uint8Array.of(8) })];
      expect(await appendNamed(log, other, { key: "k" })).toEqual(["repeat"]);
      expect(await appendNamed(log, entries, { key: "other" })).toEqual([
        "appended",
        "repeat",
        "appended",
      ]);
      expect(await append(log, [entry("")], t0)).toEqual(["appended"]);
      expect(await readAll(log)).toHaveLength(6);
    },
  },
  {
    name: "append() refuses a known key with another content, and appends nothing of it",
    run: async (log) => {
      await appendNamed(log, [entry("1")], { key: "k" });
      const reused = appendNamed(log, [entry("2")], { key: "k", contentHash: "other" });
      await expect(reused).rejects.toMatchObject({ code: "KEY_REUSED", retryable: false });
      expect(await readAll(log)).toHaveLength(1);
      expect(await append(log, [entry("2")], t0)).toEqual(["appended"]);
    },
  },
  {
    name: "append() of no entries remembers the key of its request",
    run: async (log) => {
      expect(await appendNamed(log, [], { key: "k" })).toEqual([]);
      expect(await appendNamed(log, [], { key: "k" })).toEqual([]);
      const reused = appendNamed(log, [], { key: "k", contentHash: "other" });
      await expect(reused).rejects.toMatchObject({ code: "KEY_REUSED" });
      expect(await readAll(log)).toEqual([]);
    },
  },
  {
    name: "append() of one request at the same time appends it once",
    run: async (log) => {
      const appends = Array.from({ length: 8 }, () => appendNamed(log, [entry("")], { key: "k" }));
      const outcomes = (await Promise.all(appends)).flat();
      expect(outcomes.filter((outcome) => outcome === "appended")).toHaveLength(1);
      expect(await readAll(log)).toHaveLength(1);
    },
  },
  {
    name: "append() that is refused does not remember its key",
    idsMax: 2,
    run: async (log) => {
      const tooMany = [entry("1"), entry("2")];
      const refused = appendNamed(log, tooMany, { key: "k" });
      await expect(refused).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
      const smaller = appendNamed(log, [entry("1")], { key: "k", contentHash: "other" });
      expect(await smaller).toEqual(["appended"]);
    },
  },
  {
    name: "append() counts keys among the ids that a shard remembers",
    idsMax: 2,
    run: async (log) => {
      await appendNamed(log, [entry("")], { key: "1" });
      await appendNamed(log, [entry("")], { key: "2" });
      expect(await appendNamed(log, [entry("")], { key: "2" })).toEqual(["repeat"]);
      for (const refused of [
        appendNamed(log, [entry("")], { key: "3" }),
        append(log, [entry("x")], t0),
      ]) {
        await expect(refused).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
      }
      // Keys make room as they pass their time.
      const laterMs = t0 + horizonMs + graceMs + 1;
      const young = { nowMs: laterMs, keepUntilMs: laterMs + horizonMs };
      const fresh = [entry("", { timestampMs: laterMs })];
      expect(await appendNamed(log, fresh, { key: "3", ...young })).toEqual(["appended"]);
      expect(await appendNamed(log, fresh, { key: "4", ...young })).toEqual(["appended"]);
      const fifth = appendNamed(log, fresh, { key: "5", ...young });
      await expect(fifth).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
      expect(await readAll(log)).toHaveLength(4);
    },
  },
  {
    name: "append() knows a key for as long as it was told to, and then the delay of clocks",
    run: async (log) => {
      const keepUntilMs = t0 + 5_000;
      await appendNamed(log, [], { key: "k", keepUntilMs });
      const other = { key: "k", contentHash: "other", keepUntilMs: t0 + horizonMs };
      const lastMs = keepUntilMs + graceMs;
      const reused = appendNamed(log, [], { ...other, nowMs: lastMs });
      await expect(reused).rejects.toMatchObject({ code: "KEY_REUSED" });
      expect(await appendNamed(log, [], { ...other, nowMs: lastMs + 1 })).toEqual([]);
      const first = appendNamed(log, [], { key: "k", nowMs: lastMs + 1 });
      await expect(first).rejects.toMatchObject({ code: "KEY_REUSED" });
    },
  },
  {
    name: "append() of a repeat makes room too as keys pass their time",
    idsMax: 2,
    run: async (log) => {
      await appendNamed(log, [], { key: "short", keepUntilMs: t0 });
      await appendNamed(log, [], { key: "long" });
      const nowMs = t0 + graceMs + 1;
      expect(await appendNamed(log, [entry("")], { key: "long", nowMs })).toEqual(["repeat"]);
      expect(await appendNamed(log, [], { key: "new" })).toEqual([]);
      const full = appendNamed(log, [], { key: "newer" });
      await expect(full).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    },
  },
  {
    name: "append() behind a clock that jumped appends no event that only a forgotten key knew",
    run: async (log) => {
      const times = [t0 - 3_000, t0 - 1_000, t0 - 2_000];
      const entries = times.map((timestampMs) => entry("", { timestampMs }));
      await appendNamed(log, entries, { key: "k" });
      await append(log, [], t0 + horizonMs + graceMs + 1);
      for (const key of ["k", "unknown"]) {
        const refused = appendNamed(log, entries, { key });
        await expect(refused).rejects.toMatchObject({ code: "TOO_LATE", retryable: false });
        await expect(refused).rejects.toThrow(
          'Cannot append events of source "a": keys of requests of their time were forgotten, send them by backfill',
        );
      }
      expect(await readAll(log)).toHaveLength(3);
      // A newer event, one with an id, or none cannot be what was forgotten.
      const newer = entry("", { timestampMs: t0 - 999 });
      expect(await appendNamed(log, [newer, ...entries], { key: "1" })).toHaveLength(4);
      const known = entry("x", { timestampMs: t0 - 5_000 });
      expect(await appendNamed(log, [known], { key: "2" })).toEqual(["appended"]);
      expect(await appendNamed(log, [], { key: "3" })).toEqual([]);
      // An event without id, offset or key is appended each time.
      expect(await append(log, entries, t0)).toEqual(["appended", "appended", "appended"]);
    },
  },
];

async function appendNamed(
  log: EventLogShard,
  entries: readonly LogEntry[],
  options: Partial<NamedRequest> & { readonly key: string; readonly nowMs?: number },
) {
  const { nowMs = t0, ...named } = options;
  const request = { contentHash: "hash", keepUntilMs: t0 + horizonMs, ...named };
  const result = await log.append(entries, { nowMs, redeliveryHorizonMs: horizons, request });
  return result.outcomes;
}
