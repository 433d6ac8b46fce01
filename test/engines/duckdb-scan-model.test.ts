/** Scans against a model that keeps every row in memory and follows the contract word by word. */

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { Correction } from "../../src/offline/offline-store.ts";
import {
  clickEvent,
  clicks,
  clickView,
  openStore,
  putClicks,
  requestOf,
  scanAll,
  writeFiles,
} from "./offline-fixtures.ts";
import type { Click, FlatRow } from "./offline-fixtures.ts";

const dayMs = 86_400_000;

test("scan() lets the log win over loads, and the first load by name over others", async () => {
  const store = await openStore();
  const load = async (amt: number) => {
    const [file] = await writeFiles({
      [`${amt}.jsonl`]: jsonLine({ id: "a", user: "u", atMs: 5, amt }),
    });
    await store.load(clicks, [file!]);
  };
  const amount = async () => {
    const rows = await scanAll(store, requestOf(clickView));
    expect(rows).toHaveLength(1);
    return rows[0]?.at(-1);
  };
  const nameOf = (amt: number) =>
    loadName({ file: `${amt}.jsonl`, text: jsonLine({ id: "a", user: "u", atMs: 5, amt }) });
  await load(100);
  expect(await amount()).toBe(100);
  await load(200);
  expect(await amount()).toBe(nameOf(100) < nameOf(200) ? 100 : 200);
  await putClicks(store, [{ id: "a", user: "u", atMs: 5 * dayMs, amt: 2 }], { epoch: 2 });
  expect(await amount()).toBe(2);
  await load(300);
  expect(await amount()).toBe(2);
});

test("scan() keeps every row of the log, also of an id that returned past its horizon", async () => {
  const store = await openStore();
  const [unrelated, same] = await writeFiles({
    "unrelated.jsonl": jsonLine({ id: "b", user: "v", atMs: 7 }),
    "same.jsonl": jsonLine({ id: "a", user: "u", atMs: 6, amt: 3 }),
  });
  await putClicks(store, [{ id: "a", user: "u", atMs: 5, amt: 1 }], { epoch: 1 });
  await putClicks(store, [{ id: "a", user: "u", atMs: 8 * dayMs, amt: 2 }], { epoch: 2 });
  const amounts = async () =>
    (await scanAll(store, requestOf(clickView)))
      .filter(([userId]) => userId === "u")
      .map((row) => row.at(-1));
  await store.load(clicks, [unrelated!]);
  expect(await amounts()).toEqual([1, 2]);
  await store.load(clicks, [same!]);
  expect(await amounts()).toEqual([1, 2]);
});

test("scan() judges who wins over all days, and the range over the winner alone", async () => {
  const store = await openStore();
  const [file] = await writeFiles({ "a.jsonl": jsonLine({ id: "a", user: "u", atMs: 0 }) });
  await store.load(clicks, [file!]);
  await putClicks(store, [{ id: "a", user: "u", atMs: 3 * dayMs }]);
  const first = { fromMs: 0, untilMs: dayMs };
  expect(await scanAll(store, requestOf(clickView, first))).toEqual([]);
  expect(await scanAll(store, requestOf(clickView, { ...first, cut: -1 }))).toHaveLength(1);
  const fourth = { fromMs: 3 * dayMs, untilMs: 4 * dayMs };
  expect(await scanAll(store, requestOf(clickView, fourth))).toHaveLength(1);
});

test("putCorrections() replaces, removes and restores; the newest of an id counts", async () => {
  const store = await openStore();
  const put = [
    { id: "a", user: "u", atMs: 1, amt: 1 },
    { id: "b", user: "u", atMs: 2, amt: 2 },
  ];
  await putClicks(store, put);
  const rows = async (options = {}) =>
    (await scanAll(store, requestOf(clickView, options))).map((row) => row.join(" "));
  const moved = clickEvent({ id: "a", user: "v", atMs: 5 * dayMs, amt: 10 });
  await store.putCorrections(clicks, [{ id: "b", event: null }]);
  expect(await rows()).toEqual(["u 1 a 1"]);
  await store.putCorrections(clicks, [
    { id: "a", event: null },
    { id: "a", event: moved },
    { id: "unknown", event: moved },
  ]);
  expect(await rows()).toEqual([`v ${5 * dayMs} a 10`]);
  expect(await rows({ fromMs: 5 * dayMs })).toEqual([`v ${5 * dayMs} a 10`]);
  expect(await rows({ untilMs: dayMs })).toEqual([]);
  expect(await rows({ cut: -1 })).toEqual([]);
  await store.putCorrections(clicks, [{ id: "b", event: clickEvent(put[1]!) }]);
  expect(await rows()).toEqual(["u 2 b 2", `v ${5 * dayMs} a 10`]);
});

test("putCorrections() from two stores at once keeps both", async () => {
  const store = await openStore();
  const ids = ["a", "b", "c", "d", "e"];
  await putClicks(
    store,
    ids.map((id) => ({ id, user: "u", atMs: 1 })),
  );
  await Promise.all(ids.map((id) => store.putCorrections(clicks, [{ id, event: null }])));
  expect(await scanAll(store, requestOf(clickView))).toEqual([]);
});

test("putCorrections() refuses a source without an event id", async () => {
  const store = await openStore();
  await expect(
    store.putCorrections({ ...clicks, id: null }, [{ id: "a", event: null }]),
  ).rejects.toMatchObject({ code: "INVALID_REQUEST" });
});

const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

test.each(seeds)("scan() agrees with the model, seed %i", async (seed) => {
  const random = mulberry32(seed);
  const store = await openStore();
  const model = new Model();
  for (let step = 0; step < 12; step++) {
    await takeStep(store, model, { random, step });
    const range = [pick(random, 40), pick(random, 40)].sort((a, b) => a - b) as [number, number];
    const request = requestOf(clickView, {
      cut: pick(random, 12) - 1,
      fromMs: pick(random, 2) === 0 ? -Infinity : (range[0] - 20) * 7_200_000,
      untilMs: pick(random, 2) === 0 ? Infinity : (range[1] - 20) * 7_200_000,
    });
    expect(await scanAll(store, request), `seed ${seed}, step ${step}`).toEqual(
      model.scan(request),
    );
  }
});

interface StepContext {
  readonly random: () => number;
  readonly step: number;
}

async function takeStep(
  store: DuckdbOfflineStore,
  model: Model,
  { random, step }: StepContext,
): Promise<void> {
  const click = (id: number): Click => ({
    id: `id${id}`,
    user: pick(random, 8) === 0 ? null : `u${pick(random, 4)}`,
    atMs: (pick(random, 40) - 20) * 7_200_000 + pick(random, 3),
    amt: pick(random, 5) === 0 ? null : pick(random, 1_000),
  });
  const kind = pick(random, 3);
  if (kind === 0) {
    // Ids of the log are distinct among themselves.
    const rows = Array.from({ length: pick(random, 15) }, (_, i) => click(step * 15 + i));
    await putClicks(store, rows, { epoch: step });
    model.segments.push({ epoch: step, rows });
  } else if (kind === 1) {
    const rows = Array.from({ length: 1 + pick(random, 30) }, () => click(pick(random, 180)));
    const [file] = await writeFiles({ [`load${step}.jsonl`]: rows.map(jsonLine).join("\n") });
    await store.load(clicks, [file!]);
    model.loads.push({ text: rows.map(jsonLine).join("\n"), file: `load${step}.jsonl`, rows });
  } else {
    const corrections = Array.from({ length: pick(random, 10) }, (): Correction => {
      const corrected = click(pick(random, 180));
      return { id: corrected.id, event: pick(random, 2) === 0 ? null : clickEvent(corrected) };
    });
    await store.putCorrections(clicks, corrections);
    model.corrections.push(...corrections);
  }
}

class Model {
  readonly segments: { readonly epoch: number; readonly rows: readonly Click[] }[] = [];
  readonly loads: {
    readonly file: string;
    readonly text: string;
    readonly rows: readonly Click[];
  }[] = [];
  readonly corrections: Correction[] = [];

  scan(request: {
    readonly cut: number;
    readonly fromMs: number;
    readonly untilMs: number;
  }): readonly FlatRow[] {
    const segments = this.segments
      .filter(({ epoch }) => epoch <= request.cut)
      .sort((a, b) => a.epoch - b.epoch);
    const loads = this.loads
      .map((load) => ({ ...load, name: loadName(load) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const events = new Map<string, Click>();
    for (const { rows } of [...segments, ...loads]) {
      for (const row of rows) if (!events.has(row.id)) events.set(row.id, row);
    }
    const removed = new Set<string>();
    for (const { id, event } of this.corrections) {
      if (!events.has(id)) continue;
      removed.delete(id);
      if (event === null) removed.add(id);
      else {
        const [atMs, , userId, amt] = event.values as [number, string, string | null, number];
        events.set(id, { id, user: userId, atMs, amt });
      }
    }
    return [...events.values()]
      .filter(({ id, user }) => !removed.has(id) && user !== null)
      .filter(({ atMs }) => atMs >= request.fromMs && atMs < request.untilMs)
      .map(({ id, user, atMs, amt = 1 }): FlatRow => [user, atMs, id, amt])
      .sort((a, b) => compareRows(a, b));
  }
}

function compareRows(a: FlatRow, b: FlatRow): number {
  for (let i = 0; i < 3; i++) {
    if (a[i] !== b[i]) return a[i]! < b[i]! ? -1 : 1;
  }
  return 0;
}

function loadName({ file, text }: { readonly file: string; readonly text: string }): string {
  return createHash("sha256").update(`${file}\0${text}`).digest("hex");
}

function jsonLine({ id, user, atMs, amt = 1 }: Click): string {
  return JSON.stringify({ ts: atMs, id, user_id: user, amt });
}

function pick(random: () => number, count: number): number {
  return Math.floor(random() * count);
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
