/** Which of several rows of one event id a scan brings, and what corrections make of it. */

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  clickEvent,
  clicks,
  clickView,
  loadRegistered,
  openStore,
  putClicks,
  requestOf,
  scanAll,
  writeFiles,
} from "./offline-fixtures.ts";
import type { Click } from "./offline-fixtures.ts";

const dayMs = 86_400_000;

test("scan() lets the log win over loads, and the first load by name over others", async () => {
  const store = await openStore();
  const load = async (amt: number) => {
    const [file] = await writeFiles({
      [`${amt}.jsonl`]: jsonLine({ id: "a", user: "u", atMs: 5, amt }),
    });
    await loadRegistered(store, [file!]);
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
  await loadRegistered(store, [unrelated!]);
  expect(await amounts()).toEqual([1, 2]);
  await loadRegistered(store, [same!]);
  expect(await amounts()).toEqual([1, 2]);
});

test("scan() judges who wins over all days, and the range over the winner alone", async () => {
  const store = await openStore();
  const [file] = await writeFiles({ "a.jsonl": jsonLine({ id: "a", user: "u", atMs: 0 }) });
  await loadRegistered(store, [file!]);
  await putClicks(store, [{ id: "a", user: "u", atMs: 3 * dayMs }], { epoch: 1 });
  const first = { fromMs: 0, untilMs: dayMs };
  expect(await scanAll(store, requestOf(clickView, first))).toEqual([]);
  expect(await scanAll(store, requestOf(clickView, { ...first, cut: 0 }))).toHaveLength(1);
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

function loadName({ file, text }: { readonly file: string; readonly text: string }): string {
  return createHash("sha256").update(`${file}\0${text}`).digest("hex");
}

function jsonLine({ id, user, atMs, amt = 1 }: Click): string {
  return JSON.stringify({ ts: atMs, id, user_id: user, amt });
}
