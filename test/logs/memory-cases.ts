/** Cases of the event log's contract: how long ids are remembered, and how many. */

import { expect } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { append, entry, graceMs, horizonMs, readAll, seal, t0 } from "./log-case.ts";
import type { LogCase } from "./log-case.ts";

export const memoryCases: readonly LogCase[] = [
  {
    name: "append() forgets an id past the horizon, and not before",
    run: async (log) => {
      const old = entry("old", { timestampMs: t0 });
      const oldOfB = entry("old", { source: "b", timestampMs: t0 });
      await append(log, [old, oldOfB], t0);
      const lastKnownMs = t0 + horizonMs + graceMs;
      for (const nowMs of [t0 + horizonMs, lastKnownMs]) {
        expect(await append(log, [old], nowMs)).toEqual(["repeat"]);
      }
      const onlyA = { nowMs: lastKnownMs + 1, redeliveryHorizonMs: new Map([["a", horizonMs]]) };
      const refused = log.append([entry(""), old], onlyA);
      await expect(refused).rejects.toMatchObject({ code: "TOO_LATE", retryable: false });
      await expect(refused).rejects.toThrow(
        'Cannot append an event of source "a": event ids of its time were forgotten, send it by backfill',
      );
      // What was refused has not forgotten anything either.
      expect(await append(log, [old], lastKnownMs)).toEqual(["repeat"]);
      await log.append([], onlyA);
      await expect(append(log, [old], lastKnownMs)).rejects.toMatchObject({ code: "TOO_LATE" });
      // A request that says nothing of a source forgets none of its ids.
      expect((await log.append([oldOfB], onlyA)).outcomes).toEqual(["repeat"]);
      expect(await readAll(log)).toHaveLength(2);
    },
  },
  {
    name: "append() behind a clock that jumped refuses what may have been forgotten, and no more",
    run: async (log) => {
      const times = [t0 - 1_000, t0, t0 + 1, t0 + horizonMs];
      const events = times.map((timestampMs, i) => entry(`${i}`, { timestampMs }));
      await append(log, events, t0);
      // The clock jumps ahead and back: ids 0 and 1 are forgotten, the newest is of t0.
      await append(log, [], t0 + horizonMs + graceMs + 1);
      for (const event of [...events.slice(0, 2), entry("new", { timestampMs: t0 })]) {
        await expect(append(log, [event], t0)).rejects.toMatchObject({ code: "TOO_LATE" });
      }
      const others = [entry("new", { timestampMs: t0 + 1 }), entry("x", { source: "b" })];
      expect(await append(log, [...events.slice(2), ...others], t0)).toEqual([
        "repeat",
        "repeat",
        "appended",
        "appended",
      ]);
      expect(await append(log, [entry("", { timestampMs: t0 - 5_000 })], t0)).toEqual(["appended"]);
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
    name: "append() forgets the oldest ids first, so that it refuses no more than it must",
    run: async (log) => {
      const count = limits.idsForgottenPerAppendMax + 10;
      // In the order of their ids they are the newest first.
      const events = Array.from({ length: count }, (_, i) =>
        entry(String(i).padStart(6, "0"), { timestampMs: t0 - i }),
      );
      for (let i = 0; i < count; i += 5_000) await append(log, events.slice(i, i + 5_000), t0);
      await append(log, [], t0 + horizonMs + graceMs + 1);
      const newestMs = t0 - 10;
      const late = append(log, [entry("new", { timestampMs: newestMs })], t0);
      await expect(late).rejects.toMatchObject({ code: "TOO_LATE" });
      const kept = events.slice(0, 10);
      expect(await append(log, kept, t0)).toEqual(kept.map(() => "repeat"));
      const fresh = entry("fresh", { timestampMs: newestMs + 1 });
      expect(await append(log, [fresh], t0)).toEqual(["appended"]);
    },
  },
  {
    name: "closeBefore() has events before its instant refused, whatever the clock, unless known",
    run: async (log) => {
      const times = [t0 - 2_000, t0 - 1_001, t0 - 1_000];
      const known = times.map((timestampMs) => entry(`known-${timestampMs}`, { timestampMs }));
      await append(log, known, t0);
      const closed = { epoch: 0, beforeMs: t0 - 1_000 };
      expect(await log.closeBefore("a", t0 - 1_000)).toEqual(closed);
      // An earlier instant, or none, opens nothing.
      expect(await log.closeBefore("a", t0 - 2_000)).toEqual(closed);
      expect(await log.closeBefore("a", -8.64e15)).toEqual(closed);
      for (const timestampMs of [t0 - 2_000, t0 - 1_001]) {
        const late = append(log, [entry("new", { timestampMs })], t0 - 2_000);
        await expect(late).rejects.toMatchObject({ code: "TOO_LATE" });
        const ofB = entry(`${timestampMs}`, { source: "b", timestampMs });
        expect(await append(log, [ofB], t0)).toEqual(["appended"]);
      }
      expect(await append(log, known, t0)).toEqual(known.map(() => "repeat"));
      const young = entry("new", { timestampMs: t0 - 1_000 });
      expect(await append(log, [young], t0)).toEqual(["appended"]);
      // Ids that are forgotten later, and are older, open nothing either.
      await append(log, [], t0 + horizonMs + graceMs - 1_500);
      const between = append(log, [entry("between", { timestampMs: t0 - 1_100 })], t0);
      await expect(between).rejects.toMatchObject({ code: "TOO_LATE" });
      await seal(log, 4, t0);
      expect(await log.closeBefore("a", t0)).toEqual({ epoch: 5, beforeMs: t0 });
    },
  },
];
